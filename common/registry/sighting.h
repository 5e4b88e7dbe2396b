/*
 * What the reaper has sighted: expired instances, each with the heartbeat that
 * it had, sorted by service and id.
 */
#ifndef SVCKIT_REGISTRY_SIGHTING_H
#define SVCKIT_REGISTRY_SIGHTING_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"

struct sighting {
	const char *service; /* in names, as id */
	const char *id;
	int64_t heartbeat; /* ms since 1970 */
	double at; /* when it was sighted first, on the boot's clock; negative:
		      it was not */
	double ttl; /* seconds; negative: not known, as after a parse */
	double next; /* when to look at it next, at the earliest */
	char names[];
};

/* Zeroes are an empty set. */
struct sightings {
	struct sighting **items; /* owned */
	size_t count;
	size_t capacity;
};

void sightings_release(struct sightings *sightings);

/* NULL when there is none.  It stays where it is until it is dropped. */
struct sighting *sightings_find(
    const struct sightings *sightings, const char *service, const char *id);

/* The one that is there, or a new one that was not sighted, of an unknown ttl;
 * NULL without memory. */
struct sighting *sightings_add(
    struct sightings *sightings, const char *service, const char *id);

/* Nothing happens when there is none. */
void sightings_drop(
    struct sightings *sightings, const char *service, const char *id);

/* Appends {"SERVICE/ID":{"heartbeat":MS,"at":SECONDS},...}. */
void sightings_print(const struct sightings *sightings, struct buffer *out);

/*
 * Adds those of object, which is valid JSON.  One that was sighted after now
 * was sighted now.  EX_DATAERR names the one that is none; those before it stay
 * added.
 */
int sightings_parse(struct sightings *sightings, struct json_span object,
    double now, struct svc_error *error);

#endif
