/*
 * Claiming tasks of the queue, completing them, and taking over from the dead.
 */
#ifndef SVCKIT_REGISTRY_CLAIM_H
#define SVCKIT_REGISTRY_CLAIM_H

#include "line/buffer.h"
#include "registry/claimant.h"

/*
 * What came to pass beside what was asked for: a corrupt file moved away, a
 * finished line moved on, a task that failed after three lost claims.
 */
typedef void (*claim_note_fn)(void *argument, const char *message);

/*
 * Claims place, which is QUEUE_WAITING, and reads the line into line.  1: it is
 * ours, and *place where it is; 0: it is not there to be claimed: gone, or its
 * line was finished already and was moved on, or is no task line (corrupt);
 * -1.
 */
int claim_take(struct store *store, const char *claimant,
    struct queue_place *place, struct buffer *line, claim_note_fn note,
    void *argument, struct svc_error *error);

/* A task that has ended. */
struct claim_end {
	struct queue_place place; /* as claim_take() left it */
	const char *line; /* finished, LF included */
	size_t length;
	bool failed; /* to failed, not to done */
	int moved; /* out: 1; 0: the claim was lost, the line counts for
		      nothing; -1: error says why, and it is still claimed */
	bool unsynced; /* out, of -1: a sync failed, which is final */
	struct svc_error error; /* out */
};

/* Completes all, with few syncs.  -1 when any could not be: error is that of
 * the first.  May be called by a thread of its own with a store of its own. */
int claim_complete(struct store *store, struct claim_end *ends, size_t count,
    struct svc_error *error);

/* Gives a claimed task back as it was: 1; 0: the claim was lost; -1. */
int claim_give_back(struct store *store, const struct queue_place *place,
    struct svc_error *error);

/*
 * Looks at all that is claimed, and puts back what the dead had: to new/ID.N+1
 * with member "lost", an array with a string "CLAIMANT, TIME" for each lost
 * claim; after QUEUE_CLAIMS_MAX of them to failed, with error.code "lost" and
 * a message that names them.  Returns how many were put back, *failed of them
 * there, or -1; one that cannot be is noted and left.
 */
int claim_recover(struct store *store, const struct claimants *claimants,
    claim_note_fn note, void *argument, size_t *failed,
    struct svc_error *error);

#endif
