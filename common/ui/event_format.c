/* Events for people and programs: see event_format.h. */
#include "ui/event_format.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"
#include "ui/cell.h"
#include "ui/event_table.h"
#include "ui/template.h"

enum kind { KIND_JSON, KIND_TABLE, KIND_TSV, KIND_CUSTOM };

static const char *const kind_names[] = {
    [KIND_JSON] = "json",
    [KIND_TABLE] = "table",
    [KIND_TSV] = "tsv",
};

struct event_format {
	enum kind kind;
	struct template *template; /* of KIND_CUSTOM */
	struct event_table table;
};

int
event_format_parse(
    struct event_format **format, const char *name, struct svc_error *error)
{
	int kind;

	if ((*format = calloc(1, sizeof(**format))) == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	kind = template_choose(
	    kind_names, KIND_CUSTOM, name, &(*format)->template, error);
	if (kind == -1) {
		event_format_free(*format);
		*format = NULL;
		return -1;
	}
	(*format)->kind = (enum kind)kind;
	return 0;
}

void
event_format_free(struct event_format *format)
{
	if (format == NULL)
		return;
	template_free(format->template);
	free(format);
}

/* A member of the event, argument, which is valid JSON. */
static void
append_member(const void *argument, const char *path, struct buffer *out)
{
	const struct json_span *event = argument;
	struct json_value value;

	if (json_path(*event, path, &value) == 1)
		cell_value(&value, out);
}

static void
append_tsv(struct json_span event, struct buffer *out)
{
	static const char *const columns[] = {
	    "at", "event", "service", "id", "status", "reason"};
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (i > 0)
			buffer_append_char(out, '\t');
		append_member(&event, columns[i], out);
	}
	buffer_append_char(out, '\n');
}

int
event_format_line(struct event_format *format, const char *line, size_t length,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error)
{
	struct json_value event;

	if (json_scan_members(line, length, &event, NULL, NULL, error) == -1)
		return -1;
	if (event.type != JSON_OBJECT)
		return svc_error_set(
		    error, EX_DATAERR, "an event is not a JSON object");
	switch (format->kind) {
	case KIND_TABLE:
		event_table_append(
		    &format->table, event.span, screen->color, out);
		break;
	case KIND_TSV:
		append_tsv(event.span, out);
		break;
	case KIND_CUSTOM:
		template_append(
		    format->template, append_member, &event.span, out);
		break;
	default:
		json_append_line(out, event.span);
		buffer_append_char(out, '\n');
		break;
	}
	return buffer_failed(out)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}
