/*
 * A ring of points, as consistent hashing has it (Karger et al., "Consistent
 * Hashing and Random Trees", STOC 1997): each node has points on a circle, and
 * a key belongs to the node of the first point clockwise from it.
 *
 * The points of a node are made of its name alone.  So a ring of some of the
 * nodes is the ring of all of them with points left out, and a key changes its
 * node only when that node leaves, or one comes that has a point in between.
 *
 * A point takes 10 to 12 bytes, 16 while a ring is made.
 */
#ifndef SVCKIT_SCHED_HASH_RING_H
#define SVCKIT_SCHED_HASH_RING_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"

struct hash_node {
	uint64_t name; /* stable_hash() of its name */
	uint32_t points; /* at least 1 */
};

struct hash_ring {
	/*
	 * Sorted: the place in the upper half, the node in the lower.  Of two
	 * nodes at one place the one with the smaller index comes first.
	 */
	uint64_t *points;
	size_t count; /* under 2^32 */
	/*
	 * Where to look for a place: the circle in 2^n equal parts, at least
	 * one and under two points each on average; for each the index of the
	 * first point that is not before it.
	 */
	uint32_t *starts;
	unsigned shift; /* of a place, to its part */
};

/*
 * A ring of count (at least 1) of nodes: those whose indices are in members,
 * ascending; members NULL: those from index first on.  NULL: EX_OSERR.
 */
struct hash_ring *hash_ring_new(const struct hash_node *nodes, uint32_t first,
    const uint32_t *members, size_t count, struct svc_error *error);
void hash_ring_free(struct hash_ring *ring);

/* The index of the first point clockwise from key. */
size_t hash_ring_find(const struct hash_ring *ring, uint64_t key);

/* The node of a point, and the next point clockwise. */
static inline uint32_t
hash_ring_node(const struct hash_ring *ring, size_t point)
{
	return (uint32_t)ring->points[point];
}

static inline size_t
hash_ring_next(const struct hash_ring *ring, size_t point)
{
	return point + 1 == ring->count ? 0 : point + 1;
}

/*
 * How far it is from key clockwise to the nearest point of node, as a part of
 * the circle: in [0, 1).
 */
double hash_ring_distance(const struct hash_node *node, uint64_t key);

#endif
