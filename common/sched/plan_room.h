/*
 * Plans under policies that take room (policy.h): a task starts when and where
 * there is a slot and room for it, and what has none waits.
 */
#ifndef SVCKIT_SCHED_PLAN_ROOM_H
#define SVCKIT_SCHED_PLAN_ROOM_H

#include "line/error.h"
#include "sched/plan.h"

/*
 * plan_run() for those.  At each release and each end the tasks that wait are
 * tried in the order of the batch, of each class (plan_class.h) only the first,
 * and of the instances only those that have become free since it was last
 * tried: others cannot have got room for it.
 */
int plan_room_run(struct plan *plan, struct svc_error *error);

#endif
