/*
 * Subsets of a pool's lists, as pool.h hands them out: each has the serial and
 * the slot of its set of members, and what makes one may be kept as a key, so
 * that nobody has to look at all members again.
 */
#ifndef SVCKIT_SCHED_SUBSETS_H
#define SVCKIT_SCHED_SUBSETS_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/filter.h"
#include "sched/member_sets.h"
#include "sched/memo.h"
#include "sched/pool.h"

/* Subsets that are valid at the same time. */
#define SUBSETS_VALID 4

struct subset {
	struct eligible list;
	uint32_t *members; /* room for all of the pool; NULL: never needed */
};

struct subsets {
	const struct filter *filter; /* borrowed */
	size_t pool_count;
	struct member_sets sets; /* their serials and slots */
	struct memo keys; /* of what was kept */
	struct subset valid[SUBSETS_VALID];
	size_t next;
};

void subsets_init(
    struct subsets *subsets, const struct filter *filter, size_t pool_count);
void subsets_release(struct subsets *subsets);

/* As pool_subset(), pool_keep() and pool_recall(). */
int subsets_mark(struct subsets *subsets, const struct eligible *list,
    const unsigned char *keep, const struct eligible **subset,
    struct svc_error *error);
int subsets_keep(struct subsets *subsets, const struct eligible *list,
    const uint32_t *members, size_t count, const char *key, size_t length,
    const struct eligible **subset, struct svc_error *error);
int subsets_recall(struct subsets *subsets, const struct eligible *list,
    const char *key, size_t length, const struct eligible **subset);

#endif
