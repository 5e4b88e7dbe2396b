#include "line/task_write.h"

#include <string.h>

#include "line/json.h"
#include "line/task.h"
#include "line/text.h"

/* What could not be read: the input's start, for a person to look at. */
static void
write_unreadable(const struct envelope *envelope, struct buffer *out)
{
	const struct line *line = &envelope->line;
	size_t shown = text_cut(line->data, line->length, INVALID_INPUT_MAX);

	buffer_append_string(out, "{\"task\":null");
	task_failure_append(&envelope->failure, out);
	buffer_append_format(out, ",\"line\":%lu,\"input\":", line->number);
	json_append_string(out, line->data, shown);
	if (shown < line->length || line->too_long)
		buffer_append_string(out, ",\"truncated\":true");
	envelope_end(out);
}

void
envelope_copy(const struct envelope *envelope, struct buffer *out)
{
	if (envelope->failure.code == CODE_NONE) {
		buffer_append(out, envelope->line.data, envelope->line.length);
		buffer_append_char(out, '\n');
	} else if (envelope->readable) {
		envelope_fail(envelope, out, &envelope->failure);
	} else {
		write_unreadable(envelope, out);
	}
}

static void
append_id(const struct envelope *envelope, struct buffer *out)
{
	buffer_append_string(out, "\"id\":\"");
	buffer_append_string(out, envelope->id);
	buffer_append_char(out, '"');
}

static void
write_wrapped(const struct envelope *envelope, struct buffer *out)
{
	buffer_append_char(out, '{');
	append_id(envelope, out);
	buffer_append_string(out, ",\"task\":");
	buffer_append(
	    out, envelope->task.span.data, envelope->task.span.length);
}

static void
write_members(
    const struct envelope *envelope, struct buffer *out, unsigned long drop)
{
	const char *cursor = envelope->whole.span.data;
	struct json_member member;
	const struct json_span *value;
	bool first = !envelope->made_id;
	int which;

	buffer_append_char(out, '{');
	if (envelope->made_id)
		append_id(envelope, out);
	while (json_next_member(envelope->whole.span, &cursor, &member) == 1) {
		which = task_member_find(&member);
		if (which != -1 && (drop & MEMBER_BIT(which)) != 0)
			continue;
		value = which == MEMBER_TASK ? &envelope->task.span
					     : &member.value.span;
		if (!first)
			buffer_append_char(out, ',');
		first = false;
		/* The name with its quotes. */
		buffer_append(
		    out, member.name.data - 1, member.name.length + 2);
		buffer_append_char(out, ':');
		buffer_append(out, value->data, value->length);
	}
}

void
envelope_begin(
    const struct envelope *envelope, struct buffer *out, unsigned long drop)
{
	const struct json_span *whole = &envelope->whole.span;

	drop |= envelope->dropped;
	if (envelope->wrapped) {
		write_wrapped(envelope, out);
		return;
	}
	if (envelope->turned || (drop & envelope->present) != 0) {
		write_members(envelope, out, drop);
		return;
	}
	buffer_append_char(out, '{');
	if (envelope->made_id) {
		append_id(envelope, out);
		buffer_append_char(out, ',');
	}
	/* All between the braces, as it came. */
	buffer_append(out, whole->data + 1, whole->length - 2);
}

void
envelope_end(struct buffer *out)
{
	buffer_append(out, "}\n", 2);
}

void
envelope_fail(const struct envelope *envelope, struct buffer *out,
    const struct task_failure *failure)
{
	envelope_begin(envelope, out, ENVELOPE_FAIL_DROP);
	task_failure_append(failure, out);
	envelope_end(out);
}
