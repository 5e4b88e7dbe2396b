/*
 * The registry: services and their instances.
 *
 * svc-spool(5) has the files; instance-line(5) the records.  This header opens
 * a registry and brings the others that every user of one needs: where it is
 * (registry/place.h), what writes into it (registry/lease.h), removes from it
 * (registry/removal.h) and tells what is in it (registry/list.h).
 *
 * Calling sequence:
 *
 *	struct instance_list list = INSTANCE_LIST_INIT;
 *
 *	if (registry_open(&registry, place, false, &error) == -1 ||
 *	    registry_list(registry, "render", &list, &error) == -1)
 *		...
 *	instance_list_release(&list);
 *	registry_close(registry);
 */
#ifndef SVCKIT_REGISTRY_REGISTRY_H
#define SVCKIT_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "registry/lease.h"
#include "registry/list.h"
#include "registry/place.h"
#include "registry/removal.h"
#include "store/store.h"

struct registry;

/*
 * Called for what is skipped, a hostile file or a record that does not parse:
 * once for each while the registry is open.
 */
typedef void (*registry_warn_fn)(void *argument, const char *message);

/*
 * Opens the registry at place.  create: make it (0700) when it does not exist;
 * without, a registry that does not exist is EX_NOINPUT.  A scheme that there
 * is no store for is EX_UNAVAILABLE, a spool of another version EX_CONFIG.
 */
int registry_open(struct registry **registry, const char *place, bool create,
    struct svc_error *error);
/* NULL is allowed. */
void registry_close(struct registry *registry);
void registry_set_warn(
    struct registry *registry, registry_warn_fn warn, void *argument);
struct store *registry_store(struct registry *registry);

/* The names of all services that have a directory, sorted; the caller frees
 * each and the array. */
int registry_services(struct registry *registry, char ***names, size_t *count,
    struct svc_error *error);

/*
 * Makes the directory of a service for owner and group (-1: the caller's),
 * whose group may add instances and whose owner may remove them all (3775); an
 * existing one is given to them.  What root does in a system registry.
 */
int registry_create_service(struct registry *registry, const char *service,
    uid_t uid, gid_t gid, struct svc_error *error);

/*
 * Follows the instances and the health of service (NULL: of all), as
 * store_watch_open() does.  instance_list_next_expiry() is what a waiter must
 * also wake for: expiry makes no event.
 */
int registry_watch_open(struct registry *registry, const char *service,
    struct store_watch **watch, struct svc_error *error);

#endif
