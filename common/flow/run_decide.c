/* What has been decided about tasks, by the end of others or from the
 * beginning. */
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"
#include "line/units.h"

void
run_decided(void *argument, uint32_t task, enum task_decision decision)
{
	struct run *run = argument;

	task_table_get(&run->tasks, task)->skip = decision == DECISION_SKIP;
	if (number_queue_push(&run->decided, task) == -1)
		run_fail_memory(run);
}

void
run_seal(struct run *run, uint32_t task)
{
	enum task_decision decision = DECISION_READY;

	if (task_table_get(&run->tasks, task)->own)
		decision = dependencies_seal(run->dependencies, task);
	if (decision != DECISION_WAIT)
		run_decided(run, task, decision);
	else
		task_table_get(&run->tasks, task)->state = FLOW_WAITS;
}

int
run_links(struct run *run, uint32_t task)
{
	struct call_item *item = run->scratch;
	struct svc_error error;
	int result = -1;

	if (!run_reread(run, task, item))
		return -1;
	if (task_links_read(&run->links, &item->envelope, &error) == -1)
		run_fail(run, RUN_INPUT, &error);
	else
		result = 0;
	call_item_clear(item);
	return result;
}

static uint32_t
find_link(const struct run *run, size_t i)
{
	const char *id = run->links.after[i];
	uint32_t name = name_table_find(&run->tasks.ids, id, strlen(id));

	return task_table_find(&run->tasks, name);
}

/* Whether an earlier run has ended it, and all that it waits for. */
static bool
restore(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct journal_entry entry;
	const char *id = NULL;
	size_t i;

	if (flow->linked) {
		if (run_links(run, task) == -1)
			return false;
		for (i = 0; i < run->links.after_count; i++)
			if (!task_table_get(&run->tasks, find_link(run, i))
				 ->restored)
				return false;
	}
	if (flow->name != NAME_TABLE_NONE)
		id = task_table_id(&run->tasks, task);
	if (journal_find(run->options.journal, id, flow->hash, &entry) != 1 ||
	    (entry.failed && run->item.envelope.retry))
		return false;
	task_table_forget(&run->tasks, task);
	flow->place = entry.place;
	flow->journalled = flow->restored = true;
	flow->failed = entry.failed;
	return true;
}

/* "b was skipped", of one whose end ruled another one out. */
static void
append_reason(const struct run *run, uint32_t because, struct buffer *text)
{
	enum task_code code = task_table_get(&run->tasks, because)->code;

	buffer_append_format(text, "%s%s ", text->length > 0 ? ": " : "",
	    task_table_id(&run->tasks, because));
	if (code == CODE_NONE)
		buffer_append_string(text, "has not failed");
	else if (code == CODE_SKIPPED)
		buffer_append_string(text, "was skipped");
	else
		buffer_append_format(text, "failed (%s)", task_code_name(code));
}

/* The chain of reasons, as long as a message may be. */
static void
explain_skip(struct run *run, uint32_t because, struct task_failure *failure)
{
	struct buffer text = BUFFER_INIT;
	const char *words;

	while (because != TASK_NONE && text.length < sizeof(failure->message)) {
		append_reason(run, because, &text);
		because = task_table_get(&run->tasks, because)->because;
	}
	if (text.length == 0)
		buffer_append_string(
		    &text, "it is for a failure, and waits for nobody");
	words = buffer_string(&text);
	task_failure_set(failure, CODE_SKIPPED, "%s",
	    words == NULL ? "out of memory" : words);
	buffer_release(&text);
}

/*
 * The journal does not have it; but where an earlier run has ended who decided,
 * it was skipped then, too.
 */
static void
skip(struct run *run, uint32_t task, uint32_t because)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct task_failure failure;

	flow->because = because;
	if (because != TASK_NONE)
		flow->restored = task_table_get(&run->tasks, because)->restored;
	explain_skip(run, because, &failure);
	run_end_unbegun(run, task, &failure);
}

/*
 * Of a task that may follow upon a failure: who has no result that it binds.
 * What undoes a step that was never done has nothing to do.
 */
static uint32_t
find_unbound(struct run *run, uint32_t task)
{
	uint32_t other;
	size_t i;

	if (!task_table_get(&run->tasks, task)->binds ||
	    dependencies_when(run->dependencies, task) == WHEN_OK ||
	    run_links(run, task) == -1)
		return TASK_NONE;
	for (i = 0; i < run->links.bound_count; i++) {
		other = find_link(run, i);
		if (task_table_get(&run->tasks, other)->failed)
			return other;
	}
	return TASK_NONE;
}

/* It comes out in its order, with how long the chain in front of it is. */
static void
plan(struct run *run, uint32_t task)
{
	uint32_t stage = 0, other;
	size_t i;

	if (task_table_get(&run->tasks, task)->linked &&
	    run_links(run, task) == -1)
		return;
	if (!task_table_get(&run->tasks, task)->linked)
		run->links.after_count = 0;
	for (i = 0; i < run->links.after_count; i++) {
		other = task_table_get(&run->tasks, find_link(run, i))->stage;
		if (other >= stage)
			stage = other + 1;
	}
	task_table_get(&run->tasks, task)->stage = stage;
	run_end_planned(run, task);
}

static void
make_ready(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct run_event event = {.kind = RUN_READY};
	struct svc_error error;

	flow->state = FLOW_WAITS;
	flow->since = time_monotonic();
	run_tell(run, task, &event);
	if (ready_queue_push(run->ready, task, flow->sequence, &flow->key,
		time_now(), &error) == -1)
		run_fail(run, RUN_INPUT, &error);
	else if (flow->key.not_before != 0)
		run_alarm(run);
	else
		run_hunger(run, flow->key.lane);
}

static void
decide(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	uint32_t unbound;

	if (flow->state != FLOW_READ && flow->state != FLOW_WAITS)
		return;
	if (!flow->own) {
		run_end_passed(run, task);
		return;
	}
	if (run->stopping)
		return;
	if (run->options.plan)
		plan(run, task);
	else if (flow->skip)
		skip(run, task, dependencies_because(run->dependencies, task));
	else if ((unbound = find_unbound(run, task)) != TASK_NONE)
		skip(run, task, unbound);
	else if (run->options.resume && restore(run, task))
		run_end_restored(run, task);
	else if (!run->broken)
		make_ready(run, task);
}

bool
run_decide(struct run *run)
{
	int n;

	for (n = 0; n < RUN_BATCH && !run->broken; n++) {
		if (run->decided.count == 0 || call_output_full(&run->output))
			return false;
		decide(run, number_queue_pop(&run->decided));
	}
	return !run->broken;
}

bool
run_begin(struct run *run)
{
	int n;

	for (n = 0; n < RUN_BATCH; n++) {
		if (run->broken || call_output_full(&run->output))
			return false;
		if (run->cursor == run->tasks.count) {
			run->phase = PHASE_RUN;
			return false;
		}
		run_seal(run, run->cursor++);
		(void)run_decide(run);
	}
	return true;
}
