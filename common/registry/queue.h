/*
 * The durable queue: tasks in a registry's store, from when they are submitted
 * until somebody purges them.  svc-spool(5) describes the files.
 *
 *	tasks/ids/ID                  the line as it was submitted
 *	tasks/new/ID.N                it waits; N: claims so far
 *	tasks/held/ID.N               it waits, and is not to be claimed
 *	tasks/running/ID.N@CLAIMANT   claimed
 *	tasks/done/ID  failed/ID      the finished line
 *	tasks/corrupt/                what was no task line
 *	tasks/claimants/CLAIMANT      one a task-run
 *
 * A task is in one place at any time, and every step is one atomic move, which
 * fails when the task is not where it was thought to be: so any number of
 * processes work on one queue without a leader.  Schedulers move
 *
 *	new/ID.N -> running/ID.N@C -> done/ID or failed/ID
 *	                           -> new/ID.N+1, when C is gone
 *	                           -> new/ID.N, when C gives it back
 *
 * and everybody else (hold, release, cancel, retry, purge, and a submitter that
 * finds the id) does what he does under store_guard() of ids/ID, one at a time.
 * The lease belongs to the claimant, never to the task.
 *
 * At least once: what a claimant was doing when it died is done again.
 *
 * Modules: queue (names), queue_submit, queue_look (where a task is, and what
 * is in the queue), queue_change (hold, cancel, ...), claimant (who is alive),
 * claim (taking, completing, recovering).  All work on struct store, so the
 * queue lies wherever the registry does.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_H
#define SVCKIT_REGISTRY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/units.h"
#include "store/store.h"

#define QUEUE_CLAIMS_MAX 3 /* lost ones; then it has failed */
/* "tasks/running/ID.N@CLAIMANT" */
#define QUEUE_KEY_MAX (2 * NAME_MAX_LENGTH + 32)

enum queue_state {
	QUEUE_ABSENT, /* it is nowhere */
	QUEUE_WAITING,
	QUEUE_HELD,
	QUEUE_RUNNING,
	QUEUE_DONE,
	QUEUE_FAILED,
	QUEUE_STATE_COUNT
};
#define QUEUE_STATE_BIT(state) (1U << (state))
#define QUEUE_STATES_OPEN                                               \
	(QUEUE_STATE_BIT(QUEUE_WAITING) | QUEUE_STATE_BIT(QUEUE_HELD) | \
	    QUEUE_STATE_BIT(QUEUE_RUNNING))
#define QUEUE_STATES_ENDED \
	(QUEUE_STATE_BIT(QUEUE_DONE) | QUEUE_STATE_BIT(QUEUE_FAILED))

/* "waiting", "held", "running", "done", "failed"; "absent". */
const char *queue_state_name(enum queue_state state);
/* The state of that name; QUEUE_ABSENT: none has it. */
enum queue_state queue_state_find(const char *name);
/* "tasks/new" and so on. */
const char *queue_directory(enum queue_state state);

/* Where a task is. */
struct queue_place {
	enum queue_state state;
	char id[NAME_MAX_LENGTH + 1];
	unsigned claims; /* before this one; 0 of an ended one */
	char claimant[NAME_MAX_LENGTH + 1]; /* of QUEUE_RUNNING; else "" */
};

/* The key of a place that is not QUEUE_ABSENT. */
void queue_key(const struct queue_place *place, char key[QUEUE_KEY_MAX]);

/* "tasks/ids/ID". */
void queue_id_key(const char *id, char key[QUEUE_KEY_MAX]);

/*
 * Reads a key of one of the directories of a state.  false: it is none, or its
 * name is not one that svckit makes (nor one with more than QUEUE_CLAIMS_MAX
 * claims).  An id may have dots, also followed by digits: the last one counts.
 */
bool queue_place_read(struct queue_place *place, const char *key);

/*
 * Makes all of its directories, where they are missing: 0700, and of the owner
 * of the registry also when root makes them, since a queue is one trust domain.
 * What exists is left as it is.
 */
int queue_create(struct store *store, struct svc_error *error);

#endif
