/*
 * What people do to tasks in the queue.  Each locks the id, looks where the
 * task is, and moves it, or says why not.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_CHANGE_H
#define SVCKIT_REGISTRY_QUEUE_CHANGE_H

#include "registry/queue.h"

enum queue_change {
	/*
	 * waiting, held, running -> failed, with error.code "cancelled".  Of a
	 * running one the claimant finds out, stops, and can complete nothing.
	 */
	QUEUE_CANCEL,
	QUEUE_RETRY, /* failed -> waiting, as it was submitted, 0 claims */
	QUEUE_HOLD, /* waiting -> held */
	QUEUE_RELEASE, /* held -> waiting */
	QUEUE_PURGE /* done, failed -> gone, the id, too */
};

/* "cancel", ... */
const char *queue_change_name(enum queue_change change);

/*
 * Changes the task: 1, and *place is where it was; 0: it is not in a state in
 * which that can be done (*place says which; QUEUE_ABSENT: there is none); -1.
 * A task that a scheduler moves meanwhile is looked for again.  dry: looks
 * only.  Durable when it returns; QUEUE_PURGE after store_sync() of tasks/done,
 * tasks/failed and tasks/ids, since one would not want to wait for each.
 */
int queue_change(struct store *store, const char *id, enum queue_change change,
    bool dry, struct queue_place *place, struct svc_error *error);

#endif
