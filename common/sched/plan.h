/*
 * A plan: what would happen to a batch of tasks, in time.  A list-scheduling
 * simulation.
 *
 * Time counts in seconds from the start of the plan.  An instance has slots
 * (1 where it names none), each of which does one task at a time, in
 * duration / speed seconds.  A task that says no duration takes
 * TASK_DURATION_DEFAULT.
 *
 * A task may start from its not_before on (its release).  Then, in the order of
 * the batch among those released at one time, it is given to an instance as
 * task-schedule gives it and svc-call keeps it: the policy chooses at once, and
 * the task stands in line there until a slot is free.  Policies that look at
 * load see as a member's own load the time at which one of its slots becomes
 * free, 0 while one is: least-loaded so is list scheduling as Graham describes
 * it.  Under a
 * policy that takes room (constrained) a task is given to an instance that has
 * a free slot (as many as its requires names) and room now, and takes both
 * until it ends; what has no room waits, and smaller ones behind it may go
 * first.
 *
 * A task that cannot end before its deadline is not started: it fails with
 * CODE_DEADLINE, is a miss, and takes no time.  One that would end after
 * PLAN_SECONDS_MAX (plan_task.h) fails as CODE_UNPLACEABLE.
 */
#ifndef SVCKIT_SCHED_PLAN_H
#define SVCKIT_SCHED_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task_failure.h"
#include "sched/batch.h"
#include "sched/chooser.h"

#define PLAN_NOT_PLACED UINT32_MAX

/* What became of one task; by index of batch_tasks(). */
struct plan_placement {
	double release; /* seconds */
	double start; /* as end the release, of what is not placed */
	double end;
	uint32_t member; /* of the pool; or PLAN_NOT_PLACED */
	uint32_t slot; /* of the member, from 0; of several that it takes, the
			  one in which no other task is */
	uint32_t missed; /* it was not started because of its deadline */
};

struct plan {
	struct chooser
	    *chooser; /* borrowed; own of its policy's options must be
				    plan->free_at */
	struct batch *batch; /* borrowed, sorted */
	int64_t start; /* ms since 1970 */
	double *free_at; /* of each member, when a slot becomes free; 0 while
			    one is; owned */
	struct plan_placement *placements; /* owned; a task of the batch each */
	/*
	 * Told of each task when it is decided, in that order; failure is NULL
	 * where it is placed, why the object of --explain or empty.  -1 ends
	 * the run.  May be NULL.
	 */
	int (*decided)(void *argument, size_t task,
	    const struct plan_placement *placement,
	    const struct task_failure *failure, const struct buffer *why,
	    struct svc_error *error);
	void *argument;
};

/*
 * Allocates free_at, for policy_open(), before chooser is set.  EX_OSERR.
 */
int plan_open(struct plan *plan, struct pool *pool, struct batch *batch,
    int64_t start, struct svc_error *error);
void plan_close(struct plan *plan);

/*
 * Simulates: every task is decided, once.  -1: EX_OSERR, or decided's.  To be
 * run once.
 */
int plan_run(struct plan *plan, struct svc_error *error);

/* The whole slots that a capacity makes, or that a task takes: at least 1. */
uint32_t plan_slots(double slots);

#endif
