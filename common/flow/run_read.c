/* Lines come in and become tasks. */
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"
#include "net/call_line.h"

/* Faults of a file that are told one by one. */
#define FAULTS_TOLD 20

/* The line comes out with the failure. */
static enum item_state
fail_line(struct run *run, struct call_item *item, enum task_code code,
    const char *message)
{
	struct task_failure failure;
	struct svc_error error;

	if (code == CODE_INVALID) {
		call_line_refuse(item, &run->item, message, &error);
		run_warn(run, "%s", error.message);
		return ITEM_INVALID;
	}
	task_failure_set(&failure, code, "%s", message);
	return call_line_fail(item, &failure, &run->item);
}

static uint32_t
find_name(const struct run *run, const char *id)
{
	uint32_t name = name_table_find(&run->tasks.ids, id, strlen(id));

	return name == NAME_TABLE_NONE ? TASK_NONE
				       : task_table_find(&run->tasks, name);
}

/* An id that came before.  In a file that is a fault of the whole. */
static enum item_state
refuse_twice(
    struct run *run, struct call_item *item, const char *id, uint32_t other)
{
	struct svc_error error;

	svc_error_set(&error, EX_DATAERR,
	    "\"id\": '%s' came before, in line %lu", id,
	    task_table_get(&run->tasks, other)->number);
	if (!run->options.whole)
		return fail_line(run, item, CODE_INVALID, error.message);
	if (run->faults++ < FAULTS_TOLD)
		run_warn(run, "%s:%lu: %s", run->item.envelope.source,
		    item->envelope.line.number, error.message);
	return ITEM_INVALID;
}

/* In a stream everybody that is waited for must have come. */
static enum item_state
link_now(struct run *run, struct call_item *item, uint32_t task)
{
	const struct task_links *links = &run->links;
	struct svc_error error;
	uint32_t name;
	char message[256];
	size_t i;

	for (i = 0; i < links->after_count; i++) {
		if (find_name(run, links->after[i]) != TASK_NONE)
			continue;
		snprintf(message, sizeof(message),
		    "it waits for '%s', which has not come before it",
		    links->after[i]);
		return fail_line(run, item, CODE_UNKNOWN_TASK, message);
	}
	for (i = 0; i < links->after_count; i++)
		if (task_table_name(
			&run->tasks, links->after[i], &name, &error) == -1 ||
		    dependencies_link(run->dependencies, task,
			task_table_find(&run->tasks, name), &error) == -1) {
			run_fail(run, RUN_INPUT, &error);
			break;
		}
	return ITEM_READY;
}

/* In a file they may come later: run_check(). */
static enum item_state
link_later(struct run *run, uint32_t task)
{
	const struct task_links *links = &run->links;
	struct svc_error error;
	uint32_t name;
	size_t i;

	for (i = 0; i < links->after_count; i++)
		if (task_table_name(
			&run->tasks, links->after[i], &name, &error) == -1 ||
		    run_link(run, task, name, i < links->bound_count, &error) ==
			-1) {
			run_fail(run, RUN_INPUT, &error);
			return ITEM_INVALID;
		}
	return ITEM_READY;
}

/* What the line says about other tasks. */
static enum item_state
read_links(struct run *run, struct call_item *item, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct svc_error error;

	if (!task_links_any(&item->envelope)) {
		run->links.after_count = run->links.binding_count = 0;
		run->links.when = WHEN_OK;
		return ITEM_READY;
	}
	if (task_links_read(&run->links, &item->envelope, &error) == -1) {
		if (error.code == EX_DATAERR)
			return fail_line(
			    run, item, CODE_INVALID, error.message);
		run_fail(run, RUN_INPUT, &error);
		return ITEM_INVALID;
	}
	flow->binds = run->links.binding_count > 0;
	/* A source has seen to those that it waits for. */
	if (run->options.source != NULL) {
		run->links.after_count = 0;
		run->links.when = WHEN_OK;
	}
	flow->linked = run->links.after_count > 0;
	return ITEM_READY;
}

static enum item_state
read_key(struct run *run, struct call_item *item, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	bool local = run->options.command != NULL;
	struct svc_error error;

	if (ready_queue_key(run->ready, &item->envelope,
		local ? "" : item->task.service,
		local ? NULL : item->task.planned, &flow->key, &error) == 0) {
		/* A source gives nothing before its time. */
		if (run->options.source != NULL)
			flow->key.not_before = 0;
		return ITEM_READY;
	}
	if (error.code == EX_DATAERR)
		return fail_line(run, item, CODE_INVALID, error.message);
	run_fail(run, RUN_INPUT, &error);
	return ITEM_INVALID;
}

/*
 * The id that the line brought, "" where it had none, and who had it before.  A
 * line that is passed on is not decoded.
 */
static void
read_id(const struct run *run, const struct call_item *item,
    char id[NAME_MAX_LENGTH + 1], uint32_t *other)
{
	const struct envelope *envelope = &item->envelope;
	const struct json_value *value = &envelope->members[MEMBER_ID];
	int length;

	*other = TASK_NONE;
	length = value->span.data == NULL
		     ? -1
		     : json_string(value, id, NAME_MAX_LENGTH + 1);
	if (length <= 0 || !name_valid(id, (size_t)length))
		id[0] = '\0';
	else
		*other = find_name(run, id);
}

static void
claim_id(struct run *run, const char *id, uint32_t task)
{
	struct svc_error error;
	uint32_t name;

	if (task_table_name(&run->tasks, id, &name, &error) == -1)
		run_fail(run, RUN_INPUT, &error);
	else
		task_table_claim(&run->tasks, name, task);
}

/*
 * What the source calls it, for as long as the task is here: ids of a source
 * come again, and are not kept.
 */
static void
name_task(struct run *run, const char *id, uint32_t task)
{
	if (run_feed_name(&run->feed, task, id) == -1)
		run_fail_memory(run);
}

/* A line becomes a task; state is how it was read. */
static enum item_state
read_task(struct run *run, struct call_item *item, uint32_t task,
    enum item_state state)
{
	char id[NAME_MAX_LENGTH + 1];
	struct svc_error error;
	uint32_t other;

	read_id(run, item, id, &other);
	if (run->options.source != NULL)
		name_task(run, id, task);
	if (other != TASK_NONE && (state == ITEM_READY || run->options.whole))
		state = refuse_twice(run, item, id, other);
	if (state == ITEM_READY)
		state = read_links(run, item, task);
	if (state == ITEM_READY)
		state = read_key(run, item, task);
	if (run->broken)
		return state;
	if (dependencies_add(run->dependencies, task,
		state == ITEM_READY ? run->links.when : WHEN_OK,
		&error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return state;
	}
	if (state == ITEM_READY)
		state = run->options.whole ? link_later(run, task)
					   : link_now(run, item, task);
	if (id[0] != '\0' && other == TASK_NONE && run->options.source == NULL)
		claim_id(run, id, task);
	if (state == ITEM_READY && run->options.journal != NULL)
		journal_hash(
		    &item->envelope, task_table_get(&run->tasks, task)->hash);
	return state;
}

/* What is known of the task is kept until it begins, or comes out. */
static void
keep_line(struct run *run, struct call_item *item, uint32_t task,
    enum item_state state, const struct line *line)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	const char *data = item->out.data;
	size_t length = item->out.length;
	struct svc_error error;

	flow->failed = state == ITEM_FAILED || state == ITEM_INVALID;
	flow->own = state == ITEM_READY;
	flow->passed = item->passed;
	flow->code = item->code;
	if (state == ITEM_READY) {
		data = line->data;
		length = line->length;
		if (!run->item.envelope.text && item->line.length > 0)
			data = item->line.data;
	} else if (state == ITEM_INVALID) {
		run->counts.invalid++;
	}
	if (buffer_failed(&item->out))
		run_fail_memory(run);
	else if (task_table_keep(&run->tasks, task, data, length, &error) == -1)
		run_fail(run, RUN_INPUT, &error);
}

static void
take_line(struct run *run, const struct line *line)
{
	struct call_item *item = run->scratch;
	struct flow_task *flow;
	struct run_event event = {.kind = RUN_TASK};
	struct svc_error error;
	enum item_state state;
	uint32_t task;

	if (task_table_new(&run->tasks, &task, &error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return;
	}
	flow = task_table_get(&run->tasks, task);
	flow->number = line->number;
	flow->sequence = run->sequence++;
	run->counts.taken++;
	state = call_item_read(item, line, &run->item, &error);
	if (state == ITEM_INVALID && error.code == EX_OSERR)
		run_fail(run, RUN_INPUT, &error);
	else if (state == ITEM_INVALID)
		run_warn(run, "%s", error.message);
	if (!run->broken)
		state = read_task(run, item, task, state);
	if (!run->broken)
		keep_line(run, item, task, state, line);
	call_item_clear(item);
	if (run->broken)
		return;
	if (run->options.keep_order &&
	    number_queue_push(&run->order, task) == -1)
		run_fail_memory(run);
	run_tell(run, task, &event);
	/* It may have got a number that was looked at already. */
	if (run->stopping && task < run->cursor)
		run->cursor = task;
	if (!run->options.whole)
		run_seal(run, task);
}

static bool
has_room(const struct run *run)
{
	if (run->intake.ended || run->broken)
		return false;
	/* A file is read to its end whatever it takes. */
	if (run->options.whole)
		return true;
	if (run->stopping && run->options.source != NULL)
		return false;
	return run->tasks.open < RUN_TASKS_MAX &&
	       run->tasks.bytes < RUN_BYTES_MAX &&
	       !call_output_full(&run->output);
}

static enum intake_state
next_line(struct run *run, struct line *line, struct svc_error *error)
{
	const struct run_source *source = run->options.source;

	if (source == NULL)
		return call_intake_next(&run->intake, line, error);
	switch (source->next(source->argument, line, error)) {
	case 1:
		return INTAKE_LINE;
	case 0:
		return INTAKE_WAITS;
	default:
		return INTAKE_FAILED;
	}
}

bool
run_read(struct run *run)
{
	struct svc_error error;
	struct line line;
	int n;

	for (n = 0; n < RUN_BATCH; n++) {
		if (!has_room(run))
			return false;
		switch (next_line(run, &line, &error)) {
		case INTAKE_FAILED:
			run_fail(run, RUN_INPUT, &error);
			return false;
		case INTAKE_WAITS:
			return false;
		case INTAKE_LINE:
			take_line(run, &line);
			break;
		case INTAKE_AGAIN:
			break;
		}
	}
	return true;
}
