/*
 * The events that wait for a handler's next run, each instance's newest only:
 * handler_add() (process/handler.h) says what replaces what.
 */
#ifndef SVCKIT_PROCESS_HANDLER_QUEUE_H
#define SVCKIT_PROCESS_HANDLER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "process/handler.h"

enum { WAITING_KIND, WAITING_SERVICE, WAITING_ID, WAITING_NAMES };

struct handler_waiting {
	TAILQ_ENTRY(handler_waiting) link;
	const char *names[WAITING_NAMES]; /* "": it has none */
	const char *line; /* its LF included */
	size_t length;
	bool more; /* the next one continues it */
	bool part; /* it continues the one before */
};

/* In the order in which they are handed over. */
TAILQ_HEAD(handler_batch, handler_waiting);

struct handler_queue {
	struct handler_batch waiting;
	void *tree; /* tsearch(3): all but those that are parts */
};

void handler_queue_init(struct handler_queue *queue);

/* Forgets all that waits; the queue is empty and usable. */
void handler_queue_release(struct handler_queue *queue);

/* -1 without memory: the event is lost, and nothing else. */
int handler_queue_add(
    struct handler_queue *queue, const struct handler_event *event);

bool handler_queue_empty(const struct handler_queue *queue);

/* Whether the last one is still to be continued. */
bool handler_queue_open(const struct handler_queue *queue);

/*
 * Moves what the next run gets to the end of batch (initialised by the caller):
 * everything, or the first event with all its parts.
 */
void handler_queue_take(
    struct handler_queue *queue, bool all, struct handler_batch *batch);

void handler_batch_release(struct handler_batch *batch);

#endif
