/* Tasks end: the journal has them, and those that wait for them are told. */
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"
#include "line/task_write.h"
#include "net/call_line.h"
#include "net/call_stats.h"

/* Written where another run, or another task, can find it. */
static void
remember(struct run *run, const struct call_item *item, enum task_end end)
{
	struct flow_task *flow = task_table_get(&run->tasks, item->number);
	bool named = flow->name != NAME_TABLE_NONE;
	struct svc_error error;
	int result = 0;

	flow->place.offset = -1;
	if (run->options.journal != NULL && !run->full) {
		result = journal_append(run->options.journal, item->out.data,
		    item->out.length, flow->hash, !named, &flow->place, &error);
		flow->journalled = result == 0;
	}
	/* Of a stream nobody knows who will ask for it. */
	if (!flow->journalled && end == END_OK &&
	    (flow->needed || (named && !run->options.whole)))
		result = line_file_put(run->file, item->out.data,
		    item->out.length, &flow->place, &error);
	if (result == -1)
		run_fail(run, RUN_INPUT, &error);
}

/* A count of run_counts, and of the statistics. */
static void
count(struct run *run, const struct call_item *item, enum task_end end,
    double seconds)
{
	struct run_counts *counts = &run->counts;

	counts->done++;
	if (end == END_OK)
		run->ok++;
	else if (end == END_SKIPPED)
		counts->skipped++;
	else if (end == END_CANCELLED)
		counts->cancelled++;
	else
		counts->failed++;
	if (run->options.call.stats != NULL)
		call_stats_task(run->options.call.stats, item->code,
		    seconds < 0 ? -1 : seconds * 1000);
}

/* Those who wait for it; and its line comes out. */
static void
settle(struct run *run, struct call_item *item, enum task_end end)
{
	uint32_t task = item->number;
	struct flow_task *flow = task_table_get(&run->tasks, task);

	task_table_forget(&run->tasks, task);
	flow->state = FLOW_ENDED;
	flow->failed = end != END_OK;
	flow->code = item->code;
	dependencies_end(run->dependencies, task, end, run_decided, run);
	if (buffer_failed(&item->out))
		run_fail_memory(run);
	else
		run_out(run, item);
	run_wake(run);
}

static void
look_at_halt(struct run *run)
{
	const struct halt *halt = &run->options.halt;
	size_t total = run->options.whole ? run->counts.taken : 0;
	char reason[sizeof(run->reason)];

	if (run->stopping ||
	    !halt_reached(halt, run->ok, run->counts.failed, total))
		return;
	halt_describe(
	    halt, run->ok, run->counts.failed, reason, sizeof(reason));
	run->counts.halted = true;
	run->counts.satisfied = halt->on == HALT_SUCCESS;
	run_halt(run, halt->how == HALT_NOW, reason);
}

void
run_end(
    struct run *run, struct call_item *item, enum task_end end, double seconds)
{
	if (buffer_failed(&item->out)) {
		run_fail_memory(run);
		return;
	}
	if (end == END_OK || end == END_FAILED)
		remember(run, item, end);
	if (run->broken)
		return;
	count(run, item, end, seconds);
	run_tell_end(run, item, RUN_ENDED);
	settle(run, item, end);
	look_at_halt(run);
}

/* One for a line that is made here. */
static struct call_item *
take_item(struct run *run, uint32_t task)
{
	struct call_item *item = call_queue_take(&run->queue);

	if (item == NULL)
		run_fail_memory(run);
	else
		item->number = task;
	return item;
}

void
run_end_unbegun(
    struct run *run, uint32_t task, const struct task_failure *failure)
{
	struct call_item *item = take_item(run, task);

	if (item == NULL || !run_reread(run, task, item))
		return;
	call_queue_hold(&run->queue, item);
	(void)call_line_fail(item, failure, &run->item);
	run_end(run, item,
	    failure->code == CODE_SKIPPED ? END_SKIPPED : END_CANCELLED, -1);
}

void
run_end_restored(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct call_item *item = take_item(run, task);
	struct svc_error error;

	if (item == NULL)
		return;
	if (journal_get(
		run->options.journal, &flow->place, &item->out, &error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return;
	}
	run->counts.done++;
	run->counts.restored++;
	if (flow->failed)
		item->code = run_line_code(&item->out);
	if (flow->failed)
		run->counts.failed++;
	if (run->options.call.stats != NULL)
		call_stats_passed(run->options.call.stats, flow->failed);
	run_tell_end(run, item, RUN_RESTORED);
	settle(run, item, flow->failed ? END_FAILED : END_OK);
}

void
run_end_planned(struct run *run, uint32_t task)
{
	struct call_item *item = take_item(run, task);

	if (item == NULL || !run_reread(run, task, item))
		return;
	call_queue_hold(&run->queue, item);
	envelope_begin(&item->envelope, &item->out, 0);
	buffer_append_format(&item->out, ",\"stage\":%u",
	    task_table_get(&run->tasks, task)->stage);
	envelope_end(&item->out);
	run->counts.done++;
	settle(run, item, END_OK);
}

void
run_end_passed(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct call_item *item = take_item(run, task);
	struct svc_error error;
	const char *line;
	size_t length;

	if (item == NULL)
		return;
	if (task_table_line(
		&run->tasks, task, &run->store, &line, &length, &error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return;
	}
	buffer_append(&item->out, line, length);
	item->code = flow->passed && flow->failed ? run_line_code(&item->out)
						  : flow->code;
	item->passed = flow->passed;
	/* Another task may bind the result that came along. */
	if (!flow->failed && flow->place.offset == -1 &&
	    flow->name != NAME_TABLE_NONE &&
	    (flow->needed || !run->options.whole) &&
	    line_file_put(run->file, line, length, &flow->place, &error) ==
		-1) {
		run_fail(run, RUN_INPUT, &error);
		return;
	}
	run->counts.done++;
	if (flow->failed)
		run->counts.failed++;
	if (run->options.call.stats != NULL && flow->passed)
		call_stats_passed(run->options.call.stats, flow->failed);
	else if (run->options.call.stats != NULL)
		call_stats_task(run->options.call.stats, flow->code, -1);
	run_tell_end(run, item, RUN_PASSED);
	settle(run, item, flow->failed ? END_FAILED : END_OK);
}

static int
read_result(struct run *run, const struct buffer *line,
    struct task_result *found, struct svc_error *error)
{
	const struct json_member *member;

	if (json_scan(&run->document, line->data, line->length, error) == -1)
		return -1;
	member = json_member(&run->document, "result");
	if (member == NULL)
		return svc_error_set(error, EX_DATAERR, "it has no result");
	found->value = member->value;
	found->base64 = json_member(&run->document, "encoding") != NULL;
	return 0;
}

int
run_result(void *argument, const char *id, struct task_result *found,
    struct svc_error *error)
{
	struct run *run = argument;
	const struct run_source *source = run->options.source;
	const struct flow_task *flow;
	uint32_t name, task;
	int got;

	if (source != NULL)
		return source->result(source->argument, id, found, error);
	name = name_table_find(&run->tasks.ids, id, strlen(id));
	task = name == NAME_TABLE_NONE ? TASK_NONE
				       : task_table_find(&run->tasks, name);

	if (task == TASK_NONE)
		return svc_error_set(error, EX_DATAERR, "%s: no such task", id);
	flow = task_table_get(&run->tasks, task);
	if (flow->failed || flow->place.offset == -1)
		return svc_error_set(
		    error, EX_DATAERR, "%s: it has no result", id);
	buffer_clear(&run->found);
	got = flow->journalled
		  ? journal_get(
			run->options.journal, &flow->place, &run->found, error)
		  : line_file_get(run->file, &flow->place, &run->found, error);
	return got == -1 ? -1 : read_result(run, &run->found, found, error);
}
