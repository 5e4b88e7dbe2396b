/*
 * Tasks that could run, and wait for their turn: by lanes, in which all go to
 * the same service, require the same and came with the same instance, so that
 * one for which there is room now never stands behind one for which there is
 * none.
 *
 * In a lane they are in order: greater priority first, then as order says
 * (sched/task_order.h), then as they came.  Tasks with a not_before sleep
 * outside until then.
 *
 * ORDER_FAIR: among the groups whose first task in a lane has the greatest
 * priority, whose dominant share is least comes first: the largest of its parts
 * of what all tasks taken so far, of whatever lane, have taken of a resource
 * ("requires" times "duration"; one slot for a second where nothing is said),
 * divided by the group's weight.  A task-schedule knows what instances have,
 * and takes the parts of that: ready_shares.h says what the difference is.
 *
 * To push and to pop is O(1) for tasks that come in their order, else O(log
 * tasks), and for ORDER_FAIR O(log groups) more.  A task takes 32 bytes while
 * it waits and 48 while it sleeps; a lane some 300 and what it requires.
 */
#ifndef SVCKIT_FLOW_READY_QUEUE_H
#define SVCKIT_FLOW_READY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/task.h"
#include "sched/group_shares.h"
#include "sched/task_order.h"

#define READY_NONE UINT32_MAX

struct ready_queue;

/* shares (borrowed) are those of ORDER_FAIR; may be NULL.  EX_OSERR. */
int ready_queue_open(struct ready_queue **queue, enum task_order order,
    const struct group_shares *shares, struct svc_error *error);
void ready_queue_close(struct ready_queue *queue);

/* What the queue keeps of a task from when its line is read: 32 bytes. */
struct ready_key {
	uint32_t lane;
	uint32_t group; /* of ORDER_FAIR */
	double priority;
	double rank; /* less comes first; of ORDER_FAIR: its seconds */
	int64_t not_before; /* ms since 1970; 0: none */
};

/*
 * The key of a READY envelope for service ("" where it names none and none is
 * needed); planned as its line says, or NULL.  -1: EX_OSERR; EX_DATAERR,
 * "requires" cannot be read.
 */
int ready_queue_key(struct ready_queue *queue, const struct envelope *envelope,
    const char *service, const struct task_instance *planned,
    struct ready_key *key, struct svc_error *error);

/* The service of a lane. */
const char *ready_queue_service(const struct ready_queue *queue, uint32_t lane);
/* Lanes so far: they are numbered from 0, and kept. */
size_t ready_queue_lanes(const struct ready_queue *queue);

/*
 * task can run; sequence: where it came in the input.  now: ms since 1970.  One
 * with a not_before sleeps, until ready_queue_wake() is called then or, where
 * that has passed, the next time.  -1: EX_OSERR.
 */
int ready_queue_push(struct ready_queue *queue, uint32_t task,
    uint64_t sequence, const struct ready_key *key, int64_t now,
    struct svc_error *error);

/* Takes the first one of a lane; READY_NONE: it is empty. */
uint32_t ready_queue_pop(struct ready_queue *queue, uint32_t lane);

/* How many wait in a lane; in all lanes; and sleep. */
size_t ready_queue_waiting(const struct ready_queue *queue, uint32_t lane);
size_t ready_queue_count(const struct ready_queue *queue);
size_t ready_queue_asleep(const struct ready_queue *queue);

/*
 * Wakes those whose time has come: woken() is called for the lane of each, and
 * may take from it.  Returns when the next one is to be woken, 0: nobody
 * sleeps.  One for whom there is no memory sleeps a little longer.
 */
int64_t ready_queue_wake(struct ready_queue *queue, int64_t now,
    void (*woken)(void *argument, uint32_t lane), void *argument);

/*
 * Takes any one out, asleep or not, which does not count as taken by its group;
 * READY_NONE: there is none.
 */
uint32_t ready_queue_drain(struct ready_queue *queue);

#endif
