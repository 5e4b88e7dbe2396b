#include "sched/placer_batch.h"

#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "line/json.h"
#include "line/task.h"
#include "sched/policy.h"

/* What is kept of the room for a long line. */
#define KEPT (64UL * 1024)

/* Tasks on their way out, one after the other. */
struct passage {
	struct placer_pipe *filter;
	struct batch *batch;
	struct envelope envelope;
	struct buffer out;
	struct buffer times; /* of a plan */
};

static void
passage_init(
    struct passage *passage, struct placer_pipe *filter, struct batch *batch)
{
	memset(passage, 0, sizeof(*passage));
	passage->filter = filter;
	passage->batch = batch;
	envelope_init(&passage->envelope);
}

static int
settle(struct passage *passage, struct svc_error *error)
{
	policy_settle(passage->filter->placer->chooser->policy);
	return placer_pipe_flush(passage->filter, error);
}

/* The last ones go out; result is what came of the others. */
static int
finish(struct passage *passage, int result, struct svc_error *error)
{
	struct svc_error ignored;

	if (result == 0)
		result = settle(passage, error);
	else if (!passage->filter->output_failed)
		(void)settle(passage, &ignored); /* as far as they came */
	envelope_release(&passage->envelope);
	buffer_release(&passage->out);
	buffer_release(&passage->times);
	return result;
}

/* Reads the task's line, as it was read when it came in. */
static int
enter(struct passage *passage, const struct batch_task *task,
    struct svc_error *error)
{
	struct line line;

	batch_line(task, &line);
	if (envelope_enter(&passage->envelope, &line, passage->filter->options,
		error) == ENVELOPE_READY)
		return 0;
	if (error->code == EX_OSERR)
		return -1;
	return svc_error_set(error, EX_SOFTWARE,
	    "a task that was held is none any more: %s", error->message);
}

static int
put(struct passage *passage, struct svc_error *error)
{
	int gathered;

	if (buffer_failed(&passage->out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	gathered = placer_pipe_put(passage->filter, &passage->out, error);
	buffer_trim(&passage->out, KEPT);
	return gathered == 1 ? settle(passage, error) : gathered;
}

static int
place(struct passage *passage, const struct batch_task *task,
    struct svc_error *error)
{
	struct placer_pipe *filter = passage->filter;
	int placed;

	if (enter(passage, task, error) == -1)
		return -1;
	placed = placer_task(
	    filter->placer, &passage->envelope, &passage->out, error);
	if (placed == -1)
		return -1;
	if (placed == 0)
		placer_pipe_note(
		    filter, &filter->placer->failure, task->number);
	return put(passage, error);
}

int
placer_batch_write(
    struct placer_pipe *filter, struct batch *batch, struct svc_error *error)
{
	const struct batch_task *tasks = batch_tasks(batch);
	size_t count = batch_count(batch), i;
	struct passage passage;
	int result = 0;

	passage_init(&passage, filter, batch);
	for (i = 0; i < count && result == 0; i++)
		result = place(&passage, &tasks[i], error);
	return finish(&passage, result, error);
}

static void
append_times(const struct plan_placement *placement, struct buffer *times)
{
	buffer_clear(times);
	buffer_append_string(times, ",\"start\":");
	json_append_number(times, placement->start);
	buffer_append_string(times, ",\"end\":");
	json_append_number(times, placement->end);
}

/* What struct plan calls for each task. */
static int
write_decided(void *argument, size_t number,
    const struct plan_placement *placement, const struct task_failure *failure,
    const struct buffer *why, struct svc_error *error)
{
	struct passage *passage = argument;
	const struct batch_task *task = &batch_tasks(passage->batch)[number];

	if (enter(passage, task, error) == -1)
		return -1;
	if (failure != NULL) {
		placer_append_failed(
		    &passage->envelope, failure, why, &passage->out);
		placer_pipe_note(passage->filter, failure, task->number);
		return put(passage, error);
	}
	append_times(placement, &passage->times);
	if (buffer_failed(&passage->times))
		return svc_error_set(error, EX_OSERR, "out of memory");
	placer_append(passage->filter->placer, &passage->envelope,
	    placement->member, why, &passage->times,
	    MEMBER_BIT(MEMBER_START) | MEMBER_BIT(MEMBER_END), &passage->out);
	return put(passage, error);
}

int
placer_batch_plan(
    struct placer_pipe *filter, struct plan *plan, struct svc_error *error)
{
	struct passage passage;
	int result;

	passage_init(&passage, filter, plan->batch);
	plan->decided = write_decided;
	plan->argument = &passage;
	result = plan_run(plan, error);
	plan->decided = NULL;
	plan->argument = NULL;
	return finish(&passage, result, error);
}
