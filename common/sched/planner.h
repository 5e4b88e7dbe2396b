/*
 * All that planning a batch under one policy takes, opened and closed together:
 * the policy, its constraints, a chooser and the plan.
 *
 *	planner_open(&planner, pool, batch, &options, &error);
 *	planner.plan.decided = ...;
 *	plan_run(&planner.plan, &error);
 *	plan_measure(&measure, &planner.plan, &error);
 *	planner_close(&planner);
 */
#ifndef SVCKIT_SCHED_PLANNER_H
#define SVCKIT_SCHED_PLANNER_H

#include <stdint.h>

#include "line/error.h"
#include "sched/batch.h"
#include "sched/chooser.h"
#include "sched/constraints.h"
#include "sched/plan.h"
#include "sched/policy.h"
#include "sched/pool.h"

struct planner_options {
	const struct policy_type *type;
	struct policy_options
	    policy; /* own and now are set by planner_open() */
	const char *service; /* of lines that name none; or NULL */
	const char *empty; /* why the pool is empty; or NULL */
	enum chooser_explain explain;
	int64_t start; /* of the plan, ms since 1970 */
};

struct planner {
	struct policy policy;
	struct constraints *constraints;
	struct chooser chooser;
	struct plan plan;
};

/*
 * pool, batch (sorted), and what options points to are borrowed.  -1: EX_OSERR;
 * EX_DATAERR as policy_open() says.
 */
int planner_open(struct planner *planner, struct pool *pool,
    struct batch *batch, const struct planner_options *options,
    struct svc_error *error);
void planner_close(struct planner *planner);

#endif
