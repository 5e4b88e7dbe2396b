#include "sched/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/min_heap.h"
#include "sched/plan_room.h"
#include "sched/plan_task.h"

#define MS_SECOND 1000.0

/* Tasks standing in line. */
struct lines {
	struct plan *plan;
	size_t count; /* members */
	/* of each member: the slots that were used, by when they are free */
	struct min_heap *slots;
	/* the members whose free_at is not 0, by a time not after it */
	struct min_heap busy;
	struct buffer why;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

uint32_t
plan_slots(double slots)
{
	if (!(slots >= 1))
		return 1;
	return slots < UINT32_MAX ? (uint32_t)slots : UINT32_MAX - 1;
}

static void
init_placements(struct plan *plan)
{
	const struct batch_task *tasks = batch_tasks(plan->batch);
	size_t count = batch_count(plan->batch), i;

	for (i = 0; i < count; i++) {
		struct plan_placement *placement = &plan->placements[i];
		double release =
		    tasks[i].not_before == 0
			? 0
			: (double)(tasks[i].not_before - plan->start) /
			      MS_SECOND;

		placement->release = fmax(0, release);
		placement->start = placement->end = placement->release;
		placement->member = PLAN_NOT_PLACED;
	}
}

int
plan_open(struct plan *plan, struct pool *pool, struct batch *batch,
    int64_t start, struct svc_error *error)
{
	memset(plan, 0, sizeof(*plan));
	plan->batch = batch;
	plan->start = start;
	/* one more than needed: of nothing there is an array, too */
	plan->free_at = calloc(pool_count(pool) + 1, sizeof(*plan->free_at));
	plan->placements =
	    calloc(batch_count(batch) + 1, sizeof(*plan->placements));
	if (plan->free_at == NULL || plan->placements == NULL) {
		plan_close(plan);
		return no_memory(error);
	}
	init_placements(plan);
	return 0;
}

void
plan_close(struct plan *plan)
{
	free(plan->free_at);
	free(plan->placements);
	memset(plan, 0, sizeof(*plan));
}

static int
lines_open(struct lines *lines, struct plan *plan)
{
	memset(lines, 0, sizeof(*lines));
	lines->plan = plan;
	lines->count = pool_count(plan->chooser->pool);
	lines->slots = calloc(lines->count + 1, sizeof(*lines->slots));
	return lines->slots == NULL ? -1 : 0;
}

static void
lines_close(struct lines *lines)
{
	size_t i;

	for (i = 0; lines->slots != NULL && i < lines->count; i++)
		min_heap_release(&lines->slots[i]);
	free(lines->slots);
	min_heap_release(&lines->busy);
	buffer_release(&lines->why);
}

/*
 * Whoever has become free by now is as free as the others that are: otherwise
 * a member that was idle since yesterday would count as less loaded than one
 * since today.
 */
static int
lines_advance(struct lines *lines, double now)
{
	double *free_at = lines->plan->free_at;
	struct min_heap_item item;

	while (lines->busy.count > 0 && lines->busy.items[0].key <= now) {
		min_heap_pop(&lines->busy, &item);
		if (free_at[item.index] <= now)
			free_at[item.index] = 0;
		else if (min_heap_push(&lines->busy, free_at[item.index],
			     item.index) == -1)
			return -1;
	}
	return 0;
}

static uint32_t
member_slots(const struct lines *lines, uint32_t member)
{
	return plan_slots(
	    pool_member(lines->plan->chooser->pool, member)->slots);
}

/*
 * Slots come into the heap when they are first used, so that a billion of them
 * take no memory: whether the next task gets one that never was.
 */
static bool
takes_unused(const struct lines *lines, uint32_t member, double now)
{
	const struct min_heap *slots = &lines->slots[member];

	return slots->count == 0 ||
	       (slots->items[0].key > now &&
		   slots->count < member_slots(lines, member));
}

/* When the first slot of member is free. */
static double
earliest(const struct lines *lines, uint32_t member, double now)
{
	if (takes_unused(lines, member, now))
		return now;
	return fmax(now, lines->slots[member].items[0].key);
}

/* The first free slot is taken until end. */
static int
take_slot(struct lines *lines, uint32_t member, double now, double end,
    uint32_t *slot)
{
	struct min_heap *slots = &lines->slots[member];
	double *free_at = &lines->plan->free_at[member], next;
	struct min_heap_item item;

	if (takes_unused(lines, member, now)) {
		*slot = (uint32_t)slots->count;
	} else {
		min_heap_pop(slots, &item);
		*slot = item.index;
	}
	if (min_heap_push(slots, end, *slot) == -1)
		return -1;
	next = earliest(lines, member, now);
	if (next <= now)
		return 0;
	/* one that is busy already stands in the heap, under an earlier time */
	if (*free_at == 0 && min_heap_push(&lines->busy, next, member) == -1)
		return -1;
	*free_at = next;
	return 0;
}

static void
fail_in_line(const struct plan *plan, uint32_t member, double late, double wait,
    struct task_failure *failure)
{
	const struct instance *instance =
	    pool_member(plan->chooser->pool, member)->instance;

	task_failure_set(failure, CODE_DEADLINE,
	    "would end %.6g s after its deadline: it waits %.6g s for a slot "
	    "of %s/%s",
	    late, wait, instance->service, instance->id);
}

/* The task goes to member, which was chosen for it.  1; 0: failure; -1. */
static int
stand_in_line(struct lines *lines, uint32_t task, uint32_t member, double now,
    struct task_failure *failure, struct svc_error *error)
{
	struct plan *plan = lines->plan;
	double start = earliest(lines, member, now);
	double deadline = plan_task_deadline(plan, task);
	double end =
	    start + plan_task_duration(plan, task) /
			pool_member(plan->chooser->pool, member)->speed;
	uint32_t slot;

	if (!plan_can_tell(plan, task, end)) {
		plan_fail_endless(plan, task, member, failure);
		return 0;
	}
	if (end > deadline) {
		fail_in_line(plan, member, end - (deadline - PLAN_SLACK),
		    start - now, failure);
		return 0;
	}
	if (take_slot(lines, member, now, end, &slot) == -1)
		return no_memory(error);
	plan_place(plan, task, member, slot, start, end);
	return 1;
}

static int
decide(struct lines *lines, uint32_t task, struct svc_error *error)
{
	struct plan *plan = lines->plan;
	double now = plan->placements[task].release;
	struct plan_question question;
	struct task_failure failure;
	const struct eligible *list;
	uint32_t member;
	int chosen;

	if (lines_advance(lines, now) == -1)
		return no_memory(error);
	buffer_clear(&lines->why);
	plan_question_ask(&question, plan, task, now);
	chosen = chooser_choose(plan->chooser, &question.asked, &member, &list,
	    &lines->why, &failure, error);
	if (chosen == 1) {
		chosen =
		    stand_in_line(lines, task, member, now, &failure, error);
		/* what is not started counts nowhere */
		if (chosen == 0)
			chooser_ended(
			    plan->chooser, &question.asked, list, member);
	}
	if (chosen == -1)
		return -1;
	return plan_tell(
	    plan, task, chosen == 1 ? NULL : &failure, &lines->why, error);
}

/* Policies that bind early. */
static int
run_lines(struct plan *plan, struct svc_error *error)
{
	size_t count = batch_count(plan->batch), i;
	uint32_t *order = plan_release_order(plan);
	struct lines lines;
	int result = 0;

	if (lines_open(&lines, plan) == -1 || order == NULL)
		result = no_memory(error);
	for (i = 0; result == 0 && i < count; i++)
		result = decide(&lines, order[i], error);
	lines_close(&lines);
	free(order);
	return result;
}

int
plan_run(struct plan *plan, struct svc_error *error)
{
	if (plan->chooser->policy->type->takes_room)
		return plan_room_run(plan, error);
	return run_lines(plan, error);
}
