/*
 * The tasks of the queue that are claimed here, by id: what a source
 * (queue_source.h) knows of each from when it takes it until it is completed,
 * given back, or lost.
 */
#ifndef SVCKIT_FLOW_QUEUE_CLAIMS_H
#define SVCKIT_FLOW_QUEUE_CLAIMS_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/queue_finish.h"
#include "registry/queue.h"

#define QUEUE_LANE_NONE UINT32_MAX

struct queue_claim {
	struct queue_place place; /* where claim_take() has left it */
	uint32_t lane; /* of the book; QUEUE_LANE_NONE: of one that is gone */
	uint32_t service; /* of queue_lanes */
	bool begun;
	bool ending; /* it has ended, and is completed or given back */
	bool lost; /* it is another's, or was cancelled */
	/* One of the same id waits, and was not taken since this one is here:
	 * QUEUE_ABSENT, none does. */
	struct queue_place again;
	struct queue_job job; /* of ending */
	TAILQ_ENTRY(queue_claim) link;
};
TAILQ_HEAD(queue_claim_list, queue_claim);

struct queue_claims {
	void *by_id;
	struct queue_claim_list all; /* the oldest first */
	size_t count;
	size_t active; /* of those: not ending */
};

void queue_claims_init(struct queue_claims *claims);
/* Forgets all; what ends must have come back from queue_finish. */
void queue_claims_release(struct queue_claims *claims);

/* An active one at place, of no lane; its id must not be there.  NULL: no
 * memory. */
struct queue_claim *queue_claims_add(
    struct queue_claims *claims, const struct queue_place *place);

/* NULL: there is none. */
struct queue_claim *queue_claims_find(
    const struct queue_claims *claims, const char *id);

/* It has ended: job is filled in by the caller. */
void queue_claims_end(struct queue_claims *claims, struct queue_claim *claim);

/* Frees it. */
void queue_claims_drop(struct queue_claims *claims, struct queue_claim *claim);

#endif
