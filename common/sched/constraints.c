#include "sched/constraints.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/spread.h"

/* As much as rounding makes of a capacity (policy_constrained.c). */
#define ROUNDING 1e-9

enum lateness { LATE_NOBODY, LATE_SOME, LATE_ALL };

/* The speeds of a list, found once. */
struct range {
	uint64_t serial; /* of the list; 0: none yet */
	double slowest;
	double fastest;
};

struct constraints {
	struct pool *pool;
	struct spread spread;
	struct range ranges[POOL_SETS_MAX]; /* by slot */
	unsigned char *keep; /* scratch; a byte a member of a list */
	/* of each number of the demand that was looked at last */
	const double *totals[DEMAND_NUMBERS_MAX];
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
constraints_open(
    struct constraints **opened, struct pool *pool, struct svc_error *error)
{
	struct constraints *constraints = calloc(1, sizeof(*constraints));

	*opened = NULL;
	if (constraints == NULL)
		return no_memory(error);
	constraints->pool = pool;
	constraints->keep = calloc(pool_count(pool) + 1, 1);
	if (spread_init(&constraints->spread, pool, error) == -1 ||
	    constraints->keep == NULL) {
		constraints_close(constraints);
		return no_memory(error);
	}
	*opened = constraints;
	return 0;
}

void
constraints_close(struct constraints *constraints)
{
	if (constraints == NULL)
		return;
	spread_release(&constraints->spread);
	free(constraints->keep);
	free(constraints);
}

/* What the task takes on a member, which has a speed. */
static double
seconds_at(const struct constrained_task *task, double speed)
{
	return task->duration > 0 ? task->duration / speed : 0;
}

static bool
is_late(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t member)
{
	double speed = pool_member(constraints->pool, member)->speed;

	return seconds_at(task, speed) > task->remaining;
}

static const struct range *
find_range(struct constraints *constraints, const struct eligible *list)
{
	struct range *range = &constraints->ranges[list->slot];
	size_t i;

	if (range->serial == list->serial)
		return range;
	range->serial = list->serial;
	range->slowest = INFINITY;
	range->fastest = 0;
	for (i = 0; i < list->count; i++) {
		double speed =
		    pool_member(constraints->pool, list->members[i])->speed;

		range->slowest = fmin(range->slowest, speed);
		range->fastest = fmax(range->fastest, speed);
	}
	return range;
}

static enum lateness
find_lateness(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task)
{
	const struct range *range;

	if (task->remaining == INFINITY)
		return LATE_NOBODY;
	if (task->remaining < 0)
		return LATE_ALL;
	if (!(task->duration > 0))
		return LATE_NOBODY;
	range = find_range(constraints, list);
	if (seconds_at(task, range->slowest) <= task->remaining)
		return LATE_NOBODY;
	if (seconds_at(task, range->fastest) > task->remaining)
		return LATE_ALL;
	return LATE_SOME;
}

/* Finds the capacities that has_numbers() compares. */
static int
find_totals(struct constraints *constraints, const struct demand *demand)
{
	size_t k;

	for (k = 0; k < demand->count; k++) {
		constraints->totals[k] =
		    pool_capacity(constraints->pool, demand->numbers[k].name);
		if (constraints->totals[k] == NULL)
			return -1;
	}
	return 0;
}

/* Whether it could take the task if it were idle: pool_labelled() lists all. */
static bool
has_numbers(const struct constraints *constraints, const struct demand *demand,
    uint32_t member)
{
	size_t k;

	for (k = 0; k < demand->count; k++)
		if (!(constraints->totals[k][member] * (1 + ROUNDING) >=
			demand->numbers[k].amount))
			return false;
	return true;
}

static bool
passes(const struct constraints *constraints, uint32_t member)
{
	return pool_member(constraints->pool, member)->instance->status ==
	       STATUS_PASSING;
}

/* Whether, of a mixed list, somebody who passes could take it. */
static bool
somebody_passes(
    const struct constraints *constraints, const struct eligible *list)
{
	size_t i;

	for (i = 0; list->mixed && i < list->count; i++)
		if (passes(constraints, list->members[i]) &&
		    has_numbers(constraints, list->demand, list->members[i]))
			return true;
	return false;
}

static struct spread_key
key_of(const struct eligible *list, const struct constrained_task *task)
{
	return (struct spread_key){
	    list->service, task->group, task->group_length};
}

/*
 * Marks in keep whom all but the spread leaves; those of them that have the
 * numbers are whose domains are compared.
 */
static void
mark_candidates(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task)
{
	bool passing_only = somebody_passes(constraints, list);
	size_t i;

	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];

		constraints->keep[i] =
		    !is_late(constraints, task, member) &&
		    (!passing_only || passes(constraints, member)) &&
		    spread_covers(&constraints->spread, member);
		if (constraints->keep[i] &&
		    has_numbers(constraints, list->demand, member))
			spread_lower(&constraints->spread, member);
	}
}

/* Drops from keep who is too far ahead. */
static void
drop_uneven(struct constraints *constraints, const struct eligible *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (constraints->keep[i])
			constraints->keep[i] = spread_allows(
			    &constraints->spread, list->members[i]);
}

int
constraints_narrow(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, const struct eligible **narrowed,
    struct svc_error *error)
{
	enum lateness late = find_lateness(constraints, list, task);
	struct spread_key key = key_of(list, task);

	*narrowed = list;
	spread_begin_none(&constraints->spread);
	if (list->demand->spread_count == 0 && late == LATE_NOBODY)
		return 0;
	if (find_totals(constraints, list->demand) == -1)
		return no_memory(error);
	if (spread_begin(&constraints->spread, list->demand, &key, error) == -1)
		return -1;
	if (late == LATE_ALL)
		memset(constraints->keep, 0, list->count);
	else
		mark_candidates(constraints, list, task);
	drop_uneven(constraints, list);
	return pool_subset(
	    constraints->pool, list, constraints->keep, narrowed, error);
}

int
constraints_find(struct constraints *constraints, const char *service,
    const struct json_value *requires, bool takes_room,
    const struct constrained_task *task, const struct eligible **all,
    const struct eligible **narrowed, struct svc_error *error)
{
	struct pool *pool = constraints->pool;
	int found =
	    takes_room
		? pool_labelled(pool, service, requires, all, NULL, error)
		: pool_eligible(pool, service, requires, all, error);

	if (found == -1)
		return -1;
	return constraints_narrow(constraints, *all, task, narrowed, error);
}

bool
constraints_passing_only(
    struct constraints *constraints, const struct eligible *list)
{
	return list->mixed && find_totals(constraints, list->demand) == 0 &&
	       somebody_passes(constraints, list);
}

int
constraints_among(struct constraints *constraints, const struct eligible *list,
    const unsigned char *keep, const struct eligible **among,
    struct svc_error *error)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		constraints->keep[i] = keep[list->members[i]];
	return pool_subset(
	    constraints->pool, list, constraints->keep, among, error);
}

bool
constraints_all_late(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    double *seconds)
{
	double fastest = 0;
	size_t i;

	if (task->remaining == INFINITY ||
	    find_totals(constraints, list->demand) == -1)
		return false;
	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];

		if (!has_numbers(constraints, list->demand, member))
			continue;
		if (!is_late(constraints, task, member))
			return false;
		fastest = fmax(
		    fastest, pool_member(constraints->pool, member)->speed);
	}
	if (!(fastest > 0))
		return false;
	*seconds = seconds_at(task, fastest);
	return true;
}

int
constraints_placed(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, uint32_t member,
    struct svc_error *error)
{
	struct spread_key key = key_of(list, task);

	return spread_placed(
	    &constraints->spread, list->demand, &key, member, error);
}

void
constraints_ended(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, uint32_t member)
{
	struct spread_key key = key_of(list, task);

	spread_ended(&constraints->spread, list->demand, &key, member);
}

size_t
constraints_reasons(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t member,
    struct reason reasons[CONSTRAINTS_REASONS_MAX])
{
	double speed = pool_member(constraints->pool, member)->speed;
	size_t count = spread_reasons(&constraints->spread, member, reasons);

	if (speed > 0 && is_late(constraints, task, member))
		reasons[count++] = (struct reason){.code = REASON_LATE,
		    .need = seconds_at(task, speed),
		    .most = task->remaining};
	return count;
}
