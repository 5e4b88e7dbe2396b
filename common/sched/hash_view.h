/*
 * The rings of a pool (hash_ring.h), as lists of its members see them.
 *
 * There is one ring for a service, with points in proportion to slots.  A list
 * that leaves some of the service out walks that ring and skips them; one that
 * leaves nearly all out has a ring of its own.  Either way a key finds the same
 * members in the same order.  So what is kept of a list is small and quickly
 * made again; all of it is dropped when it takes more than HASH_VIEWS_MAX.
 *
 * Of 100,000 members with a slot each the ring takes 34 MB (51 MB while it is
 * made), and the rest 2.4 MB.
 */
#ifndef SVCKIT_SCHED_HASH_VIEW_H
#define SVCKIT_SCHED_HASH_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/hash_ring.h"
#include "sched/pool.h"

/*
 * With so many points the part of the ring that belongs to a slot deviates by
 * 9 %.  In a pool so large that its points would be more than HASH_POINTS_MAX
 * (48 MiB), the number is halved until they are not: half of the points stay
 * where they were.
 */
#define HASH_POINTS_PER_SLOT 128
#define HASH_POINTS_MAX	     (1UL << 22)

#define HASH_VIEWS_MAX (32UL * 1024 * 1024) /* bytes */

/* One list's. */
struct hash_view {
	uint64_t serial; /* 0: none */
	const struct hash_ring *ring; /* own, or the service's */
	struct hash_ring *own; /* or NULL */
	uint32_t first; /* of the service's members */
	uint64_t *held; /* a bit for each of those; NULL: all of the ring */
	size_t bytes; /* of own and held */
};

/* Whether a member that is on the ring is in the list. */
static inline bool
hash_view_holds(const struct hash_view *view, uint32_t member)
{
	uint32_t bit = member - view->first;

	return view->held == NULL ||
	       (view->held[bit / 64] >> bit % 64 & 1) != 0;
}

struct hash_views;

/* pool is borrowed.  EX_OSERR. */
int hash_views_open(
    struct hash_views **views, struct pool *pool, struct svc_error *error);
void hash_views_close(struct hash_views *views);

/* Until the next call.  NULL: EX_OSERR. */
const struct hash_view *hash_views_find(struct hash_views *views,
    const struct eligible *list, struct svc_error *error);

/* hash_ring_distance() of a member. */
double hash_views_distance(
    const struct hash_views *views, uint32_t member, uint64_t key);

#endif
