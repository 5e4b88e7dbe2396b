/*
 * Inside svc-call: its lines between input and output.
 *
 * An item is taken for a line that was read, in the order of the input; it is
 * ended when its text is complete; it comes out in the order of the ends, or,
 * when that is asked for, of the input.  The queue knows how many bytes all of
 * them hold.
 */
#ifndef SVCKIT_NET_CALL_QUEUE_H
#define SVCKIT_NET_CALL_QUEUE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/call_item.h"

TAILQ_HEAD(call_items, call_item);

struct call_queue {
	struct call_items spare;
	struct call_items active; /* in the order of input */
	struct call_items ended; /* without keep_order, in that of the ends */
	bool keep_order;
	size_t busy; /* items that are not spare */
	size_t held; /* bytes of their lines and texts */
};

void call_queue_init(struct call_queue *queue, bool keep_order);
void call_queue_release(struct call_queue *queue);

/* One for the next line; NULL: no memory. */
struct call_item *call_queue_take(struct call_queue *queue);

/* Its line has been read: item->size bytes are held. */
void call_queue_hold(struct call_queue *queue, const struct call_item *item);

/* Its text is complete: from here on only that is held. */
void call_queue_end(struct call_queue *queue, struct call_item *item);

/* The one that comes out next, if it has ended; NULL. */
struct call_item *call_queue_next(const struct call_queue *queue);

/* It has come out: it is spare again. */
void call_queue_drop(struct call_queue *queue, struct call_item *item);

#endif
