/*
 * Putting tasks into the queue, durably, many with few syncs.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_SUBMIT_H
#define SVCKIT_REGISTRY_QUEUE_SUBMIT_H

#include "registry/queue.h"

enum queue_answer {
	QUEUE_ACCEPTED, /* it is in the queue, on disk */
	QUEUE_KNOWN, /* the id is there, with the same line: place says where */
	QUEUE_TAKEN, /* the id is there, with another line */
	QUEUE_REFUSED /* error says why; it is not in the queue */
};

struct queue_item {
	const char *id; /* a name */
	const char *line; /* the envelope with that id, LF included */
	size_t length;
	bool hold; /* into held */
	enum queue_answer answer; /* out */
	struct queue_place place; /* out */
	struct svc_error error; /* out */
};

/*
 * Submits all items, in their order (the earlier of two with one id counts).
 * What is QUEUE_KNOWN but nowhere, because its submitter died before it was
 * queued, is queued here, and QUEUE_ACCEPTED.  -1 when any was refused: error
 * is that of the first.
 */
int queue_submit(struct store *store, struct queue_item *items, size_t count,
    struct svc_error *error);

#endif
