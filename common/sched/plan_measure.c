#include "sched/plan_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/plan_bound.h"
#include "sched/plan_class.h"

/* What sums of durations may be off by, as a part of them. */
#define ROUNDING 1e-8

/* How long a task that was started has waited. */
struct wait {
	double seconds;
	uint32_t group;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
compare_waits(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

static int
compare_groups(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return compare_waits(a, b);
}

static void
count_tasks(struct plan_measure *measure, const struct plan *plan,
    const struct plan_classes *classes)
{
	size_t i;

	for (i = 0; i < batch_count(plan->batch); i++) {
		const struct plan_placement *placement = &plan->placements[i];

		if (placement->member == PLAN_NOT_PLACED) {
			if (placement->missed)
				measure->missed++;
			else
				measure->failed++;
			continue;
		}
		measure->placed++;
		measure->makespan = fmax(measure->makespan, placement->end);
		measure->busy[placement->member] +=
		    (placement->end - placement->start) *
		    classes->items[classes->of[i]].slots;
	}
}

static double
busy_a_slot(const struct plan_measure *measure, const struct pool *pool,
    uint32_t member)
{
	return measure->busy[member] /
	       plan_slots(pool_member(pool, member)->slots);
}

static void
measure_utilization(struct plan_measure *measure, const struct pool *pool)
{
	size_t i;

	for (i = 0; measure->makespan > 0 && i < pool_count(pool); i++)
		measure->utilization[i] =
		    busy_a_slot(measure, pool, (uint32_t)i) / measure->makespan;
}

static int
measure_imbalance(struct plan_measure *measure, const struct pool *pool,
    const struct plan_classes *classes)
{
	unsigned char *counted = calloc(pool_count(pool) + 1, sizeof(*counted));
	double sum = 0, largest = 0;
	size_t i, j, members = 0;

	if (counted == NULL)
		return -1;
	for (i = 0; i < classes->set_count; i++) {
		for (j = 0; j < classes->sets[i].count; j++) {
			uint32_t member = classes->sets[i].members[j];
			double busy = busy_a_slot(measure, pool, member);

			if (counted[member])
				continue;
			counted[member] = 1;
			members++;
			sum += busy;
			largest = fmax(largest, busy);
		}
	}
	free(counted);
	if (measure->placed > 0)
		measure->imbalance =
		    largest > 0 ? largest / (sum / (double)members) : 1;
	return 0;
}

/* The waits of those that were started; *count of them.  NULL: no memory. */
static struct wait *
list_waits(const struct plan *plan, size_t *count)
{
	const struct batch_task *tasks = batch_tasks(plan->batch);
	size_t all = batch_count(plan->batch), i;
	struct wait *waits = reallocarray(NULL, all + 1, sizeof(*waits));

	*count = 0;
	for (i = 0; waits != NULL && i < all; i++) {
		const struct plan_placement *placement = &plan->placements[i];

		if (placement->member == PLAN_NOT_PLACED)
			continue;
		waits[*count].seconds = placement->start - placement->release;
		waits[*count].group = tasks[i].group;
		++*count;
	}
	return waits;
}

/* The least one that part of them are not above. */
static double
percentile(const struct wait *sorted, size_t count, double part)
{
	size_t rank = (size_t)ceil(part * (double)count);

	return sorted[rank > 0 ? rank - 1 : 0].seconds;
}

/* Of count sorted ones. */
static void
fill_wait(struct plan_wait *wait, const struct wait *sorted, size_t count)
{
	double sum = 0;
	size_t i;

	wait->count = count;
	if (count == 0)
		return;
	for (i = 0; i < count; i++)
		sum += sorted[i].seconds;
	wait->mean = sum / (double)count;
	wait->p50 = percentile(sorted, count, 0.5);
	wait->p99 = percentile(sorted, count, 0.99);
	wait->most = sorted[count - 1].seconds;
}

/* The groups that have tasks, also those none of which was started. */
static int
list_groups(struct plan_measure *measure, const struct plan *plan)
{
	const struct batch_task *tasks = batch_tasks(plan->batch);
	size_t groups = batch_groups(plan->batch), i;
	unsigned char *has = calloc(groups + 1, sizeof(*has));

	measure->groups = calloc(groups + 1, sizeof(*measure->groups));
	if (has == NULL || measure->groups == NULL) {
		free(has);
		return -1;
	}
	for (i = 0; i < batch_count(plan->batch); i++)
		has[tasks[i].group] = 1;
	for (i = 0; i < groups; i++)
		if (has[i])
			measure->groups[measure->group_count++].group =
			    (uint32_t)i;
	free(has);
	return 0;
}

static int
measure_waits(struct plan_measure *measure, const struct plan *plan)
{
	struct wait *waits;
	size_t count, i, first = 0, length;

	if (list_groups(measure, plan) == -1 ||
	    (waits = list_waits(plan, &count)) == NULL)
		return -1;
	qsort(waits, count, sizeof(*waits), compare_waits);
	fill_wait(&measure->all, waits, count);
	qsort(waits, count, sizeof(*waits), compare_groups);
	for (i = 0; i < measure->group_count; i++, first += length) {
		struct plan_wait *wait = &measure->groups[i];

		for (length = 0; first + length < count &&
				 waits[first + length].group == wait->group;)
			length++;
		fill_wait(wait, waits + first, length);
	}
	free(waits);
	return 0;
}

static int
measure_classified(struct plan_measure *measure, const struct plan *plan,
    const struct plan_classes *classes, struct svc_error *error)
{
	const struct pool *pool = plan->chooser->pool;
	size_t members = pool_count(pool) + 1;

	measure->utilization = calloc(members, sizeof(*measure->utilization));
	measure->busy = calloc(members, sizeof(*measure->busy));
	if (measure->utilization == NULL || measure->busy == NULL)
		return no_memory(error);
	count_tasks(measure, plan, classes);
	measure_utilization(measure, pool);
	if (measure_imbalance(measure, pool, classes) == -1 ||
	    measure_waits(measure, plan) == -1)
		return no_memory(error);
	if (plan_bound(plan, classes, &measure->bound, error) == -1)
		return -1;
	/* the same sum in another order may come out a little larger */
	if (measure->bound > measure->makespan &&
	    measure->bound <= measure->makespan * (1 + ROUNDING))
		measure->bound = measure->makespan;
	return 0;
}

int
plan_measure(struct plan_measure *measure, const struct plan *plan,
    struct svc_error *error)
{
	struct plan_classes classes;
	int result;

	memset(measure, 0, sizeof(*measure));
	if (plan_classes_open(&classes, plan, error) == -1)
		return -1;
	result = measure_classified(measure, plan, &classes, error);
	plan_classes_close(&classes);
	if (result == -1)
		plan_measure_release(measure);
	return result;
}

void
plan_measure_release(struct plan_measure *measure)
{
	free(measure->utilization);
	free(measure->busy);
	free(measure->groups);
	memset(measure, 0, sizeof(*measure));
}
