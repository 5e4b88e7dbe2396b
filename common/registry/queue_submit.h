/*
 * Putting tasks into the queue, durably, many with few syncs.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_SUBMIT_H
#define SVCKIT_REGISTRY_QUEUE_SUBMIT_H

#include "registry/queue.h"

enum queue_answer {
	QUEUE_ACCEPTED, /* it is in the queue, on disk */
	QUEUE_KNOWN, /* the id is there, with the same line: place says where */
	/* The id is there, with another line.  One that is nowhere keeps it,
	 * until it is purged. */
	QUEUE_TAKEN,
	/* error says why.  It is not in the queue; but where a sync failed
	 * nobody knows whether it will have been after a power cut. */
	QUEUE_REFUSED
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
 * Submits all items, in their order (the earlier of two with one id counts),
 * into a queue that queue_create() has made.  -1 when any was refused: error is
 * that of the first.
 *
 * Who dies while he submits has told nobody that it is in the queue, and leaves
 * the id alone (an orphan) or the whole task.  What is QUEUE_KNOWN but nowhere
 * is queued here, and QUEUE_ACCEPTED; a task that waits or is held without an
 * id (a power cut can do that where directories are not written in order) gets
 * it back; one that has ended without an id has to be purged before its id is
 * used again (QUEUE_REFUSED, EX_DATAERR); and what is QUEUE_KNOWN is on disk
 * when this returns, though who submitted it may not have lived to see to that.
 */
int queue_submit(struct store *store, struct queue_item *items, size_t count,
    struct svc_error *error);

#endif
