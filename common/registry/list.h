/*
 * Reading the registry: the instances, with what was observed of them.
 *
 * The status is the first that holds of expired (lease and boot), draining (the
 * marker), critical, unknown (a check without a result while a prober runs),
 * warning, passing.
 */
#ifndef SVCKIT_REGISTRY_LIST_H
#define SVCKIT_REGISTRY_LIST_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"

struct registry;

/* A list of instances, owned by the caller. */
struct instance_list {
	struct instance *items;
	size_t count;
	size_t capacity;
	double health_ends; /* seconds from then until health is believed no
			       more, and statuses change; 0: does not apply */
};
#define INSTANCE_LIST_INIT     \
	{                      \
		NULL, 0, 0, 0. \
	}
void instance_list_release(struct instance_list *list);
/* Makes room for one more and returns it (zeroed), NULL without memory. */
struct instance *instance_list_add(struct instance_list *list);

/*
 * Appends all instances of service (NULL: of every service), with everything
 * observed filled in, sorted by service and id.
 */
int registry_list(struct registry *registry, const char *service,
    struct instance_list *list, struct svc_error *error);

/* One instance, which the caller releases: 1, 0, -1. */
int registry_get(struct registry *registry, const char *service, const char *id,
    struct instance *instance, struct svc_error *error);

/*
 * Seconds from the listing until a status changes without an event: the next
 * ttl runs out, or health is believed no more.  Negative: none will.
 */
double instance_list_next_expiry(const struct instance_list *list);

/*
 * Appends how many of the service's instances are in each status, and why: "2
 * expired (4m), 1 critical (connection refused)"; nothing where there are none.
 */
void instance_list_statuses(
    const struct instance_list *list, const char *service, struct buffer *out);

/*
 * Appends the sentence that says why none of the service's instances is
 * available: "render: 3 instances, none available: 2 expired (4m), 1 critical
 * (connection refused)"; "render: no instances".
 */
void instance_list_why(
    const struct instance_list *list, const char *service, struct buffer *out);

#endif
