#include "sched/planner.h"

#include <string.h>

int
planner_open(struct planner *planner, struct pool *pool, struct batch *batch,
    const struct planner_options *options, struct svc_error *error)
{
	struct policy_options policy = options->policy;

	memset(planner, 0, sizeof(*planner));
	if (plan_open(&planner->plan, pool, batch, options->start, error) == -1)
		return -1;
	policy.own = planner->plan.free_at;
	policy.now = options->start;
	if (policy_open(
		&planner->policy, options->type, pool, &policy, error) == -1 ||
	    constraints_open(&planner->constraints, pool, error) == -1) {
		planner_close(planner);
		return -1;
	}
	planner->chooser = (struct chooser){.pool = pool,
	    .policy = &planner->policy,
	    .constraints = planner->constraints,
	    .service = options->service,
	    .empty = options->empty,
	    .explain = options->explain};
	planner->plan.chooser = &planner->chooser;
	return 0;
}

void
planner_close(struct planner *planner)
{
	constraints_close(planner->constraints);
	policy_close(&planner->policy);
	plan_close(&planner->plan);
	memset(planner, 0, sizeof(*planner));
}
