/* What becomes of the rest when a run stops before its end. */
#include <bsd/string.h>
#include <stdio.h>

#include "flow/run_state.h"

/* Ends what has not begun; with running what has, too, from the pump. */
static void
stop(struct run *run, bool running, const char *reason)
{
	struct svc_error error;

	if (run->reason[0] == '\0')
		strlcpy(run->reason, reason, sizeof(run->reason));
	if (!run->stopping) {
		run->stopping = true;
		run->cursor = 0;
		run->phase = PHASE_RUN;
		if (call_intake_stop(&run->intake, &error) == -1)
			run_warn(run, "%s", error.message);
		if (run->options.source != NULL)
			run->intake.ended = true;
		run->cancel = true;
	}
	if (running)
		run->cancel_running = true;
	/* Also what waits there, until the pump may cancel it. */
	run_pause(run);
	run_wake(run);
}

void
run_halt(struct run *run, bool running, const char *reason)
{
	stop(run, running, reason);
}

void
run_stop(struct run *run)
{
	run->stops++;
	if (run->stops > 2)
		event_base_loopbreak(run->base);
	else
		stop(run, run->stops > 1, "cancelled by a signal");
}

/* From the pump, where the engine may be asked for it. */
static void
cancel_backend(struct run *run)
{
	if (run->cancel)
		run_cancel_backend(run, false);
	run->cancel = false;
	if (run->cancel_running)
		run_cancel_backend(run, true);
	run->cancel_running = false;
}

static bool
is_left(const struct flow_task *flow)
{
	return flow->state == FLOW_READ || flow->state == FLOW_WAITS;
}

static void
cancel(struct run *run, uint32_t task)
{
	struct task_failure failure;

	if (!task_table_get(&run->tasks, task)->own) {
		run_end_passed(run, task);
		return;
	}
	task_failure_set(&failure, CODE_CANCELLED, "%s", run->reason);
	run_end_unbegun(run, task, &failure);
}

bool
run_cancel_rest(struct run *run)
{
	int n;

	if (!run->stopping)
		return false;
	cancel_backend(run);
	for (n = 0; n < RUN_BATCH && !run->broken; n++) {
		if (call_output_full(&run->output))
			return false;
		/* Those that came last may have got numbers of old ones. */
		if (run->cursor == run->tasks.count)
			return false;
		if (is_left(task_table_get(&run->tasks, run->cursor)))
			cancel(run, run->cursor);
		run->cursor++;
	}
	return !run->broken;
}
