#include "net/call_line.h"

#include <sysexits.h>

#include "line/result.h"
#include "line/task_write.h"

/* Room for the members that are added to a line. */
#define MEMBERS_ROOM 4096
/* Lines and answers of more than this are not copied if that can be. */
#define LARGE (1024UL * 1024)

enum item_state
call_line_fail(struct call_item *item, const struct task_failure *failure,
    const struct call_item_options *options)
{
	buffer_clear(&item->out);
	envelope_fail(&item->envelope, &item->out, failure);
	item->complaint = options->result_only;
	item->code = failure->code;
	return ITEM_FAILED;
}

enum item_state
call_line_pass(struct call_item *item, const struct call_item_options *options,
    enum envelope_state state)
{
	const struct envelope *envelope = &item->envelope;
	const struct json_value *result = &envelope->members[MEMBER_RESULT];

	if (!options->result_only) {
		envelope_copy(envelope, &item->out);
	} else if (envelope->failed || result->span.data == NULL) {
		envelope_copy(envelope, &item->out);
		item->complaint = true;
	} else {
		buffer_append(
		    &item->out, result->span.data, result->span.length);
		buffer_append_char(&item->out, '\n');
	}
	item->code = envelope->failure.code;
	item->passed = state == ENVELOPE_PASS;
	if (state == ENVELOPE_INVALID)
		return ITEM_INVALID;
	return envelope->failed ? ITEM_FAILED : ITEM_FINISHED;
}

enum item_state
call_line_refuse(struct call_item *item,
    const struct call_item_options *options, const char *message,
    struct svc_error *error)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_INVALID, "%s", message);
	call_line_fail(item, &failure, options);
	svc_error_set(error, EX_DATAERR, "%s:%lu: %s", options->envelope.source,
	    item->envelope.line.number, failure.message);
	return ITEM_INVALID;
}

static void
append_members(struct call_item *item, const struct call_outcome *outcome)
{
	struct json_span reference = outcome->instance->reference;
	struct buffer *out = &item->out;
	unsigned long tenths;

	envelope_append_encoding(&item->envelope, out);
	/* A command of this machine's own has none. */
	if (reference.length > 0) {
		buffer_append_string(out, ",\"instance\":");
		buffer_append(out, reference.data, reference.length);
	}
	/* printf(3) takes longer than all the rest.  A status is not negative:
	 * it is HTTP's, or that of a process. */
	tenths = (unsigned long)(outcome->ms * 10 + 0.5);
	buffer_append_string(out, ",\"status\":");
	buffer_append_unsigned(out, (unsigned long)outcome->status);
	buffer_append_string(out, ",\"ms\":");
	buffer_append_unsigned(out, tenths / 10);
	buffer_append_char(out, '.');
	buffer_append_unsigned(out, tenths % 10);
	buffer_append_string(out, ",\"attempts\":");
	buffer_append_unsigned(out, (unsigned long)outcome->attempts);
}

/* What came is no result: the line says so instead. */
static enum item_state
reject(struct call_item *item, const struct call_outcome *outcome,
    const struct call_item_options *options, const struct svc_error *why)
{
	const struct call_instance *instance = outcome->instance;
	enum task_code code =
	    why->code == EX_DATAERR ? CODE_TOO_LARGE : CODE_BAD_RESPONSE;
	struct task_failure failure;

	/* Of a command there is no type that could say otherwise. */
	if (*instance->service == '\0')
		task_failure_set(&failure, code,
		    "what it printed is no result: %s", why->message);
	else
		task_failure_set(&failure, code, "%s/%s: %s", instance->service,
		    instance->id, why->message);
	failure.attempts = outcome->attempts;
	failure.status = outcome->status;
	failure.body = outcome->body;
	failure.body_length = outcome->body_length;
	return call_line_fail(item, &failure, options);
}

/*
 * The line up to its result.  -1: what came is no result (EX_PROTOCOL), or does
 * not fit into a line.
 */
static int
begin_line(struct call_item *item, const struct call_outcome *outcome,
    const struct call_item_options *options, struct result *result,
    struct svc_error *why)
{
	struct buffer *out = &item->out;

	/* In one piece: growing would copy. */
	buffer_reserve(out, item->size + outcome->body_length + MEMBERS_ROOM);
	if (!options->result_only) {
		envelope_begin(&item->envelope, out, ENVELOPE_RESULT_DROP);
		append_members(item, outcome);
	}
	return result_read(result, out->length, outcome->content_type,
	    outcome->body, outcome->body_length, why);
}

/*
 * The same of a long line, in its own memory: line, answer, and both once more
 * would be too much at once.  false, and nothing has changed: not possible.
 */
static bool
begin_inside(struct call_item *item, const struct call_outcome *outcome,
    struct result *result)
{
	struct buffer empty = item->out;

	if (result_read(result, item->size + MEMBERS_ROOM,
		outcome->content_type, outcome->body, outcome->body_length,
		NULL) == -1 ||
	    !envelope_begin_inside(
		&item->envelope, &item->line, ENVELOPE_RESULT_DROP))
		return false;
	item->out = item->line;
	item->line = empty;
	append_members(item, outcome);
	return true;
}

enum item_state
call_line_finish(struct call_item *item, const struct call_outcome *outcome,
    const struct call_item_options *options)
{
	struct buffer *out = &item->out;
	struct result result;
	struct svc_error why;

	if (outcome->failure.code != CODE_NONE)
		return call_line_fail(item, &outcome->failure, options);
	buffer_clear(out);
	buffer_trim(&item->body, LARGE);
	if ((item->size <= LARGE || options->result_only ||
		!begin_inside(item, outcome, &result)) &&
	    begin_line(item, outcome, options, &result, &why) == -1)
		return reject(item, outcome, options, &why);
	if (item->size > LARGE)
		call_item_forget(item);
	if (!options->result_only)
		result_write_name(&result, out);
	if (outcome->store != NULL && result.body.length > LARGE)
		result_pour(&result, outcome->store, out);
	else
		result_write_value(&result, out);
	buffer_append_string(out, options->result_only ? "\n" : "}\n");
	return ITEM_FINISHED;
}
