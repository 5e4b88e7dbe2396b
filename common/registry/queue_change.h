/*
 * What people do to tasks in the queue.  Each locks the id, looks where the
 * task is, and moves it, or says why not.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_CHANGE_H
#define SVCKIT_REGISTRY_QUEUE_CHANGE_H

#include "registry/queue.h"

/*
 * Who dies within one leaves what the same command repairs:
 *
 *	cancel	the finished line where the task was: a scheduler that comes
 *		by (not to what is held) moves it to failed, and so does the
 *		next cancel
 *	retry	the line as submitted, still in failed: to be retried again
 *	hold, release	nothing: the one move was made, or was not
 *	purge	the id alone: to be purged again, or, when the same line is
 *		submitted again, queued
 */
enum queue_change {
	/*
	 * waiting, held, running -> failed, with error.code "cancelled".  Of a
	 * running one the claimant finds out, stops, and can complete nothing.
	 * A line that was finished already goes where it belongs as it is; what
	 * is no line of that task becomes one with error.code "invalid".
	 */
	QUEUE_CANCEL,
	QUEUE_RETRY, /* failed -> waiting, as it was submitted, 0 claims */
	QUEUE_HOLD, /* waiting -> held */
	QUEUE_RELEASE, /* held -> waiting */
	/* done, failed -> gone, and then the id; an id that is nowhere, too */
	QUEUE_PURGE
};

/* "cancel", ... */
const char *queue_change_name(enum queue_change change);

/*
 * Changes the task: 1, and *place is where it was; 0: it is not in a state in
 * which that can be done (*place says which; QUEUE_ABSENT: there is none); -1.
 * A task that a scheduler moves meanwhile is looked for again, some hundred
 * times (EX_TEMPFAIL).  One that somebody has put into two places is changed
 * where queue_look() finds it, and, where the other is in the way, not at all
 * (EX_DATAERR).  dry: looks only, without the lock.  Durable when it returns;
 * QUEUE_PURGE after store_sync() of tasks/done, tasks/failed and tasks/ids,
 * since one would not want to wait for each.
 */
int queue_change(struct store *store, const char *id, enum queue_change change,
    bool dry, struct queue_place *place, struct svc_error *error);

#endif
