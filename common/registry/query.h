/*
 * Which instances are asked for, and why there are none.
 */
#ifndef SVCKIT_REGISTRY_QUERY_H
#define SVCKIT_REGISTRY_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "line/selector.h"
#include "registry/registry.h"

/* Zeroes ask for all that may get work. */
struct query {
	char *const *services; /* sorted names; borrowed */
	size_t service_count; /* 0: any */
	const struct selector *selector; /* NULL: any */
	const char *selector_text; /* as it was given; for messages */
	const char *owner; /* user name, or uid in decimal; NULL: any */
	unsigned statuses; /* bits 1 << STATUS_...; 0: those that get work */
	bool all; /* with no statuses: whatever the status */
};

/*
 * Reads statuses from a list "critical,expired".  EX_USAGE names the wrong one
 * and the right ones.
 */
int query_parse_statuses(
    struct query *query, const char *text, struct svc_error *error);

/* Whether service, selector and owner match; statuses are not looked at. */
bool query_matches(const struct query *query, const struct instance *instance);

/*
 * The instances of list that are asked for, in list's order.  What may get work
 * is worked out among those that match: who asks for zone=eu-1 gets its warning
 * ones where none of that zone passes.  *chosen, of *count, is the caller's to
 * free(3); what the instances point to stays list's.
 */
int query_choose(const struct query *query, const struct instance_list *list,
    struct instance **chosen, size_t *count, struct svc_error *error);

/*
 * Appends the sentence that says why nothing of service was chosen; service
 * NULL: nothing at all.
 */
void query_why(const struct query *query, const struct instance_list *list,
    const char *service, struct buffer *out);

#endif
