/*
 * Taking instances out of the registry.
 */
#ifndef SVCKIT_REGISTRY_REMOVAL_H
#define SVCKIT_REGISTRY_REMOVAL_H

#include <stddef.h>

#include "line/error.h"
#include "store/store.h"

struct registry;

struct removal {
	const char *id; /* the caller's */
	/* Remove only this one, and what nobody holds; the caller's, or NULL:
	 * whatever is there. */
	const struct store_revision *if_revision;
	int result; /* out: 1 removed, 0 there is none, -1 see error */
	struct svc_error error; /* out */
};

/*
 * Removes instances of a service, also living ones, and their draining markers;
 * with if_revision a marker only along with its record.  Durable when it
 * returns, by one sync; a sync that fails has failed for all.
 */
void registry_remove_batch(struct registry *registry, const char *service,
    struct removal *removals, size_t count);

/* The same for one: its result. */
int registry_remove(struct registry *registry, const char *service,
    const char *id, struct svc_error *error);

#endif
