/*
 * Dominant-resource fairness: the next task is one of the group whose dominant
 * share is least.  Ghodsi et al., "Dominant Resource Fairness: Fair Allocation
 * of Multiple Resource Types", NSDI 2011, algorithm 1, and section 4.3 for
 * weights.
 *
 * A group's dominant share is the largest of its parts of all that there is of
 * a resource, divided by its weight.  A task takes what its "requires" names
 * times its duration, so that long tasks count as what they are; one that names
 * no number but zeroes takes one slot.  All that there is, is what instances
 * have that get work.  Resources that nobody has do not count: such a task can
 * be placed nowhere.
 */
#ifndef SVCKIT_SCHED_FAIR_H
#define SVCKIT_SCHED_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/demand.h"
#include "sched/pool.h"

struct fair_share {
	const char *group; /* borrowed */
	double weight; /* finite, more than 0; 1 of groups that are not named */
};

struct fair;

/*
 * groups of them, by index.  pool is borrowed, and the capacities of its
 * members must not change.  EX_OSERR.
 */
int fair_open(struct fair **fair, struct pool *pool, size_t groups,
    struct svc_error *error);
void fair_close(struct fair *fair);

void fair_weigh(struct fair *fair, uint32_t group, double weight);

/* The group has a task waiting, or none any more, as at first. */
void fair_set_waiting(struct fair *fair, uint32_t group, bool waiting);

/*
 * The waiting group with the least dominant share; of equal ones that with the
 * lesser index.  1; 0: none waits.  In O(log groups).
 */
int fair_next(struct fair *fair, uint32_t *group);

/*
 * The group gets, or gives back (duration negative), what a task of demand
 * takes for so many seconds; service is whose slots and capacities count (NULL:
 * all).  -1: EX_OSERR.
 */
int fair_take(struct fair *fair, uint32_t group, const char *service,
    const struct demand *demand, double duration, struct svc_error *error);

/* The dominant share, divided by the weight. */
double fair_share_of(const struct fair *fair, uint32_t group);

#endif
