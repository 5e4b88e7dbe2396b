/*
 * Removes what is long expired: an instance whose lease is over, and whose
 * heartbeat is still the same one ttl later by the reaper's own clock, which
 * nobody can set (CLOCK_BOOTTIME: it goes on in suspend).  So neither a stepped
 * wall clock nor a forged time of a file removes what lives.
 *
 * Lock leases count as a ttl of REGISTRY_REMOTE_TTL.
 *
 * Calling sequence:
 *
 *	if (reaper_open(&reaper, registry, &error) == -1)
 *		...
 *	reaper_parse(reaper, sightings, &error);	if they were kept
 *	for (;;) {
 *		reaper_sight(reaper, before, after);	of each that changed
 *		if (reaper_due(reaper) == 0)
 *			reaper_run(reaper, false, removed, failed, argument);
 *	}
 *	reaper_print(reaper, &out);			to keep them
 *	reaper_close(reaper);
 */
#ifndef SVCKIT_REGISTRY_REAPER_H
#define SVCKIT_REGISTRY_REAPER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "line/selector.h"
#include "registry/registry.h"

struct reaper;

/* The registry must outlive the reaper. */
int reaper_open(
    struct reaper **reaper, struct registry *registry, struct svc_error *error);
/* NULL is allowed. */
void reaper_close(struct reaper *reaper);

/*
 * Only what selector (NULL: any) matches, of these services (sorted names;
 * count 0: all), is sighted and removed from here on.  Both are borrowed.
 */
void reaper_confine(struct reaper *reaper, const struct selector *selector,
    const char *const *services, size_t service_count);

/*
 * Tells the reaper how an instance is now (after NULL: gone), as the listener
 * of a view is told.  An expired one is sighted; any other is forgotten.  That
 * there is no memory for one is told by the next reaper_run().
 */
void reaper_sight(struct reaper *reaper, const struct instance *before,
    const struct instance *after);

/* Seconds until reaper_run() has something to do; negative: never. */
double reaper_due(const struct reaper *reaper);

/*
 * Looks again at those whose second sighting is due, and at those that
 * reaper_parse() brought, whether or not they were sighted since.  Removes,
 * with its draining marker, what is still expired and has the heartbeat that
 * was sighted; a record that somebody renews or replaces in that instant stays.
 * dry_run: only tells.  removed is told of each; failed of each that could not
 * be removed (EX_NOPERM: another user's), which is tried again one ttl later.
 * Returns how many were, or would be, removed.
 */
size_t reaper_run(struct reaper *reaper, bool dry_run,
    void (*removed)(void *argument, const char *service, const char *id),
    void (*failed)(void *argument, const struct svc_error *error),
    void *argument);

/*
 * The sightings as one JSON object, with the boot whose clock they are of, and
 * back; those of another boot are dropped.  EX_DATAERR.
 *
 *	{"boot":"e1c6...","sightings":{"render/web1":
 *	    {"heartbeat":1795341600000,"at":120.5}}}
 *
 * heartbeat is in ms since 1970, at in seconds since the boot.
 */
void reaper_print(const struct reaper *reaper, struct buffer *out);
int reaper_parse(
    struct reaper *reaper, struct json_span text, struct svc_error *error);

#endif
