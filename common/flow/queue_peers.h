/*
 * Those who execute the queue, as one of them: its own claimant, which beats
 * where it must, and the others, whose tasks are put back when they are dead.
 */
#ifndef SVCKIT_FLOW_QUEUE_PEERS_H
#define SVCKIT_FLOW_QUEUE_PEERS_H

#include <stddef.h>

#include "registry/claimant.h"

struct event_base;
struct queue_peers;

struct queue_peers_options {
	struct claimant_options claimant;
	/* What we had claimed may be another's; we have a new name. */
	void (*superseded)(void *argument);
	/* So many tasks of the dead were put back. */
	/* failed: of those, for the last time */
	void (*recovered)(void *argument, size_t count, size_t failed);
	void (*warn)(void *argument, const char *message);
	void *argument; /* of all of them */
};

/* store must outlive it.  Makes the claimant, and looks after the dead. */
int queue_peers_open(struct queue_peers **peers, struct event_base *base,
    struct store *store, const struct queue_peers_options *options,
    struct svc_error *error);
/* Removes the claimant: what it had claimed must have gone. */
void queue_peers_close(struct queue_peers *peers);

/* Something has changed under tasks/claimants. */
void queue_peers_look(struct queue_peers *peers);

const char *queue_peers_name(const struct queue_peers *peers); /* our own */
size_t queue_peers_count(const struct queue_peers *peers); /* with us */
/* claimant_descriptor() */
int queue_peers_descriptor(const struct queue_peers *peers);

#endif
