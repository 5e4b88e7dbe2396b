/* The text of one member: see cell.h. */
#include "ui/cell.h"

#include <stdbool.h>

#include "ui/escape.h"

void
cell_value(const struct json_value *value, struct buffer *out)
{
	struct buffer text = BUFFER_INIT;

	if (value->type == JSON_NULL)
		return;
	if (value->type != JSON_STRING) {
		escape_append(out, value->span.data, value->span.length);
		return;
	}
	json_decode(value, &text);
	if (buffer_failed(&text))
		out->failed = true;
	else
		escape_append(out, text.data, text.length);
	buffer_release(&text);
}

void
cell_member(
    const struct instance *instance, const char *path, struct buffer *out)
{
	struct buffer scratch = BUFFER_INIT;
	struct json_value value;

	if (instance_member(instance, path, &scratch, &value) == 1)
		cell_value(&value, out);
	if (buffer_failed(&scratch))
		out->failed = true;
	buffer_release(&scratch);
}

/* A label's name may be escaped in the record, as any JSON string. */
static void
append_name(const struct json_member *member, struct buffer *out)
{
	struct json_value name = {
	    .span = {member->name.data - 1, member->name.length + 2},
	    .type = JSON_STRING,
	    .escaped = member->escaped,
	};

	cell_value(&name, out);
}

void
cell_labels(const struct instance *instance, struct buffer *out)
{
	struct json_document document = {0};
	struct buffer scratch = BUFFER_INIT;
	struct json_value labels;
	size_t i;

	if (instance_member(instance, "labels", &scratch, &labels) == 1 &&
	    labels.type == JSON_OBJECT) {
		if (json_scan(&document, labels.span.data, labels.span.length,
			NULL) == -1)
			out->failed = true;
		for (i = 0; i < document.count; i++) {
			if (i > 0)
				buffer_append_char(out, ',');
			append_name(&document.members[i], out);
			buffer_append_char(out, '=');
			cell_value(&document.members[i].value, out);
		}
	}
	json_document_release(&document);
	buffer_release(&scratch);
}
