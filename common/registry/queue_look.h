/*
 * Where a task is, and what is in the queue.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_LOOK_H
#define SVCKIT_REGISTRY_QUEUE_LOOK_H

#include "registry/queue.h"

/*
 * Where id is: 1; 0: nowhere (place->state QUEUE_ABSENT); -1.  Looks in the
 * order in which schedulers move it, and of an id that exists again and again
 * before it says 0: so it does not slip by (the proof is beside the code).
 * What somebody has put into two places is where it has ended.  What exists and
 * is nowhere is an orphan (see queue_submit.h), is in tasks/corrupt, or, for
 * who has not got store_guard() of ids/ID, may be about to be queued or purged.
 * O(running).
 */
int queue_look(struct store *store, const char *id, struct queue_place *place,
    struct svc_error *error);

/*
 * The value at a place into entry, as store_get(): 1; 0: it is there no more;
 * -1.
 */
int queue_read(struct store *store, const struct queue_place *place,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error);

/*
 * Lists tasks in the states of the mask; where there is no queue, nothing: fn
 * gets place, and entry (its value, NULL where values is false).  A task that
 * moves while they are listed may be told twice or, when it goes back, not at
 * all.  skip: as in store_list.
 */
struct queue_list {
	unsigned states; /* QUEUE_STATE_BITs */
	bool values;
	int (*fn)(void *argument, const struct queue_place *place,
	    const struct store_entry *entry, struct svc_error *error);
	store_skip_fn skip; /* or NULL */
	void *argument; /* of both */
};
int queue_list(struct store *store, const struct queue_list *list,
    struct svc_error *error);

#endif
