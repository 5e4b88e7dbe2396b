/*
 * One batch planned under several policies, each as if it were the only one:
 * what each plan is worth.
 *
 *	policy_list_parse(&list, "random,p2c", &error);
 *	task_order_sort(batch, ...);
 *	comparison_run(&comparison, &list, pool, batch, &options, &error);
 *	... comparison.rows[i].measure ...
 *	comparison_release(&comparison);
 *	policy_list_release(&list);
 */
#ifndef SVCKIT_SCHED_COMPARISON_H
#define SVCKIT_SCHED_COMPARISON_H

#include <stddef.h>

#include "line/error.h"
#include "sched/batch.h"
#include "sched/plan_measure.h"
#include "sched/planner.h"
#include "sched/policy_list.h"
#include "sched/pool.h"

struct comparison_row {
	const char *policy; /* "weighted=headroom"; borrowed */
	struct plan_measure measure;
};

struct comparison {
	struct comparison_row rows[POLICY_LIST_MAX]; /* in the list's order */
	size_t count;
};

/*
 * list, pool, batch (sorted), and what options points to are borrowed, list
 * until comparison_release().  The type in options is not looked at; the
 * policy's options hold for all, where the list does not say otherwise: the
 * seed, for instance, so that the rows are of the same draws.  -1: as
 * planner_open(), and there is nothing to release.
 */
int comparison_run(struct comparison *comparison,
    const struct policy_list *list, struct pool *pool, struct batch *batch,
    const struct planner_options *options, struct svc_error *error);
void comparison_release(struct comparison *comparison);

#endif
