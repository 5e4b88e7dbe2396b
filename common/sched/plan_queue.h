/*
 * Tasks in the order of a batch, found by what they need: the first one after
 * another that needs at most so much of each of several kinds.
 *
 * It is a tree over the tasks; a node has the least need of each kind among
 * those below it, so that whole parts of the batch are passed over at once.
 */
#ifndef SVCKIT_SCHED_PLAN_QUEUE_H
#define SVCKIT_SCHED_PLAN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_queue {
	double *least; /* kinds of each node, the root is 1; owned */
	size_t kinds;
	size_t leaves; /* a power of 2 */
};

/* Without tasks yet; count is that of the batch.  -1: no memory. */
int plan_queue_open(struct plan_queue *queue, size_t count, size_t kinds);
void plan_queue_close(struct plan_queue *queue);

/* A task comes in, or needs something else from here on. */
void plan_queue_put(
    struct plan_queue *queue, uint32_t task, const double *needs);
/* It goes, if it is there. */
void plan_queue_drop(struct plan_queue *queue, uint32_t task);

/* The first from task *task on whose needs are all at most those. */
bool plan_queue_next(
    const struct plan_queue *queue, const double *most, uint32_t *task);

#endif
