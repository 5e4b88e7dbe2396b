/*
 * From a store's entry to an instance, and from what is known of an instance to
 * its status: the first that holds of expired (lease and boot), draining (the
 * marker), critical, unknown (a check without a result while a prober runs),
 * warning, passing.
 *
 * What is known is the record and the facts beside it (heartbeat, owner, lock,
 * marker) and the service's health; the status follows from these and the time
 * alone, so it can be worked out again without reading anything.
 */
#ifndef SVCKIT_REGISTRY_OBSERVE_H
#define SVCKIT_REGISTRY_OBSERVE_H

#include <stdint.h>

#include "line/error.h"
#include "line/instance.h"
#include "registry/health.h"
#include "store/store.h"

struct registry;

/*
 * Parses an entry, and notes the facts of it: held is as the store says,
 * draining false, status not worked out.  1; 0: skipped with a warning, since
 * it is no record, or not the one its key says; -1.
 */
int observe_entry(struct registry *registry, const struct store_entry *entry,
    struct instance *instance, struct svc_error *error);

/*
 * Works out what is observed at the time now (ms since 1970), all but owner and
 * reason.  *reason points into health, or is NULL.
 */
void observe_status(const struct registry *registry,
    const struct health *health, int64_t now, struct instance *instance,
    const char **reason);

/* The same, and sets reason (copied).  -1 without memory. */
int observe_instance(const struct registry *registry,
    const struct health *health, int64_t now, struct instance *instance,
    struct svc_error *error);

/* When its lease ends unless it is renewed, in ms since 1970: from then on it
 * is expired.  INT64_MAX: not by the time. */
int64_t observe_end(const struct instance *instance);

#endif
