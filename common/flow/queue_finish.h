/*
 * What has ended is completed, and what has not begun is given back, by a
 * thread of its own with a store of its own, so that nobody waits for the disk.
 *
 * It takes all that is there at a time, so that those share their syncs: when
 * the disk is slow, groups are large.  While the disk is full, or cannot be
 * written, nothing is lost: the lines stay in memory, and the thread tries
 * again every second.  A sync that has failed is final: the kernel may have
 * dropped what it could not write.
 */
#ifndef SVCKIT_FLOW_QUEUE_FINISH_H
#define SVCKIT_FLOW_QUEUE_FINISH_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "registry/queue.h"

/* So many lines, or bytes of them, may wait before queue_finish_full(). */
#define QUEUE_FINISH_LINES 4096
#define QUEUE_FINISH_BYTES (64UL * 1024 * 1024)

/* A claimed task that goes.  Whoever puts it keeps it until it comes back. */
struct queue_job {
	struct queue_place place; /* as claim_take() left it */
	char *line; /* finished, LF included, owned; NULL: it is given back */
	size_t length;
	bool failed; /* to failed, not to done */
	int moved; /* out: 1; 0: the claim was lost; -1: error says why */
	bool unsynced; /* out, of -1: a sync failed */
	struct svc_error error; /* out */
	void *argument; /* the caller's */
	STAILQ_ENTRY(queue_job) link;
};
STAILQ_HEAD(queue_jobs, queue_job);

/* Frees the line. */
void queue_job_release(struct queue_job *job);

enum queue_finish_state {
	QUEUE_FINISH_WELL,
	QUEUE_FINISH_STUCK, /* it is tried again: error says why */
	QUEUE_FINISH_BROKEN /* nothing is completed any more: error says why */
};

struct queue_finish;

/* place: of the registry.  Starts the thread. */
int queue_finish_open(
    struct queue_finish **finish, const char *place, struct svc_error *error);

/* Takes it until it comes back from queue_finish_take() or _close(). */
void queue_finish_put(struct queue_finish *finish, struct queue_job *job);

/* Whether so much waits that nothing more should be claimed. */
bool queue_finish_full(struct queue_finish *finish);

/* Readable when there is something to take; queue_finish_take() reads it. */
int queue_finish_descriptor(const struct queue_finish *finish);

/* Appends what has gone to jobs, and tells how things stand. */
enum queue_finish_state queue_finish_take(struct queue_finish *finish,
    struct queue_jobs *jobs, struct svc_error *error);

/*
 * Waits until all has been tried (what is stuck: once more), stops the thread,
 * frees finish, and appends what queue_finish_take() has not told to jobs.
 */
void queue_finish_close(struct queue_finish *finish, struct queue_jobs *jobs);

#endif
