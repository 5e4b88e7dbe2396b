#include "sched/comparison.h"

#include <string.h>

static int
plan_under(const char *policy, struct pool *pool, struct batch *batch,
    const struct planner_options *common, struct plan_measure *measure,
    struct svc_error *error)
{
	struct planner_options options = *common;
	struct planner planner;
	int result;

	if (policy_parse(policy, &options.type, &options.policy, error) == -1 ||
	    planner_open(&planner, pool, batch, &options, error) == -1)
		return -1;
	result = plan_run(&planner.plan, error);
	if (result == 0)
		result = plan_measure(measure, &planner.plan, error);
	planner_close(&planner);
	return result;
}

int
comparison_run(struct comparison *comparison, const struct policy_list *list,
    struct pool *pool, struct batch *batch,
    const struct planner_options *options, struct svc_error *error)
{
	struct comparison_row *row;
	size_t i;

	memset(comparison, 0, sizeof(*comparison));
	for (i = 0; i < list->count; i++) {
		row = &comparison->rows[i];
		row->policy = list->items[i].text;
		if (plan_under(row->policy, pool, batch, options, &row->measure,
			error) == -1) {
			comparison_release(comparison);
			return -1;
		}
		comparison->count++;
	}
	return 0;
}

void
comparison_release(struct comparison *comparison)
{
	while (comparison->count > 0)
		plan_measure_release(
		    &comparison->rows[--comparison->count].measure);
}
