/* What happens in a run is told to who wants to know: run_event.h. */
#include <stdio.h>
#include <string.h>

#include "flow/run_state.h"
#include "line/json.h"

/* Made ids are not kept: as envelope_read() makes them. */
static void
name_task(const struct run *run, const struct flow_task *flow, uint32_t task,
    char made[NAME_MAX_LENGTH + 1], struct run_event *event)
{
	if (run->options.source != NULL) {
		event->id = run_feed_id(&run->feed, task);
		return;
	}
	event->id = task_table_id(&run->tasks, task);
	event->made = flow->own && flow->name == NAME_TABLE_NONE;
	if (!event->made)
		return;
	snprintf(made, NAME_MAX_LENGTH + 1, "%s-%lu",
	    run->item.envelope.run == NULL ? "" : run->item.envelope.run,
	    flow->number);
	event->id = made;
}

void
run_tell(struct run *run, uint32_t task, struct run_event *event)
{
	const struct flow_task *flow = task_table_get(&run->tasks, task);
	char made[NAME_MAX_LENGTH + 1];

	if (run->options.event == NULL)
		return;
	event->at = run_now(run);
	event->task = task;
	event->line = flow->number;
	name_task(run, flow, task, made, event);
	/* Others have no lane, since nobody is to work on them. */
	event->service =
	    flow->own ? ready_queue_service(run->ready, flow->key.lane) : "";
	run->options.event(run->options.argument, event);
}

static enum task_code
find_code(const char *name, size_t length)
{
	int code;

	for (code = CODE_NONE + 1; code < CODE_COUNT; code++)
		if (strlen(task_code_name((enum task_code)code)) == length &&
		    memcmp(task_code_name((enum task_code)code), name,
			length) == 0)
			return (enum task_code)code;
	return CODE_INVALID;
}

enum task_code
run_line_code(const struct buffer *line)
{
	const struct json_span text = {line->data, line->length};
	struct json_value value;

	if (json_path(text, "error", &value) == 0)
		return CODE_NONE;
	if (json_path(text, "error.code", &value) == 0 ||
	    value.type != JSON_STRING || value.span.length < 2)
		return CODE_INVALID;
	return find_code(value.span.data + 1, value.span.length - 2);
}

/* What the line says of a failure; "" where it says nothing. */
static void
read_message(const struct buffer *line, struct buffer *message)
{
	const struct json_span text = {line->data, line->length};
	struct json_value value;

	if (json_path(text, "error.message", &value) == 1 &&
	    value.type == JSON_STRING)
		(void)json_decode(&value, message);
}

void
run_tell_end(
    struct run *run, const struct call_item *item, enum run_event_kind kind)
{
	struct run_event event = {.kind = kind, .code = item->code};
	struct buffer message = BUFFER_INIT;

	if (run->options.event == NULL)
		return;
	if (item->code != CODE_NONE)
		read_message(&item->out, &message);
	event.message = buffer_string(&message);
	run_tell(run, item->number, &event);
	buffer_release(&message);
}

void
run_tell_note(void *argument, const char *message)
{
	struct run *run = argument;
	struct run_event event = {.kind = RUN_NOTE,
	    .at = run_now(run),
	    .task = UINT32_MAX,
	    .id = "",
	    .service = "",
	    .message = message};

	run->options.event(run->options.argument, &event);
}
