/*
 * What a stream remembers of each service: how many expiries it told of, and
 * whether of a panic.
 */
#ifndef SVCKIT_REGISTRY_STREAM_ROSTER_H
#define SVCKIT_REGISTRY_STREAM_ROSTER_H

#include <stdbool.h>
#include <stddef.h>

struct stream_service {
	char *name;
	unsigned long expiries;
	bool panic; /* told of */
	bool stirred; /* an instance's mark changed: look again */
};

/* Zeroed: empty. */
struct stream_roster {
	struct stream_service *services; /* sorted by name */
	size_t count;
	size_t capacity;
};

void stream_roster_release(struct stream_roster *roster);

/* The service of that name, or NULL. */
struct stream_service *stream_roster_find(
    const struct stream_roster *roster, const char *name);
/* The same, made when there is none; until the next call.  NULL without
 * memory. */
struct stream_service *stream_roster_add(
    struct stream_roster *roster, const char *name);

#endif
