/*
 * One service of a view: its instances and its health in memory, what of them
 * is to be looked at again, and when.
 */
#ifndef SVCKIT_REGISTRY_VIEW_SERVICE_H
#define SVCKIT_REGISTRY_VIEW_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "registry/health_file.h"
#include "registry/list.h"

struct view_listener;

/* An instance to be looked at. */
struct view_mark {
	char *id;
	int64_t at; /* ms since 1970; 0: at once */
	int looks; /* made at its lock since the event */
};

struct view_service {
	char *name;
	struct instance_list list; /* sorted by id */
	struct health_file health;
	struct view_mark *marks;
	size_t mark_count;
	size_t mark_capacity;
	bool list_again; /* all of it is to be looked at */
	bool health_again;
	bool gone; /* its directory may be */
	int64_t due; /* ms since 1970, of what is not to be done at once */
	int64_t list_at; /* when all is to be, for its locks; 0: not */
	bool rescan; /* its turn in the slow rescan is to come */
	bool suspect; /* the rescan has found a difference once */
};

/* NULL without memory.  Nothing is listed: list_again is set. */
struct view_service *view_service_new(const char *name);
void view_service_free(struct view_service *service);

/* Whether something waits for view_service_update() by now. */
bool view_service_pending(const struct view_service *service, int64_t now);

/* An instance may have changed.  -1 without memory. */
int view_service_mark(
    struct view_service *service, const char *id, size_t length);

/*
 * Does what is pending, and tells listener (NULL: nobody) of each difference,
 * when all are in memory.  -1: what could not be done stays pending.
 */
int view_service_update(struct view_service *service, struct registry *registry,
    const struct view_listener *listener, struct svc_error *error);

/* The instance, or NULL. */
const struct instance *view_service_find(
    const struct view_service *service, const char *id);

#endif
