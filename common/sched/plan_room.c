#include "sched/plan_room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/min_heap.h"
#include "sched/plan_class.h"
#include "sched/plan_crowd.h"
#include "sched/plan_offer.h"
#include "sched/plan_refuse.h"
#include "sched/plan_task.h"
#include "sched/plan_waiting.h"

struct room {
	struct plan *plan;
	struct plan_classes classes;
	struct plan_waiting waiting;
	struct plan_offer offer;
	double now;
	uint32_t *order; /* of the releases */
	size_t released;
	struct min_heap ends; /* tasks that run */
	struct min_heap latest; /* tasks by when they must have started */
	/*
	 * Classes by their first task, which is to be tried on all instances:
	 * those of whom nobody waited yet, and crowded ones when one of their
	 * family has come or gone.  (A deadline may make an instance too slow
	 * to count, and so allow others: that is not waited for.)
	 */
	struct min_heap fresh;
	struct plan_crowd crowd;
	double most[PLAN_KINDS_MAX]; /* of the freed */
	bool most_exact; /* nothing was placed since it was worked out */
	unsigned char *refused; /* of each class: it fits nowhere */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
room_open(struct room *room, struct plan *plan, struct svc_error *error)
{
	size_t count;

	memset(room, 0, sizeof(*room));
	room->plan = plan;
	if (plan_classes_open(&room->classes, plan, error) == -1)
		return -1;
	count = room->classes.count;
	room->order = plan_release_order(plan);
	room->refused = calloc(count + 1, sizeof(*room->refused));
	if (room->order == NULL || room->refused == NULL ||
	    plan_crowd_open(&room->crowd, &room->classes) == -1 ||
	    plan_waiting_open(&room->waiting, &room->classes,
		batch_count(plan->batch)) == -1 ||
	    plan_offer_open(&room->offer, plan, &room->classes) == -1)
		return no_memory(error);
	return 0;
}

static void
room_close(struct room *room)
{
	if (room->offer.plan != NULL)
		plan_offer_close(&room->offer);
	plan_waiting_close(&room->waiting);
	plan_crowd_close(&room->crowd);
	plan_classes_close(&room->classes);
	min_heap_release(&room->ends);
	min_heap_release(&room->latest);
	min_heap_release(&room->fresh);
	free(room->order);
	free(room->refused);
}

static bool
is_spread(const struct room *room, uint32_t task)
{
	return room->classes.items[room->classes.of[task]].spread;
}

static int
fail(struct room *room, uint32_t task, const struct task_failure *failure,
    struct svc_error *error)
{
	plan_offer_explain(&room->offer, task, room->now);
	return plan_tell(room->plan, task, failure, &room->offer.why, error);
}

/* Who has ended by now gives back what it had. */
static int
finish(struct room *room, struct svc_error *error)
{
	struct min_heap_item item;

	while (room->ends.count > 0 && room->ends.items[0].key <= room->now) {
		min_heap_pop(&room->ends, &item);
		if (is_spread(room, item.index))
			plan_crowd_change(
			    &room->crowd, room->classes.of[item.index]);
		if (plan_offer_ended(&room->offer, item.index, error) == -1)
			return -1;
	}
	return 0;
}

/* The first of the class is to be tried on all instances. */
static int
freshen(struct room *room, uint32_t class, struct svc_error *error)
{
	uint32_t task;

	if (!plan_waiting_queued(&room->waiting, class) &&
	    plan_waiting_first(&room->waiting, class, &task) &&
	    min_heap_push(&room->fresh, task, class) == -1)
		return no_memory(error);
	return 0;
}

/* Where one has come or gone, another may go somewhere else. */
static int
freshen_crowded(struct room *room, struct svc_error *error)
{
	uint32_t class;

	while (plan_crowd_next(&room->crowd, &class)) {
		plan_waiting_unqueue(&room->waiting, class);
		if (freshen(room, class, error) == -1)
			return -1;
	}
	return 0;
}

static void
fail_late(const struct room *room, uint32_t task, double seconds,
    struct task_failure *failure)
{
	double remaining =
	    plan_task_deadline(room->plan, task) - PLAN_SLACK - room->now;
	double wait = room->now - room->plan->placements[task].release;

	if (remaining < 0)
		task_failure_set(failure, CODE_DEADLINE,
		    "its deadline has passed, %.1f s ago", -remaining);
	else if (wait > 0)
		task_failure_set(failure, CODE_DEADLINE,
		    "would end after its deadline: no room for %.6g s, and "
		    "takes %.6g s where it fits",
		    wait, seconds);
	else
		task_failure_set(failure, CODE_DEADLINE,
		    "takes %.6g s where it fits, and its deadline is in "
		    "%.6g s",
		    seconds, remaining);
}

/* The least time that a task takes, where it takes the least. */
static double
least_time(const struct room *room, uint32_t task)
{
	const struct plan_class *class =
	    &room->classes.items[room->classes.of[task]];

	return plan_task_duration(room->plan, task) /
	       room->classes.sets[class->set].fastest;
}

static int
release_task(struct room *room, uint32_t task, struct svc_error *error)
{
	uint32_t class = room->classes.of[task];
	double seconds = least_time(room, task);
	double latest = plan_task_deadline(room->plan, task) - seconds;
	struct task_failure failure;

	if (room->refused[class])
		return 0;
	if (latest < room->now) {
		fail_late(room, task, seconds, &failure);
		return fail(room, task, &failure, error);
	}
	if (plan_waiting_add(&room->waiting, task) == -1 ||
	    (latest < HUGE_VAL &&
		min_heap_push(&room->latest, latest, task) == -1))
		return no_memory(error);
	return freshen(room, class, error);
}

static int
release(struct room *room, struct svc_error *error)
{
	const struct plan_placement *placements = room->plan->placements;
	size_t count = batch_count(room->plan->batch);

	while (room->released < count &&
	       placements[room->order[room->released]].release <= room->now)
		if (release_task(room, room->order[room->released++], error) ==
		    -1)
			return -1;
	return 0;
}

/* The task, for which member was chosen, starts there. */
static int
start(
    struct room *room, uint32_t task, uint32_t member, struct svc_error *error)
{
	struct plan *plan = room->plan;
	struct plan_lanes *lanes = &room->offer.lanes[member];
	uint32_t slots = room->classes.items[room->classes.of[task]].slots;
	double end =
	    room->now + plan_task_duration(plan, task) /
			    pool_member(plan->chooser->pool, member)->speed;
	struct task_failure failure;

	plan_waiting_remove(&room->waiting, task);
	room->most_exact = false;
	if (!plan_can_tell(plan, task, end)) {
		plan_fail_endless(plan, task, member, &failure);
		if (plan_offer_withdraw(&room->offer, task, member, error) ==
		    -1)
			return -1;
		return plan_tell(plan, task, &failure, &room->offer.why, error);
	}
	plan_place(
	    plan, task, member, plan_lanes_take(lanes, slots), room->now, end);
	if (is_spread(room, task))
		plan_crowd_change(&room->crowd, room->classes.of[task]);
	if (min_heap_push(&room->ends, end, task) == -1)
		return no_memory(error);
	return plan_tell(plan, task, NULL, &room->offer.why, error);
}

/*
 * The task has no time left for who is free, but others of its class have: it
 * waits by itself.  Of those that are spread it cannot be said which speed
 * would do, so they stand aside for now.
 */
static int
stand_back(struct room *room, uint32_t task, struct svc_error *error)
{
	double remaining = plan_task_deadline(room->plan, task) - room->now;

	if (!is_spread(room, task)) {
		plan_waiting_single(&room->waiting, task,
		    plan_task_duration(room->plan, task) / remaining);
		return 0;
	}
	if (plan_waiting_set_aside(&room->waiting, task) == -1)
		return no_memory(error);
	return 0;
}

/* Tries a task on the freed instances, or on all; starts it or puts it back. */
static int
try_task(struct room *room, uint32_t task, bool freed, struct svc_error *error)
{
	uint32_t class = room->classes.of[task], member;
	int found;

	found = plan_offer_try(
	    &room->offer, task, room->now, freed, &member, error);
	if (found == 1)
		return start(room, task, member, error);
	if (found == 0)
		found = plan_offer_hurried(
		    &room->offer, task, room->now, freed, error);
	if (found == 1)
		return stand_back(room, task, error);
	if (found == 0 && is_spread(room, task)) {
		found = plan_offer_crowded(&room->offer, task, freed, error);
		if (found == 1)
			plan_crowd_add(&room->crowd, class);
	}
	if (!freed)
		plan_waiting_queue(&room->waiting, class);
	return found == -1 ? -1 : 0;
}

/* The next of the queue, from *task on, that the freed may have room for. */
static bool
next_queued(struct room *room, uint32_t *task)
{
	return room->offer.freed_count > 0 &&
	       plan_queue_next(&room->waiting.queue, room->most, task);
}

static void
find_most(struct room *room)
{
	plan_offer_most(&room->offer, room->waiting.capacities, room->most);
	room->most_exact = true;
}

static int
try_queued(struct room *room, uint32_t task, struct svc_error *error)
{
	if (try_task(room, task, true, error) == -1)
		return -1;
	/*
	 * What was placed has made the freed have less; that is worked out
	 * only when it may pass over somebody.
	 */
	if (plan_waiting_has(&room->waiting, task) && !room->most_exact)
		find_most(room);
	return 0;
}

/* The first of the fresh ones. */
static bool
next_fresh(struct room *room, uint32_t *task)
{
	struct min_heap_item item;
	uint32_t first;

	while (room->fresh.count > 0) {
		item = room->fresh.items[0];
		*task = (uint32_t)item.key;
		if (!plan_waiting_queued(&room->waiting, item.index) &&
		    plan_waiting_first(&room->waiting, item.index, &first) &&
		    first == *task)
			return true;
		min_heap_pop(&room->fresh, &item);
	}
	return false;
}

static int
try_fresh(struct room *room, uint32_t task, struct svc_error *error)
{
	uint32_t class = room->classes.of[task];
	struct min_heap_item item;

	min_heap_pop(&room->fresh, &item);
	if (try_task(room, task, false, error) == -1)
		return -1;
	return freshen(room, class, error);
}

/* Tries all that may have got a chance, in the order of the batch. */
static int
offer(struct room *room, struct svc_error *error)
{
	uint32_t queued = 0, fresh = 0;
	bool has_queued, has_fresh;

	find_most(room);
	for (;;) {
		if (freshen_crowded(room, error) == -1)
			return -1;
		has_queued = next_queued(room, &queued);
		has_fresh = next_fresh(room, &fresh);
		if (!has_queued && !has_fresh)
			return 0;
		if (has_queued && (!has_fresh || queued < fresh)) {
			if (try_queued(room, queued++, error) == -1)
				return -1;
		} else if (try_fresh(room, fresh, error) == -1) {
			return -1;
		}
	}
}

/* Who can no longer start in time does not start. */
static int
expire(struct room *room, struct svc_error *error)
{
	struct task_failure failure;
	struct min_heap_item item;

	while (
	    room->latest.count > 0 && room->latest.items[0].key <= room->now) {
		min_heap_pop(&room->latest, &item);
		if (!plan_waiting_has(&room->waiting, item.index))
			continue;
		plan_waiting_remove(&room->waiting, item.index);
		fail_late(
		    room, item.index, least_time(room, item.index), &failure);
		if (fail(room, item.index, &failure, error) == -1)
			return -1;
	}
	return 0;
}

/* All that happens at one time. */
static int
happen(struct room *room, struct svc_error *error)
{
	if (finish(room, error) == -1 || release(room, error) == -1)
		return -1;
	if (offer(room, error) == -1)
		return -1;
	plan_offer_clear(&room->offer);
	if (plan_waiting_come_forward(&room->waiting) == -1)
		return no_memory(error);
	return expire(room, error);
}

/* When something happens next; false: never. */
static bool
next_time(struct room *room, double *when)
{
	struct min_heap *latest = &room->latest;
	struct min_heap_item item;

	*when = HUGE_VAL;
	while (latest->count > 0 &&
	       !plan_waiting_has(&room->waiting, latest->items[0].index))
		min_heap_pop(latest, &item);
	if (room->released < batch_count(room->plan->batch))
		*when =
		    room->plan->placements[room->order[room->released]].release;
	if (room->ends.count > 0)
		*when = fmin(*when, room->ends.items[0].key);
	if (latest->count > 0)
		*when = fmin(*when, latest->items[0].key);
	return *when < HUGE_VAL;
}

/* Whom the policy refuses although all is free has waited for nothing. */
static int
give_up(struct room *room, struct svc_error *error)
{
	struct task_failure failure;
	size_t i;

	for (i = 0; i < room->released; i++) {
		uint32_t task = room->order[i];
		int found;

		if (!plan_waiting_has(&room->waiting, task))
			continue;
		found = plan_refuse_probe(
		    room->plan, task, &room->offer.why, &failure, error);
		if (found == 1)
			task_failure_set(&failure, CODE_UNPLACEABLE,
			    "never given room by %s",
			    room->plan->chooser->policy->type->name);
		if (found == -1 || fail(room, task, &failure, error) == -1)
			return -1;
	}
	return 0;
}

int
plan_room_run(struct plan *plan, struct svc_error *error)
{
	struct room room;
	int result;

	result = room_open(&room, plan, error);
	if (result == 0)
		result = plan_refuse(
		    plan, &room.classes, room.order, room.refused, error);
	while (result == 0 && next_time(&room, &room.now))
		result = happen(&room, error);
	if (result == 0)
		result = give_up(&room, error);
	room_close(&room);
	return result;
}
