#include "line/task_write.h"

#include <string.h>

#include "line/json.h"
#include "line/task.h"
#include "line/text.h"

/* More than "id" and "task" around a payload, and what begin() adds. */
#define ADDED_MAX (NAME_MAX_LENGTH + 64)

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

/* What is written of: the line, or the payload that it is. */
static struct json_span
source_of(const struct envelope *envelope)
{
	return envelope->wrapped ? envelope->task.span : envelope->whole.span;
}

/* Appends span, which may lie further on in the same memory. */
static void
append_span(struct buffer *out, struct json_span span)
{
	char *room = buffer_reserve(out, span.length);

	if (room == NULL)
		return;
	memmove(room, span.data, span.length);
	out->length += span.length;
}

static void
append_id(const struct envelope *envelope, struct buffer *out)
{
	buffer_append_string(out, "\"id\":\"");
	buffer_append_string(out, envelope->id);
	buffer_append_char(out, '"');
}

static void
write_members(const struct envelope *envelope, struct json_span source,
    struct buffer *out, unsigned long drop)
{
	const char *cursor = source.data;
	struct json_member member;
	struct json_span whole;
	bool first = !envelope->made_id;
	int which;

	while (json_next_member(source, &cursor, &member) == 1) {
		which = task_member_find(&member);
		if (which != -1 && (drop & MEMBER_BIT(which)) != 0)
			continue;
		if (!first)
			buffer_append_char(out, ',');
		first = false;
		/* From the quote in front of the name on. */
		whole.data = member.name.data - 1;
		whole.length = member.name.length + 2;
		append_span(out, whole);
		buffer_append_char(out, ':');
		append_span(out, which == MEMBER_TASK && envelope->turned
				     ? envelope->task.span
				     : member.value.span);
	}
}

/* source is the envelope's, maybe at another place. */
static void
begin(const struct envelope *envelope, struct json_span source,
    struct buffer *out, unsigned long drop)
{
	drop |= envelope->dropped;
	buffer_append_char(out, '{');
	if (envelope->wrapped || envelope->made_id)
		append_id(envelope, out);
	if (envelope->wrapped) {
		buffer_append_string(out, ",\"task\":");
		append_span(out, source);
		return;
	}
	if (envelope->turned || (drop & envelope->present) != 0) {
		write_members(envelope, source, out, drop);
		return;
	}
	if (envelope->made_id)
		buffer_append_char(out, ',');
	/* All between the braces, as it came. */
	source.data++;
	source.length -= 2;
	append_span(out, source);
}

void
envelope_begin(
    const struct envelope *envelope, struct buffer *out, unsigned long drop)
{
	begin(envelope, source_of(envelope), out, drop);
}

bool
envelope_begin_inside(
    struct envelope *envelope, struct buffer *line, unsigned long drop)
{
	struct json_span source = source_of(envelope);
	struct buffer swap;
	size_t before;

	if (envelope->turned)
		return false;
	if (source.data == envelope->scratch.data) {
		swap = *line;
		*line = envelope->scratch;
		envelope->scratch = swap;
	}
	/* Room in front for what is added there: the rest only moves down. */
	before = (size_t)(source.data - line->data);
	if (buffer_reserve(line, ADDED_MAX) == NULL)
		return true;
	memmove(line->data + ADDED_MAX, line->data + before, source.length);
	source.data = line->data + ADDED_MAX;
	line->length = 0;
	begin(envelope, source, line, drop);
	return true;
}

void
envelope_append_encoding(const struct envelope *envelope, struct buffer *out)
{
	if (envelope->base64)
		buffer_append_string(out, ",\"task_encoding\":\"base64\"");
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
