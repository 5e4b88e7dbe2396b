/*
 * What the book (queue_book.h) knows of a task, and the orders in which tasks
 * stand: in a row as they are to run, and sleeping, as they are to wake.
 *
 * They stand in balanced trees, from which any of them can be taken, and to
 * come and to go needs no memory: so neither fails.  Each is O(log tasks).
 */
#ifndef SVCKIT_FLOW_QUEUE_TASK_H
#define SVCKIT_FLOW_QUEUE_TASK_H

#include <bsd/sys/tree.h>
#include <stdint.h>

#include "flow/id_map.h"
#include "flow/queue_waits.h"
#include "flow/ready_queue.h"
#include "registry/queue.h"

enum queue_task_where {
	TASK_NOWHERE,
	TASK_BLOCKED, /* it waits for others */
	TASK_RULED_OUT, /* in the row of those */
	TASK_ASLEEP,
	TASK_READY /* in the row of its lane */
};

struct queue_task {
	struct id_node node;
	/* What a search looks at lies side by side. */
	struct ready_key key; /* not_before: when it rests, then, too */
	int64_t submitted; /* ms since 1970 */
	RB_ENTRY(queue_task) entry; /* of where it stands */
	struct queue_wait *wait; /* owned; NULL: it waits for nobody */
	unsigned claims;
	enum queue_task_where where;
	char id[];
};

/* The task of a place, nowhere yet, to be freed with free(3).  NULL: no memory.
 */
struct queue_task *queue_task_new(
    const struct queue_place *place, int64_t submitted);

/* All zero is an empty one, and it may be moved. */
RB_HEAD(queue_row, queue_task);
RB_HEAD(queue_sleepers, queue_task);

/*
 * Greater priority comes first, then less rank, then what was submitted
 * earlier, then ids in natural order.
 */
void queue_row_insert(struct queue_row *row, struct queue_task *task);
void queue_row_remove(struct queue_row *row, struct queue_task *task);
/* NULL: it is empty; it was the last one. */
struct queue_task *queue_row_first(struct queue_row *row);
struct queue_task *queue_row_next(struct queue_task *task);

/* The earlier key.not_before comes first. */
void queue_sleepers_insert(
    struct queue_sleepers *sleepers, struct queue_task *task);
void queue_sleepers_remove(
    struct queue_sleepers *sleepers, struct queue_task *task);
struct queue_task *queue_sleepers_first(struct queue_sleepers *sleepers);

#endif
