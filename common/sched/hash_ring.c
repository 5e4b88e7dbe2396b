#include "sched/hash_ring.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/stable_hash.h"

#define PLACE_BITS  32
#define PLACE_SHIFT (64 - PLACE_BITS)

/* A sort of places by 11 bits at a time, the last ones first. */
#define DIGIT_BITS 11
#define DIGITS	   (1U << DIGIT_BITS)
#define PASSES	   3

/* The place of a key or point: the upper bits. */
static uint64_t
place_of(uint64_t hash)
{
	return hash >> PLACE_SHIFT;
}

static void
add_points(
    struct hash_ring *ring, const struct hash_node *nodes, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < nodes[index].points; i++)
		ring->points[ring->count++] =
		    place_of(stable_hash_nth(nodes[index].name, i))
			<< PLACE_SHIFT |
		    index;
}

/* Stable: points at one place stay in the order of their nodes. */
static void
sort_pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
	size_t ends[DIGITS] = {0}, sum = 0, i, points;

	for (i = 0; i < count; i++)
		ends[from[i] >> shift & (DIGITS - 1)]++;
	for (i = 0; i < DIGITS; i++) {
		points = ends[i];
		ends[i] = sum;
		sum += points;
	}
	for (i = 0; i < count; i++)
		to[ends[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* PASSES is odd: what is sorted ends up in spare. */
static int
sort_points(struct hash_ring *ring, struct svc_error *error)
{
	uint64_t *spare = calloc(ring->count, sizeof(*spare)), *from, *to;
	unsigned pass;

	if (spare == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	from = ring->points;
	to = spare;
	for (pass = 0; pass < PASSES; pass++) {
		sort_pass(
		    from, to, ring->count, PLACE_SHIFT + pass * DIGIT_BITS);
		from = to;
		to = to == spare ? ring->points : spare;
	}
	free(to);
	ring->points = from;
	return 0;
}

static int
index_points(struct hash_ring *ring, struct svc_error *error)
{
	size_t parts = 1, part, point = 0;

	ring->shift = PLACE_BITS;
	while (parts * 2 <= ring->count) {
		parts *= 2;
		ring->shift--;
	}
	ring->starts = calloc(parts, sizeof(*ring->starts));
	if (ring->starts == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (part = 0; part < parts; part++) {
		while (point < ring->count &&
		       place_of(ring->points[point]) >> ring->shift < part)
			point++;
		ring->starts[part] = (uint32_t)point;
	}
	return 0;
}

static int
make_points(struct hash_ring *ring, const struct hash_node *nodes,
    uint32_t first, const uint32_t *members, size_t count,
    struct svc_error *error)
{
	size_t points = 0, i;

	for (i = 0; i < count; i++)
		points +=
		    nodes[members == NULL ? first + i : members[i]].points;
	ring->points = calloc(points, sizeof(*ring->points));
	if (ring->points == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < count; i++)
		add_points(ring, nodes,
		    members == NULL ? first + (uint32_t)i : members[i]);
	return sort_points(ring, error);
}

struct hash_ring *
hash_ring_new(const struct hash_node *nodes, uint32_t first,
    const uint32_t *members, size_t count, struct svc_error *error)
{
	struct hash_ring *ring = calloc(1, sizeof(*ring));

	if (ring == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	if (make_points(ring, nodes, first, members, count, error) == -1 ||
	    index_points(ring, error) == -1) {
		hash_ring_free(ring);
		return NULL;
	}
	return ring;
}

void
hash_ring_free(struct hash_ring *ring)
{
	if (ring == NULL)
		return;
	free(ring->starts);
	free(ring->points);
	free(ring);
}

size_t
hash_ring_find(const struct hash_ring *ring, uint64_t key)
{
	uint64_t place = place_of(key);
	size_t point = ring->starts[place >> ring->shift];

	while (point < ring->count && place_of(ring->points[point]) < place)
		point++;
	return point == ring->count ? 0 : point;
}

double
hash_ring_distance(const struct hash_node *node, uint64_t key)
{
	uint32_t from = (uint32_t)place_of(key), distance, least = UINT32_MAX;
	uint32_t i;

	for (i = 0; i < node->points; i++) {
		distance =
		    (uint32_t)place_of(stable_hash_nth(node->name, i)) - from;
		if (distance < least)
			least = distance;
	}
	return least * 0x1p-32;
}
