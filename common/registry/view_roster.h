/*
 * The services of a view, sorted by name, and what the store's watch told of
 * them.
 */
#ifndef SVCKIT_REGISTRY_VIEW_ROSTER_H
#define SVCKIT_REGISTRY_VIEW_ROSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "registry/view_service.h"
#include "store/store.h"

struct registry;

struct view_roster {
	struct view_service **services;
	size_t count;
	size_t capacity;
	bool fixed; /* services neither come nor go */
	bool gone; /* some may have gone: view_roster_drop_gone() */
	bool all_again; /* every service is to be listed, and which there are */
	const char *lost; /* why changes may have been missed, or NULL */
	bool failed; /* memory ran out while a change was noted */
};

void view_roster_release(struct view_roster *roster);

/* NULL: there is none of that name. */
struct view_service *view_roster_find(
    const struct view_roster *roster, const char *name);
/* The service of that name, made when it is not known; NULL without memory. */
struct view_service *view_roster_add(
    struct view_roster *roster, const char *name);

/* Takes in which services the registry has, unless they are fixed. */
int view_roster_list(struct view_roster *roster, struct registry *registry,
    struct svc_error *error);
/* Whether the registry has a service that is not known: 1, 0, -1. */
int view_roster_misses(const struct view_roster *roster,
    struct registry *registry, struct svc_error *error);
/* Everything of every service is to be looked at. */
void view_roster_doubt(struct view_roster *roster);
/* Drops those that may be gone, are empty, and have no directory. */
int view_roster_drop_gone(struct view_roster *roster, struct registry *registry,
    struct svc_error *error);

/* For store_watch_read(); argument is the roster. */
void view_roster_note(void *argument, const struct store_change *change);

#endif
