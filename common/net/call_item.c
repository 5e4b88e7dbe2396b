#include "net/call_item.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance.h"
#include "line/result.h"
#include "net/call_line.h"
#include "sched/task_key.h"

/* What an item keeps of its memory for the next line. */
#define KEPT (16UL * 1024)

#define BASE64_MEMBER ",\"encoding\":\"base64\""

struct call_item *
call_item_new(void)
{
	struct call_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
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
call_item_forget(struct call_item *item)
{
	envelope_release(&item->envelope);
	buffer_trim(&item->line, KEPT);
	buffer_trim(&item->body, KEPT);
}

void
call_item_settle(struct call_item *item)
{
	call_item_forget(item);
	item->size = item->out.length;
}

void
call_item_clear(struct call_item *item)
{
	call_item_forget(item);
	buffer_trim(&item->out, KEPT);
	item->size = 0;
	item->complaint = item->ended = item->passed = false;
	item->code = CODE_NONE;
}

/*
 * The payload as a task line, planned onto instance unless that is NULL; 1; -1:
 * no memory.
 */
static int
wrap_payload(struct call_item *item, struct line *line,
    const struct instance *instance, const struct call_item_options *options)
{
	struct buffer *text = &item->line;

	buffer_clear(text);
	buffer_append_string(text, "{\"task\":");
	buffer_append(text, options->payload.data, options->payload.length);
	if (options->base64)
		buffer_append_string(text, BASE64_MEMBER);
	if (instance != NULL) {
		buffer_append_string(text, ",\"instance\":");
		instance_print_reference(instance, text);
	}
	buffer_append_char(text, '}');
	line->data = text->data;
	line->length = text->length;
	return buffer_failed(text) ? -1 : 1;
}

/* An instance line becomes a task line.  0: it is no instance. */
static int
wrap_instance(struct call_item *item, struct line *line,
    const struct call_item_options *options)
{
	struct instance instance;
	int wrapped;

	if (line->too_long || line->has_nul ||
	    instance_parse(&instance, line->data, line->length, NULL) == -1)
		return 0;
	wrapped = wrap_payload(item, line, &instance, options);
	instance_release(&instance);
	return wrapped;
}

/* The bytes that the envelope will point into. */
static int
copy_line(struct call_item *item, struct line *line)
{
	struct buffer *text = &item->line;

	if (text->length > 0)
		return 0;
	buffer_append(text, line->data, line->length);
	line->data = text->data == NULL ? "" : text->data;
	return buffer_failed(text) ? -1 : 0;
}

/*
 * Makes of what came in the line that the envelope reads.  1; 0: it should have
 * been an instance; -1: no memory.
 */
static int
make_line(struct call_item *item, struct line *line,
    const struct call_item_options *options)
{
	int wrapped;

	switch (options->input) {
	case INPUT_PAYLOAD:
		return wrap_payload(item, line, NULL, options);
	case INPUT_INSTANCES:
		wrapped = wrap_instance(item, line, options);
		if (wrapped != 0)
			return wrapped;
		return copy_line(item, line) == -1 ? -1 : 0;
	case INPUT_TASKS:
		break;
	}
	/* Of text the envelope makes a string at once. */
	if (options->envelope.text)
		return 1;
	return copy_line(item, line) == -1 ? -1 : 1;
}

/* Memory that ran out is no fault of the line. */
static enum item_state
refuse(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	if (error->code == EX_OSERR)
		return ITEM_INVALID;
	return call_line_refuse(item, options, error->message, error);
}

static enum item_state
no_target(struct call_item *item, const struct call_item_options *options)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_NO_TARGET,
	    "the line names no instance and no service, and the command line "
	    "none either");
	return call_line_fail(item, &failure, options);
}

/* What would be sent too soon, or without what belongs into it. */
static enum item_state
check_alone(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	const struct json_value *members = item->envelope.members;
	struct json_span after = members[MEMBER_AFTER].span;
	struct json_span bind = members[MEMBER_BIND].span;
	const char *cursor;
	struct json_member member;
	struct json_value name;

	cursor = after.data;
	if (cursor != NULL && json_next_element(after, &cursor, &name) == 1)
		return call_line_refuse(item, options,
		    "\"after\": it waits for other tasks: task-run executes "
		    "those",
		    error);
	cursor = bind.data;
	if (cursor != NULL && json_next_member(bind, &cursor, &member) == 1)
		return call_line_refuse(item, options,
		    "\"bind\": it needs results of other tasks: task-run "
		    "executes those",
		    error);
	return ITEM_READY;
}

/* Where it goes: the line's instance, the line's service, the option. */
static enum item_state
aim(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	struct call_task *task = &item->task;

	switch (envelope_instance(&item->envelope, &item->planned, error)) {
	case -1:
		return refuse(item, options, error);
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

static int
fill_body(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	const struct envelope *envelope = &item->envelope;
	struct call_task *task = &item->task;

	buffer_clear(&item->body);
	if (payload_read(&task->body, &envelope->task, envelope->base64,
		options->content_type, &item->body, error) == -1)
		return -1;
	if (envelope->base64)
		task->content_type = "application/octet-stream";
	item->size += item->body.length;
	return 0;
}

static enum item_state
fill_task(struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	const struct envelope *envelope = &item->envelope;
	struct call_task *task = &item->task;

	memset(task, 0, sizeof(*task));
	task->id = envelope->id;
	task->requires = envelope->members[MEMBER_REQUIRES];
	if (envelope->traceparent[0] != '\0')
		task->traceparent = envelope->traceparent;
	task->timeout =
	    envelope->timeout >= 0 ? envelope->timeout : options->timeout;
	task->deadline = envelope->deadline;
	task->retries = envelope->retries;
	task->argument = item;
	if (fill_body(item, options, error) == -1 ||
	    (options->hash &&
		task_key(envelope, options->pointer, &task->key, error) == -1))
		return refuse(item, options, error);
	return aim(item, options, error);
}

/*
 * Whether it may be the beginning of something else that is as valid: of all
 * JSON only numbers are, and any text.
 */
static bool
is_fragment(const struct envelope *envelope, bool text)
{
	return envelope->line.cut &&
	       (text ||
		   (envelope->wrapped && envelope->task.type == JSON_NUMBER));
}

enum item_state
call_item_read(struct call_item *item, const struct line *line,
    const struct call_item_options *options, struct svc_error *error)
{
	struct envelope_options reading = options->envelope;
	struct line made = *line;
	enum envelope_state state;
	int is_made = make_line(item, &made, options);

	if (is_made == -1) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return ITEM_INVALID;
	}
	reading.text = reading.text && options->input == INPUT_TASKS;
	state = envelope_enter(&item->envelope, &made, &reading, error);
	if (reading.text && state == ENVELOPE_READY)
		buffer_trim(&item->line, KEPT);
	item->size =
	    reading.text ? item->envelope.task.span.length : made.length;
	if (state != ENVELOPE_READY)
		return call_line_pass(item, options, state);
	if (is_made == 0)
		return call_line_refuse(
		    item, options, "not an instance", error);
	if (is_fragment(&item->envelope, reading.text))
		return call_line_refuse(
		    item, options, "its end was not read", error);
	if (!options->linked && check_alone(item, options, error) != ITEM_READY)
		return ITEM_INVALID;
	return fill_task(item, options, error);
}
