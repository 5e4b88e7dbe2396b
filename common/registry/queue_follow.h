/*
 * Following the queue: which tasks have changed since they were told.
 *
 *	queue_follow_open(&follow, registry, &options, &error);
 *	... list, and queue_follow_note() each record ...
 *	while (poll(queue_follow_descriptor(follow), ...) == 1)
 *		queue_follow_read(follow, &error);
 *
 * A change is told as it is found, so of a task that is quick only the last of
 * its states may be seen; the last one always is.  Memory: 32 bytes a task.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_FOLLOW_H
#define SVCKIT_REGISTRY_QUEUE_FOLLOW_H

#include <stdbool.h>

#include "registry/queue_record.h"
#include "registry/registry.h"

struct queue_follow;

struct queue_follow_options {
	/* Whether a task at this place is to be told; asked before its line is
	 * read. */
	bool (*wants)(void *argument, const struct queue_place *place);
	/* record is as nobody was told before; it is valid during the call. */
	int (*changed)(void *argument, const struct queue_record *record,
	    struct svc_error *error);
	/* It had ended, and is there no more: purged, unless retried. */
	int (*gone)(void *argument, const char *id, struct svc_error *error);
	void *argument; /* of all of them */
};

/* Follows from here on.  The registry and what options point to outlive it. */
int queue_follow_open(struct queue_follow **follow, struct registry *registry,
    const struct queue_follow_options *options, struct svc_error *error);
void queue_follow_close(struct queue_follow *follow);

/* record has been told: EX_OSERR. */
int queue_follow_note(struct queue_follow *follow,
    const struct queue_record *record, struct svc_error *error);

/* Readable when queue_follow_read() has something to tell. */
int queue_follow_descriptor(const struct queue_follow *follow);

/* Tells what has changed, without blocking.  -1: also when a call was. */
int queue_follow_read(struct queue_follow *follow, struct svc_error *error);

#endif
