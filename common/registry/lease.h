/*
 * Writing into the registry: instances are registered, held, renewed and
 * drained.
 *
 * Refusals say who is in the way: EX_NOPERM, another owner's record or a
 * service that the caller may not add to; EX_TEMPFAIL, a record that is held by
 * a living process.
 */
#ifndef SVCKIT_REGISTRY_LEASE_H
#define SVCKIT_REGISTRY_LEASE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"

struct registry;
struct registry_hold; /* an instance that lives with this process; the
			 registry must outlive it */

/* The ttl, in seconds, of what should be a lock lease where locks do not tell
 * of processes. */
#define REGISTRY_REMOTE_TTL 15.0

struct registration {
	struct instance *instance; /* parsed; its record is what is stored */
	bool replaced; /* out: it was there before */
	struct svc_error error; /* out; code 0 when registered */
};

/*
 * Registers one instance by lease none (durable) or ttl; a lock lease is
 * EX_DATAERR.  Dead records of the same service are swept.
 */
int registry_register(struct registry *registry,
    struct registration *registration, struct svc_error *error);

/* The same for many, with few syncs; -1 when any failed, each says so. */
int registry_register_batch(struct registry *registry,
    struct registration *registrations, size_t count, struct svc_error *error);

/*
 * Registers by a lock lease that lives with this process: the record, which is
 * given "lease" and "boot" (registration->instance is parsed again from it),
 * is gone for readers at the instant this process ends.  On a file system that
 * is not local it is a ttl of REGISTRY_REMOTE_TTL instead: registry_hold_ttl()
 * tells, and the caller beats three times a ttl.
 */
int registry_hold(struct registry *registry, struct registration *registration,
    struct registry_hold **hold, struct svc_error *error);
double registry_hold_ttl(const struct registry_hold *hold); /* 0: a lock */

/* A heartbeat, where there is a ttl.  1; 0: the record was removed or replaced,
 * and stays so; -1. */
int registry_hold_beat(struct registry_hold *hold, struct svc_error *error);

/*
 * Writes the record again as value: the same but for load (registry/load.h),
 * on one line with LF; soft, and a heartbeat too.  1; 0: the record was removed
 * or replaced, and stays so; -1.
 */
int registry_hold_put(struct registry_hold *hold, const char *value,
    size_t length, struct svc_error *error);

/* Removes the instance if it is still ours, and frees hold. */
int registry_hold_release(struct registry_hold *hold, struct svc_error *error);

/* Frees hold and lets go of its descriptor alone: what a forked child does. */
void registry_hold_abandon(struct registry_hold *hold);

/* A heartbeat of a ttl: 1; 0: no such instance; -1. */
int registry_renew(struct registry *registry, const char *service,
    const char *id, struct svc_error *error);

/* Sets or clears the draining marker: 1; 0: no such instance; -1. */
int registry_drain(struct registry *registry, const char *service,
    const char *id, bool drain, struct svc_error *error);

#endif
