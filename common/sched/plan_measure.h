/*
 * What a plan is worth.
 */
#ifndef SVCKIT_SCHED_PLAN_MEASURE_H
#define SVCKIT_SCHED_PLAN_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/plan.h"

struct plan_wait {
	uint32_t group; /* of the batch */
	size_t count; /* tasks that were started; the rest is 0 without */
	double mean; /* seconds from release to start */
	double p50; /* the nearest rank: half of them waited no longer */
	double p99;
	double most;
};

struct plan_measure {
	size_t placed;
	size_t missed;
	size_t failed; /* not placed for another reason */
	double makespan; /* the last end; 0: none was placed */
	/*
	 * No schedule of the placed tasks can be shorter (plan_bound.h): it is
	 * makespan or less.
	 */
	double bound;
	double
	    *utilization; /* of each member: busy by makespan, 0 to 1; owned */
	double *busy; /* of each member: slot-seconds; owned */
	/*
	 * The largest by the mean of busy a slot, of the members that may take
	 * one of the tasks; 1 at best, 0: nothing was placed.
	 */
	double imbalance;
	struct plan_wait all;
	struct plan_wait
	    *groups; /* a group of the batch that has tasks; owned */
	size_t group_count;
};

/*
 * Of a plan that has run, of which the measure keeps nothing.  -1: EX_OSERR,
 * and there is nothing to release.
 */
int plan_measure(struct plan_measure *measure, const struct plan *plan,
    struct svc_error *error);
void plan_measure_release(struct plan_measure *measure);

#endif
