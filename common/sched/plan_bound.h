/*
 * How short a plan could be at best.
 */
#ifndef SVCKIT_SCHED_PLAN_BOUND_H
#define SVCKIT_SCHED_PLAN_BOUND_H

#include "line/error.h"
#include "sched/plan.h"
#include "sched/plan_class.h"

/*
 * No schedule of the placed tasks ends before *seconds.  It is the largest of
 * these, for all of them and for those that fit on the same instances:
 *
 *	the j longest tasks by the speed of the j fastest slots, for each j
 *	(Horvath, Lam, Sethi, "A Level Algorithm for Preemptive Scheduling",
 *	J. ACM 24(1), 1977): the longest one on the fastest slot; all work by
 *	all speed
 *
 *	the k + 1 shortest of the k x m + 1 longest tasks, one behind the other
 *	on the fastest of the m slots, for each k: of so many tasks some slot
 *	gets k + 1 (Graham, "Bounds on Multiprocessing Timing Anomalies",
 *	SIAM J. Appl. Math. 17(2), 1969)
 *
 *	a release and behind it all work that is not released before; or the
 *	longest such task
 *
 * and where the policy takes room, of each resource all that is taken of it,
 * by all that there is in a second.  -1: EX_OSERR.
 */
int plan_bound(const struct plan *plan, const struct plan_classes *classes,
    double *seconds, struct svc_error *error);

#endif
