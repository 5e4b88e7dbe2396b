/*
 * The tasks of a plan that wait for room.
 *
 * Tasks of one class need the same room, so of each class only the first stands
 * in the queue (plan_queue.h) for all, once it is known that what is free has
 * no room for it.  One that has too little time left for an instance that
 * others of its class may still use stands there alone.
 */
#ifndef SVCKIT_SCHED_PLAN_WAITING_H
#define SVCKIT_SCHED_PLAN_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/min_heap.h"
#include "sched/plan_class.h"
#include "sched/plan_queue.h"

/* Of the capacities that are asked for so many are looked at to find a task. */
#define PLAN_CAPACITIES_MAX 6

/* The kinds of needs: a capacity is PLAN_CAPACITY + its name's number. */
enum plan_kind { PLAN_SLOTS, PLAN_SPEED, PLAN_CAPACITY };
#define PLAN_KINDS_MAX (PLAN_CAPACITY + PLAN_CAPACITIES_MAX)

struct plan_waiting {
	const struct plan_classes *classes; /* borrowed */
	struct plan_queue queue;
	size_t capacities; /* that are looked at */
	struct plan_line *lines; /* of each class; owned */
	unsigned char *states; /* of each task; owned */
	uint32_t *aside; /* tasks; owned */
	size_t aside_count;
	size_t aside_capacity;
};

/* tasks: of the batch.  -1: no memory. */
int plan_waiting_open(struct plan_waiting *waiting,
    const struct plan_classes *classes, size_t tasks);
void plan_waiting_close(struct plan_waiting *waiting);

/* The task waits from here on.  -1: no memory. */
int plan_waiting_add(struct plan_waiting *waiting, uint32_t task);
/* It waits no longer. */
void plan_waiting_remove(struct plan_waiting *waiting, uint32_t task);
bool plan_waiting_has(const struct plan_waiting *waiting, uint32_t task);

/* The first of a class that does not stand in the queue alone; false: none. */
bool plan_waiting_first(
    struct plan_waiting *waiting, uint32_t class, uint32_t *task);

/*
 * Whether the first of the class stands in the queue for all: until it is taken
 * out, or has none any more.
 */
void plan_waiting_queue(struct plan_waiting *waiting, uint32_t class);
void plan_waiting_unqueue(struct plan_waiting *waiting, uint32_t class);
bool plan_waiting_queued(const struct plan_waiting *waiting, uint32_t class);

/*
 * The task stands in the queue alone, because it needs such a speed (or more,
 * later on).
 */
void plan_waiting_single(
    struct plan_waiting *waiting, uint32_t task, double speed);

/*
 * The task does not wait until plan_waiting_come_forward(), so that the next of
 * its class can be tried at the same time.  -1: no memory.
 */
int plan_waiting_set_aside(struct plan_waiting *waiting, uint32_t task);
int plan_waiting_come_forward(struct plan_waiting *waiting);

#endif
