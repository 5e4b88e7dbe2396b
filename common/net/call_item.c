#include "net/call_item.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance.h"
#include "line/result.h"
#include "line/task_write.h"

/* What an item keeps of its memory for the next line. */
#define KEPT (16UL * 1024)
/* Room for the members that are added to a line. */
#define MEMBERS_ROOM 4096

#define RESULT_NAME   ",\"result\":"
#define BASE64_MEMBER ",\"encoding\":\"base64\""

struct call_item *
call_item_new(struct call_pipe *pipe)
{
	struct call_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
	item->pipe = pipe;
	envelope_init(&item->envelope);
	return item;
}

void
call_item_free(struct call_item *item)
{
	envelope_release(&item->envelope);
	buffer_release(&item->line);
	buffer_release(&item->body);
	buffer_release(&item->out);
	free(item);
}

void
call_item_settle(struct call_item *item)
{
	envelope_release(&item->envelope);
	buffer_trim(&item->line, KEPT);
	buffer_trim(&item->body, KEPT);
	item->size = 0;
}

void
call_item_clear(struct call_item *item)
{
	call_item_settle(item);
	buffer_trim(&item->out, KEPT);
	item->complaint = item->done = false;
}

/* Of the member "result" its value alone, as a line. */
static void
strip_result(struct buffer *out)
{
	size_t skip = 0;

	if (buffer_failed(out))
		return;
	if (memcmp(out->data, BASE64_MEMBER, strlen(BASE64_MEMBER)) == 0)
		skip = strlen(BASE64_MEMBER);
	skip += strlen(RESULT_NAME);
	out->length -= skip;
	memmove(out->data, out->data + skip, out->length);
	buffer_append_char(out, '\n');
}

void
call_item_fail(struct call_item *item, const struct task_failure *failure,
    const struct call_item_options *options)
{
	buffer_clear(&item->out);
	envelope_fail(&item->envelope, &item->out, failure);
	item->complaint = options->result_only;
}

/* Lines that are not ours to work on, as they came. */
static void
pass(struct call_item *item, const struct call_item_options *options)
{
	const struct json_value *result =
	    &item->envelope.members[MEMBER_RESULT];

	if (!options->result_only) {
		envelope_copy(&item->envelope, &item->out);
	} else if (item->envelope.failed || result->span.data == NULL) {
		envelope_copy(&item->envelope, &item->out);
		item->complaint = true;
	} else {
		buffer_append(
		    &item->out, result->span.data, result->span.length);
		buffer_append_char(&item->out, '\n');
	}
}

/* The bytes that the envelope will point into, and a line of them. */
static int
copy_line(struct call_item *item, const struct line *line,
    const struct call_item_options *options, struct line *copy)
{
	struct buffer *text = &item->line;

	buffer_clear(text);
	*copy = *line;
	if (options->input == INPUT_PAYLOAD)
		buffer_append(
		    text, options->payload.data, options->payload.length);
	else
		buffer_append(text, line->data, line->length);
	if (buffer_failed(text))
		return -1;
	copy->data = text->data == NULL ? "" : text->data;
	copy->length = text->length;
	return 0;
}

/* An instance line becomes a task line: the payload, planned onto it. */
static int
wrap_instance(struct call_item *item, struct line *line,
    const struct call_item_options *options)
{
	struct buffer *text = &item->line;
	struct instance instance;

	if (line->too_long || line->has_nul ||
	    instance_parse(&instance, line->data, line->length, NULL) == -1)
		return 0; /* as it is: the envelope's reader refuses it */
	buffer_clear(text);
	buffer_append_string(text, "{\"task\":");
	buffer_append(text, options->payload.data, options->payload.length);
	buffer_append_string(text, ",\"instance\":");
	instance_print_reference(&instance, text);
	buffer_append_char(text, '}');
	instance_release(&instance);
	if (buffer_failed(text))
		return -1;
	line->data = text->data;
	line->length = text->length;
	return 1;
}

/* Fills error with where it was and what. */
static enum item_state
invalid(struct call_item *item, const struct call_item_options *options,
    const char *message, struct svc_error *error)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_INVALID, "%s", message);
	call_item_fail(item, &failure, options);
	svc_error_set(error, EX_DATAERR, "%s:%lu: %s", options->envelope.source,
	    item->envelope.line.number, failure.message);
	return ITEM_INVALID;
}

static enum item_state
no_target(struct call_item *item, const struct call_item_options *options)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_NO_TARGET,
	    "the line names no instance and no service, and the command line "
	    "none either");
	call_item_fail(item, &failure, options);
	return ITEM_FAILED;
}

/* Where it goes: the line's instance, the line's service, the option. */
static enum item_state
aim(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	struct call_task *task = &item->task;

	switch (envelope_instance(&item->envelope, &item->planned, error)) {
	case -1:
		return invalid(item, options, error->message, error);
	case 1:
		task->planned = &item->planned;
		task->service = item->planned.service;
		break;
	default:
		task->planned = NULL;
		task->service = item->envelope.service;
		break;
	}
	if (*task->service == '\0')
		task->service = options->service;
	if (task->service == NULL)
		return no_target(item, options);
	return ITEM_READY;
}

static enum item_state
fill_task(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	const struct envelope *envelope = &item->envelope;
	struct call_task *task = &item->task;

	memset(task, 0, sizeof(*task));
	task->id = envelope->id;
	task->body = envelope->task.span;
	task->timeout =
	    envelope->timeout >= 0 ? envelope->timeout : options->timeout;
	task->deadline = envelope->deadline;
	task->retries = envelope->retries;
	task->argument = item;
	if (!envelope->base64)
		return aim(item, options, error);
	buffer_clear(&item->body);
	if (payload_append(&item->body, &envelope->task, true, error) == -1)
		return error->code == EX_OSERR
			   ? ITEM_INVALID
			   : invalid(item, options, error->message, error);
	task->body.data = item->body.length == 0 ? "" : item->body.data;
	task->body.length = item->body.length;
	item->size += item->body.length;
	task->content_type = "application/octet-stream";
	return aim(item, options, error);
}

enum item_state
call_item_read(struct call_item *item, const struct line *line,
    const struct call_item_options *options, struct svc_error *error)
{
	struct envelope_options reading = options->envelope;
	enum envelope_state state;
	struct line copy;
	int wrapped = 0;

	if (copy_line(item, line, options, &copy) == 0 &&
	    options->input == INPUT_INSTANCES)
		wrapped = wrap_instance(item, &copy, options);
	if (wrapped == -1 || buffer_failed(&item->line)) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return ITEM_INVALID;
	}
	if (options->input != INPUT_TASKS) {
		reading.text = false;
		reading.bare = options->input == INPUT_PAYLOAD;
	}
	state = envelope_enter(&item->envelope, &copy, &reading, error);
	item->size = item->line.length;
	if (state == ENVELOPE_READY && reading.text) {
		/* The envelope has it as a string: twice would be too much. */
		item->size = item->envelope.task.span.length;
		buffer_trim(&item->line, KEPT);
	}
	if (state == ENVELOPE_READY)
		return options->input == INPUT_INSTANCES && wrapped == 0
			   ? invalid(item, options, "not an instance", error)
			   : fill_task(item, options, error);
	pass(item, options);
	if (state == ENVELOPE_INVALID)
		return ITEM_INVALID;
	return item->envelope.failed ? ITEM_FAILED : ITEM_FINISHED;
}

static void
append_members(struct buffer *out, const struct call_outcome *outcome)
{
	struct json_span reference = outcome->instance->reference;
	long tenths;

	buffer_append_string(out, ",\"instance\":");
	buffer_append(out, reference.data, reference.length);
	/* Integers: printing a double takes longer than all the rest. */
	tenths = (long)(outcome->ms * 10 + 0.5);
	buffer_append_format(out,
	    ",\"status\":%ld,\"ms\":%ld.%ld,\"attempts\":%d", outcome->status,
	    tenths / 10, tenths % 10, outcome->attempts);
}

/* What came is no result: the line says so instead. */
static enum item_state
reject(struct call_item *item, const struct call_outcome *outcome,
    const struct call_item_options *options, enum task_code code,
    const char *why)
{
	const struct call_instance *instance = outcome->instance;
	struct task_failure failure;

	task_failure_set(
	    &failure, code, "%s/%s: %s", instance->service, instance->id, why);
	failure.attempts = outcome->attempts;
	failure.status = outcome->status;
	failure.body = outcome->body;
	failure.body_length = outcome->body_length;
	call_item_fail(item, &failure, options);
	return ITEM_FAILED;
}

enum item_state
call_item_finish(struct call_item *item, const struct call_outcome *outcome,
    const struct call_item_options *options)
{
	static const unsigned long drop =
	    MEMBER_BIT(MEMBER_INSTANCE) | MEMBER_BIT(MEMBER_STATUS) |
	    MEMBER_BIT(MEMBER_MS) | MEMBER_BIT(MEMBER_ATTEMPTS) |
	    MEMBER_BIT(MEMBER_RESULT) | MEMBER_BIT(MEMBER_ERROR) |
	    MEMBER_BIT(MEMBER_ENCODING);
	struct buffer *out = &item->out;
	struct svc_error error;

	buffer_clear(out);
	if (outcome->failure.code != CODE_NONE) {
		call_item_fail(item, &outcome->failure, options);
		return ITEM_FAILED;
	}
	/* In one piece: growing would copy what may be large. */
	buffer_reserve(out, item->size + outcome->body_length + MEMBERS_ROOM);
	if (!options->result_only) {
		envelope_begin(&item->envelope, out, drop);
		append_members(out, outcome);
	}
	if (result_append(out, outcome->content_type, outcome->body,
		outcome->body_length, &error) == -1)
		return reject(item, outcome, options,
		    error.code == EX_DATAERR ? CODE_TOO_LARGE
					     : CODE_BAD_RESPONSE,
		    error.message);
	if (options->result_only)
		strip_result(out);
	else
		envelope_end(out);
	return ITEM_FINISHED;
}
