/* Ready tasks go to who executes them, when there is room for them. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"
#include "line/result.h"
#include "line/units.h"
#include "net/call_line.h"
#include "net/call_preview.h"

/*
 * Tasks of a lane that wait at the engine: one, which takes the next room that
 * there is, and is followed by the next in the order of that moment.
 */
#define LANE_WAITING 1

bool
run_reread(struct run *run, uint32_t task, struct call_item *item)
{
	struct svc_error error;
	struct line line;

	memset(&line, 0, sizeof(line));
	line.number = task_table_get(&run->tasks, task)->number;
	if (task_table_line(&run->tasks, task, &run->store, &line.data,
		&line.length, &error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return false;
	}
	if (call_item_read(item, &line, &run->item, &error) != ITEM_READY) {
		/* It was, when it came: only memory can have run out. */
		run_fail_memory(run);
		return false;
	}
	return true;
}

static enum item_state
refuse(struct run *run, struct call_item *item, enum task_code code,
    const char *message)
{
	struct task_failure failure;

	task_failure_set(&failure, code, "%s", message);
	return call_line_fail(item, &failure, &run->item);
}

/*
 * What is sent: the task with its results in their places.  It lies in bound,
 * or in store where it is not sent as it stands.
 */
static int
make_body(struct run *run, struct call_item *item, struct buffer *bound,
    struct buffer *store, struct svc_error *error)
{
	const struct envelope *envelope = &item->envelope;
	struct call_task *task = &item->task;
	bool base64 = envelope->base64;

	if (task_links_read(&run->links, envelope, error) == -1 ||
	    task_bind(&run->links, &envelope->task, run->item.envelope.max_task,
		run_result, run, bound, &base64, error) == -1 ||
	    json_scan(&run->document, bound->data, bound->length, error) ==
		-1 ||
	    payload_read(&task->body, &run->document.value, base64,
		run->item.content_type, store, error) == -1)
		return -1;
	task->content_type = base64 ? "application/octet-stream" : NULL;
	return 0;
}

/* ITEM_READY, or the line says why there is nothing to send. */
static enum item_state
bind_results(struct run *run, struct call_item *item)
{
	struct buffer bound = BUFFER_INIT, store = BUFFER_INIT;
	struct svc_error error;
	int made = make_body(run, item, &bound, &store, &error);

	buffer_release(&item->body);
	if (made == 0 && store.length > 0) {
		item->body = store;
		buffer_release(&bound);
		return ITEM_READY;
	}
	buffer_release(&store);
	if (made == 0) {
		item->body = bound;
		return ITEM_READY;
	}
	buffer_release(&bound);
	if (error.code == EX_CANTCREAT)
		return refuse(run, item, CODE_TOO_LARGE, error.message);
	if (error.code != EX_DATAERR)
		run_fail(run, RUN_INPUT, &error);
	return refuse(run, item, CODE_UNBOUND, error.message);
}

/* A task that can no longer end in time is not begun. */
static bool
is_late(const struct envelope *envelope)
{
	return envelope->deadline != 0 && envelope->duration > 0 &&
	       time_now() + (int64_t)(envelope->duration * 1000) >
		   envelope->deadline;
}

static enum item_state
submit(struct run *run, struct call_item *item)
{
	bool planned = item->task.planned != NULL;
	struct svc_error error;
	int known = 1;

	if (run->commands != NULL) {
		if (command_pool_submit(run->commands, &item->task, &error) ==
		    0)
			return ITEM_READY;
		run_fail(run, RUN_INPUT, &error);
		return ITEM_INVALID;
	}
	if (run->watch != NULL)
		known = call_watch_add(
		    run->watch, item->task.service, !planned, &error);
	if (known == -1) {
		run_fail(run, RUN_INPUT, &error);
		return ITEM_INVALID;
	}
	if (known == 0 && !planned)
		return call_refuse_nobody(
		    run->engine, run->watch, item, &run->item);
	if (call_submit(run->engine, &item->task, &error) == 0) {
		if (run->watch != NULL)
			call_watch_need(run->watch, &item->task);
		return ITEM_READY;
	}
	return refuse(run, item, CODE_INVALID, error.message);
}

static void
start(struct run *run, uint32_t number)
{
	struct flow_task *flow = task_table_get(&run->tasks, number);
	struct call_item *item = call_queue_take(&run->queue);
	enum item_state state = ITEM_READY;

	if (item == NULL) {
		run_fail_memory(run);
		return;
	}
	item->number = number;
	item->attempts = 0;
	if (!run_reread(run, number, item))
		return;
	call_queue_hold(&run->queue, item);
	flow->state = FLOW_RUNS;
	/* Of text the line is the item's no more. */
	if (!run->item.envelope.text)
		task_table_forget(&run->tasks, number);
	item->task.waited = time_monotonic() - flow->since;
	if (is_late(&item->envelope))
		state = refuse(run, item, CODE_DEADLINE,
		    "it can no longer end before its deadline");
	if (state == ITEM_READY && flow->binds)
		state = bind_results(run, item);
	if (state == ITEM_READY && !run->broken) {
		run->lanes[flow->key.lane].waiting++;
		state = submit(run, item);
		if (state != ITEM_READY)
			run->lanes[flow->key.lane].waiting--;
	}
	if (state != ITEM_READY && !run->broken)
		run_end(run, item, END_FAILED, -1);
}

static bool
know_lane(struct run *run, uint32_t lane)
{
	size_t wanted = ready_queue_lanes(run->ready);
	struct run_lane *grown;

	if (lane < run->lane_count)
		return true;
	wanted += wanted / 2;
	grown = reallocarray(run->lanes, wanted, sizeof(*grown));
	if (grown == NULL) {
		run_fail_memory(run);
		return false;
	}
	memset(grown + run->lane_count, 0,
	    (wanted - run->lane_count) * sizeof(*grown));
	run->lanes = grown;
	run->lane_count = wanted;
	return true;
}

void
run_hunger(struct run *run, uint32_t lane)
{
	if (!know_lane(run, lane) || run->lanes[lane].hungry)
		return;
	if (number_queue_push(&run->hungry, lane) == -1) {
		run_fail_memory(run);
		return;
	}
	run->lanes[lane].hungry = true;
	run_wake(run);
}

void
run_fill(struct run *run)
{
	uint32_t lane, task;

	while (!run->broken && !run->stopping &&
	       (lane = number_queue_pop(&run->hungry)) != NUMBER_NONE) {
		run->lanes[lane].hungry = false;
		while (!run->broken && !run->stopping &&
		       run->lanes[lane].waiting < LANE_WAITING &&
		       (task = ready_queue_pop(run->ready, lane)) != READY_NONE)
			start(run, task);
	}
}

static void
on_woken(void *argument, uint32_t lane)
{
	run_hunger(argument, lane);
}

void
run_alarm(struct run *run)
{
	int64_t now = time_now();
	int64_t next = ready_queue_wake(run->ready, now, on_woken, run);
	struct timeval wait;

	if (next == 0)
		return;
	wait = duration_timeval((double)(next - now) / 1000);
	evtimer_add(run->alarm, &wait);
}

/* It does not wait for its first request any more. */
static void
leave_lane(struct run *run, struct flow_task *flow)
{
	flow->begun = true;
	run->lanes[flow->key.lane].waiting--;
	run_hunger(run, flow->key.lane);
}

static void
on_sent(void *argument, const struct call_task *task,
    const struct call_instance *instance, enum call_reason reason, int attempt)
{
	struct run *run = argument;
	const struct run_source *source = run->options.source;
	const struct call_item *item = task->argument;
	struct flow_task *flow = task_table_get(&run->tasks, item->number);
	struct run_event event = {.kind = RUN_SENT,
	    .instance = instance,
	    .reason = reason,
	    .attempt = attempt};

	if (!flow->begun) {
		leave_lane(run, flow);
		if (source != NULL)
			source->begun(source->argument,
			    run_feed_id(&run->feed, item->number));
	}
	run_tell(run, item->number, &event);
}

static void
on_ended(void *argument, const struct call_task *task,
    const struct call_instance *instance, enum call_result result, double ms)
{
	struct run *run = argument;
	const struct call_item *item = task->argument;
	struct run_event event = {.kind = RUN_ANSWERED,
	    .instance = instance,
	    .result = result,
	    .ms = ms};

	run_tell(run, item->number, &event);
}

static void
on_begun(void *argument)
{
	run_fill(argument);
}

static bool
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct run *run = argument;
	struct call_item *item = task->argument;
	struct flow_task *flow = task_table_get(&run->tasks, item->number);
	struct call_outcome told = *outcome;
	enum item_state state;

	if (!flow->begun)
		leave_lane(run, flow);
	item->attempts = outcome->attempts;
	if (outcome->failure.code == CODE_CANCELLED && run->reason[0] != '\0')
		snprintf(told.failure.message, sizeof(told.failure.message),
		    "%s", run->reason);
	else if (outcome->failure.code != CODE_NONE)
		call_watch_explain(run->watch, task->service, &told.failure);
	state = call_line_finish(item, &told, &run->item);
	run_end(run, item,
	    state == ITEM_FINISHED	   ? END_OK
	    : item->code == CODE_CANCELLED ? END_CANCELLED
					   : END_FAILED,
	    outcome->elapsed);
	return state == ITEM_FINISHED;
}

static int
open_commands(
    struct run *run, const struct call_trace *trace, struct svc_error *error)
{
	struct command_pool_options options = *run->options.command;

	options.stats = run->options.call.stats;
	options.trace = *trace;
	return command_pool_open(
	    &run->commands, run->base, &options, on_done, run, error);
}

/* Those of -r: services one by one, as they are sorted. */
static int
tell_instances(struct run *run, struct svc_error *error)
{
	const struct instance *instances = run->options.instances;
	size_t i, first = 0, count = run->options.instance_count;

	for (i = 1; i <= count; i++) {
		if (i < count &&
		    strcmp(instances[i].service, instances[first].service) == 0)
			continue;
		if (call_tell(run->engine, instances[first].service,
			instances + first, i - first, error) == -1)
			return -1;
		first = i;
	}
	return 0;
}

/* There may be room for tasks that the source keeps. */
static void
on_settled(void *argument)
{
	const struct run *run = argument;
	const struct run_source *source = run->options.source;

	if (source != NULL)
		source->vacancy(source->argument);
}

int
run_open_backend(struct run *run, struct svc_error *error)
{
	struct call_options call = run->options.call;
	const struct call_trace trace = {
	    .sent = on_sent,
	    .ended = on_ended,
	    .begun = on_begun,
	    .settled = on_settled,
	    .argument = run,
	};

	if (run->options.command != NULL)
		return open_commands(run, &trace, error);
	call.trace = trace;
	if (call.note != NULL && run->options.event != NULL) {
		call.note = run_tell_note;
		call.note_argument = run;
	}
	call.consume = true;
	if (call_open(&run->engine, run->base, &call, on_done, run, error) ==
	    -1)
		return -1;
	if (run->options.instance_count > 0)
		return tell_instances(run, error);
	if (run->options.watch.open == NULL)
		return 0;
	return call_watch_open(
	    &run->watch, run->base, run->engine, &run->options.watch, error);
}

void
run_close_backend(struct run *run)
{
	call_watch_close(run->watch);
	call_close(run->engine);
	command_pool_close(run->commands);
	free(run->lanes);
}

void
run_pause(struct run *run)
{
	bool paused = run->stopping || call_output_full(&run->output) ||
		      (run->options.journal != NULL &&
			  journal_behind(run->options.journal));

	if (run->commands != NULL)
		command_pool_pause(run->commands, paused);
	else
		call_pause(run->engine, paused);
}

size_t
run_running(const struct run *run)
{
	return run->commands != NULL ? command_pool_running(run->commands)
				     : call_running(run->engine);
}

void
run_cancel_backend(struct run *run, bool running)
{
	if (run->commands != NULL)
		command_pool_cancel(run->commands, running);
	else
		call_cancel(run->engine, running);
}
