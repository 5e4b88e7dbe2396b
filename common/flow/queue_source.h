/*
 * The queue as a source of tasks for a run: claims what the run can start, and
 * completes what has ended.
 *
 * It reads tasks/new once, and follows it (queue_book.h); claims (claim.h) at
 * most one task of a lane more than what has begun, and only where the run says
 * that there is room for its service; hands lines to the run as that asks for
 * them; completes what ends in a thread, in groups (queue_finish.h); looks
 * after its own claimant, and puts back what the dead had.  What was claimed
 * and never sent, because there was nobody, or the run stops, is given back.
 */
#ifndef SVCKIT_FLOW_QUEUE_SOURCE_H
#define SVCKIT_FLOW_QUEUE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/run.h"
#include "registry/claimant.h"

struct event_base;
struct queue_source;

struct queue_source_options {
	const char *place; /* of the registry; must exist */
	const char *service; /* of lines that name none; or NULL */
	struct claimant_options claimant;
	bool local; /* commands: services do not matter */
	bool until_empty;
	size_t claims_max; /* at once, those that are being completed, too */
	/* All but note and warn are needed; called from the event loop. */
	size_t (*vacant)(void *argument, const char *service);
	/* next() would have a line */
	void (*feed)(void *argument);
	/* the claim was lost or cancelled: stop the attempt; ended() comes */
	void (*revoke)(void *argument, const char *id);
	/* until_empty, and nothing is left that could be done */
	void (*empty)(void *argument);
	/* completing fails, and will: the run has to stop; error as
	 * claim_complete() has it */
	void (*broken)(void *argument, const struct svc_error *error);
	void (*note)(void *argument, const char *message); /* -v */
	void (*warn)(void *argument, const char *message);
	void *argument; /* of all of them */
};

/* Strings are borrowed.  Makes the queue's directories.  -1. */
int queue_source_open(struct queue_source **source, struct event_base *base,
    const struct queue_source_options *options, struct svc_error *error);

/* Nothing more is claimed; what was claimed and is not begun is given back as
 * it ends. */
void queue_source_stop(struct queue_source *source);

/* Something changed that vacant() depends on. */
void queue_source_wake(struct queue_source *source);

/*
 * Completes what has ended, waiting for the disk; gives back what was claimed;
 * removes the claimant.  -1: something could not be completed, and will be done
 * again by another.
 */
int queue_source_close(struct queue_source *source, struct svc_error *error);

/* What the run calls: the members of struct run_source; argument: source. */
int queue_source_next(void *source, struct line *line, struct svc_error *error);
void queue_source_begun(void *source, const char *id);
int queue_source_result(void *source, const char *id, struct task_result *found,
    struct svc_error *error);
void queue_source_ended(void *source, const struct run_ended *ended);

/* The descriptor that commands inherit; -1: none. */
int queue_source_descriptor(const struct queue_source *source);

struct queue_source_counts {
	size_t waiting; /* that could start */
	size_t blocked; /* wait for others */
	size_t asleep; /* wait for a time */
	size_t claimed; /* here */
	size_t claimants; /* alive, this one included */
	size_t done; /* by this one */
	size_t failed; /* the same */
	size_t given_back;
	size_t lost; /* claims of ours that another took over */
	size_t recovered; /* from the dead */
};
void queue_source_counts(
    const struct queue_source *source, struct queue_source_counts *counts);

#endif
