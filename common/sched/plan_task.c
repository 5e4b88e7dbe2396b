#include "sched/plan_task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS_SECOND 1000.0

double
plan_task_duration(const struct plan *plan, uint32_t task)
{
	return batch_duration(&batch_tasks(plan->batch)[task]);
}

double
plan_task_deadline(const struct plan *plan, uint32_t task)
{
	int64_t deadline = batch_tasks(plan->batch)[task].deadline;

	if (deadline == 0)
		return INFINITY;
	return (double)(deadline - plan->start) / MS_SECOND + PLAN_SLACK;
}

void
plan_question_ask(struct plan_question *question, const struct plan *plan,
    uint32_t task, double now)
{
	const struct batch_task *asking = &batch_tasks(plan->batch)[task];
	struct chooser_task *asked = &question->asked;

	memset(asked, 0, sizeof(*asked));
	batch_requires(asking, &question->requires);
	asked->service = batch_service(plan->batch, asking->service);
	asked->requires = &question->requires;
	asked->policy.key = asking->key;
	asked->constrained.duration = plan_task_duration(plan, task);
	asked->constrained.remaining = plan_task_deadline(plan, task) - now;
	if (asking->group != BATCH_NO_GROUP) {
		asked->constrained.group =
		    batch_group(plan->batch, asking->group);
		asked->constrained.group_length =
		    batch_group_length(plan->batch, asking->group);
	}
}

static int
compare_releases(const void *a, const void *b, void *argument)
{
	const struct plan_placement *placements = argument;
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
	double x = placements[first].release, y = placements[second].release;

	if (x != y)
		return x < y ? -1 : 1;
	return first < second ? -1 : first > second;
}

uint32_t *
plan_release_order(const struct plan *plan)
{
	size_t count = batch_count(plan->batch), i;
	uint32_t *order = reallocarray(NULL, count + 1, sizeof(*order));
	int sorted = 1;

	if (order == NULL)
		return NULL;
	for (i = 0; i < count; i++) {
		order[i] = (uint32_t)i;
		if (i > 0 && plan->placements[i].release <
				 plan->placements[i - 1].release)
			sorted = 0;
	}
	if (!sorted)
		qsort_r(order, count, sizeof(*order), compare_releases,
		    plan->placements);
	return order;
}

void
plan_place(struct plan *plan, uint32_t task, uint32_t member, uint32_t slot,
    double start, double end)
{
	struct plan_placement *placement = &plan->placements[task];

	placement->member = member;
	placement->slot = slot;
	placement->start = start;
	placement->end = end;
}

int
plan_tell(struct plan *plan, uint32_t task, const struct task_failure *failure,
    const struct buffer *why, struct svc_error *error)
{
	if (failure != NULL && failure->code == CODE_DEADLINE)
		plan->placements[task].missed = 1;
	if (plan->decided == NULL)
		return 0;
	return plan->decided(
	    plan->argument, task, &plan->placements[task], failure, why, error);
}

bool
plan_can_tell(const struct plan *plan, uint32_t task, double end)
{
	return end <= PLAN_SECONDS_MAX &&
	       plan_task_duration(plan, task) <= PLAN_SECONDS_MAX;
}

void
plan_fail_endless(const struct plan *plan, uint32_t task, uint32_t member,
    struct task_failure *failure)
{
	const struct pool_member *fit =
	    pool_member(plan->chooser->pool, member);

	task_failure_set(failure, CODE_UNPLACEABLE,
	    "takes %.6g s: at speed %g of %s/%s it would not end within the "
	    "%g s that can be planned",
	    plan_task_duration(plan, task), fit->speed, fit->instance->service,
	    fit->instance->id, PLAN_SECONDS_MAX);
}
