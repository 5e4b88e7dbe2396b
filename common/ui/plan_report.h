/*
 * A plan's measures as text: the summary of --plan, the table of --compare.
 *
 *	plan: 1000 tasks on 12 instances (48 slots), least-loaded, lpt
 *	makespan 123.4s, at best 120.1s, ratio 1.027
 *	3 deadlines missed, 2 not placed
 *	INSTANCE     SLOTS  TASKS    BUSY  UTILIZATION
 *	render/web1      4     80  490.1s        99.3%
 *	...
 *	GROUP  TASKS  MEAN WAIT    P50     P99     MAX
 *	alice    600      52.1s  50.0s  110.2s  117.0s
 *	...
 *	(all)    995      58.0s  57.2s  114.9s  119.3s
 *
 * All times are in seconds, with as many decimals as give the makespan four
 * digits.
 */
#ifndef SVCKIT_UI_PLAN_REPORT_H
#define SVCKIT_UI_PLAN_REPORT_H

#include <stddef.h>

#include "line/buffer.h"
#include "sched/comparison.h"
#include "sched/plan.h"
#include "sched/plan_measure.h"

/*
 * Appends the summary, lines with LF: what was planned under which policy and
 * order; makespan, lower bound and their ratio; missed deadlines, if any; the
 * utilization of each instance; the wait of each group and of all.
 */
void plan_report_summary(const struct plan *plan,
    const struct plan_measure *measure, const char *policy, const char *order,
    struct buffer *out);

/*
 * Appends the table: a row a policy, in the order given: tasks that were
 * placed, that missed their deadlines, that were not placed for another reason;
 * makespan, over the bound, imbalance, p50 and p99 of the wait.
 */
void plan_report_compare(
    const struct comparison_row *rows, size_t count, struct buffer *out);

/*
 * The same as one JSON object a line: {"policy":"p2c","placed":995,"missed":3,
 * "unplaced":2,"makespan":123.4,"bound":120.1,"ratio":1.027,"imbalance":1.05,
 * "wait_mean":58,"wait_p50":57.2,"wait_p99":114.9,"wait_max":119.3}, times in
 * seconds.
 */
void plan_report_compare_json(
    const struct comparison_row *rows, size_t count, struct buffer *out);

#endif
