/*
 * Domains: the instances that have the same value of a label, as of "zone".
 * Which domain each of many instances is in stands in one array, read from the
 * records once.
 */
#ifndef SVCKIT_SCHED_DOMAINS_H
#define SVCKIT_SCHED_DOMAINS_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/pool.h"

#define DOMAIN_NONE UINT32_MAX /* it has no such label */

struct domain_column {
	char *label;
	uint32_t *domains; /* of each member: under count, or DOMAIN_NONE */
	size_t count;
};

struct domains {
	struct pool *pool; /* borrowed */
	struct domain_column *columns; /* those that were asked for */
	size_t count;
	size_t absent; /* of them, those of labels that nobody has */
	struct domain_column none; /* what those have in common; count 0 */
};

/* -1: EX_OSERR. */
int domains_init(
    struct domains *domains, struct pool *pool, struct svc_error *error);
void domains_release(struct domains *domains);

/*
 * The column of label, whose arrays are owned by domains until its release.
 * -1: EX_OSERR.
 */
int domains_find(struct domains *domains, const char *label,
    struct domain_column *column, struct svc_error *error);

#endif
