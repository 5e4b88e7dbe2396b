/*
 * The order in which the tasks of a batch are placed: by priority, greater ones
 * first, and then
 *
 *	fifo  as they came
 *	edf   the earliest deadline first, those without one last: Jackson,
 *	      "Scheduling a Production Line to Minimize Maximum Tardiness",
 *	      UCLA Research Report 43, 1955
 *	lpt   the longest duration first: Graham, "Bounds on Multiprocessing
 *	      Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969
 *	fair  the group that has got the least (fair.h)
 *
 * Equal ones stay as they came.
 */
#ifndef SVCKIT_SCHED_TASK_ORDER_H
#define SVCKIT_SCHED_TASK_ORDER_H

#include "line/error.h"
#include "sched/batch.h"
#include "sched/fair.h"
#include "sched/pool.h"

enum task_order { ORDER_FIFO, ORDER_EDF, ORDER_LPT, ORDER_FAIR, ORDER_COUNT };

/* "fifo"; and the other way round: -1: no such order. */
const char *task_order_name(enum task_order order);
int task_order_find(const char *name);

/*
 * Sorts the batch in O(n log n) (fair: O(n log groups) and the demands).
 * shares (count of them) are the weights of groups, for fair; one of a group
 * without tasks changes nothing.  pool says what there is of each capacity.
 * EX_OSERR.
 */
int task_order_sort(struct batch *batch, enum task_order order,
    struct pool *pool, const struct fair_share *shares, size_t count,
    struct svc_error *error);

#endif
