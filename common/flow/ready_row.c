#include "flow/ready_row.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 2
#define CAPACITY_KEPT  64 /* of a row that is empty */
#define CAPACITY_MAX   ((uint32_t)1 << 31)

/* Half as many levels as of two, and those below one lie side by side. */
#define BRANCHES 4

static bool
comes_before(const struct ready_entry *a, const struct ready_entry *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->sequence < b->sequence;
}

static int
grow(struct ready_entry **entries, uint32_t *capacity)
{
	uint32_t wanted = *capacity == 0 ? CAPACITY_LEAST : *capacity * 2;
	struct ready_entry *grown;

	if (*capacity == CAPACITY_MAX)
		return -1;
	grown = reallocarray(*entries, wanted, sizeof(*grown));
	if (grown == NULL)
		return -1;
	*entries = grown;
	*capacity = wanted;
	return 0;
}

static struct ready_entry *
ring_at(const struct ready_row *row, uint32_t i)
{
	return &row->ring[(row->first + i) & (row->ring_capacity - 1)];
}

static int
append(struct ready_row *row, const struct ready_entry *entry)
{
	uint32_t before = row->ring_capacity;

	if (row->ring_count == before) {
		if (grow(&row->ring, &row->ring_capacity) == -1)
			return -1;
		/* It was full: what lay in front of the first goes behind the
		   last. */
		if (row->first > 0)
			memcpy(row->ring + before, row->ring,
			    row->first * sizeof(*row->ring));
	}
	*ring_at(row, row->ring_count++) = *entry;
	return 0;
}

static int
heap_push(struct ready_row *row, const struct ready_entry *entry)
{
	struct ready_entry *heap;
	uint32_t place, above;

	if (row->heap_count == row->heap_capacity &&
	    grow(&row->heap, &row->heap_capacity) == -1)
		return -1;
	heap = row->heap;
	for (place = row->heap_count++; place > 0; place = above) {
		above = (place - 1) / BRANCHES;
		if (!comes_before(entry, &heap[above]))
			break;
		heap[place] = heap[above];
	}
	heap[place] = *entry;
	return 0;
}

/* The one below place that comes first; count: there is none. */
static size_t
first_below(const struct ready_entry *heap, size_t count, size_t place)
{
	size_t first = place * BRANCHES + 1, last = first + BRANCHES, i;

	if (first >= count)
		return count;
	if (last > count)
		last = count;
	for (i = first + 1; i < last; i++)
		if (comes_before(&heap[i], &heap[first]))
			first = i;
	return first;
}

static void
heap_pop(struct ready_row *row)
{
	struct ready_entry *heap = row->heap;
	const struct ready_entry *last = &heap[--row->heap_count];
	size_t count = row->heap_count, place = 0, below;

	while ((below = first_below(heap, count, place)) < count &&
	       comes_before(&heap[below], last)) {
		heap[place] = heap[below];
		place = below;
	}
	heap[place] = *last;
}

int
ready_row_push(struct ready_row *row, const struct ready_entry *entry)
{
	if (row->ring_count == 0 ||
	    comes_before(ring_at(row, row->ring_count - 1), entry))
		return append(row, entry);
	return heap_push(row, entry);
}

const struct ready_entry *
ready_row_first(const struct ready_row *row)
{
	if (row->ring_count == 0)
		return row->heap_count == 0 ? NULL : &row->heap[0];
	if (row->heap_count == 0 ||
	    comes_before(ring_at(row, 0), &row->heap[0]))
		return ring_at(row, 0);
	return &row->heap[0];
}

/* What is large and empty is given back: there may be many rows. */
static void
trim(struct ready_row *row)
{
	if (row->ring_count == 0 && row->ring_capacity > CAPACITY_KEPT) {
		free(row->ring);
		row->ring = NULL;
		row->ring_capacity = row->first = 0;
	}
	if (row->heap_count == 0 && row->heap_capacity > CAPACITY_KEPT) {
		free(row->heap);
		row->heap = NULL;
		row->heap_capacity = 0;
	}
}

void
ready_row_pop(struct ready_row *row)
{
	if (ready_row_first(row) == row->heap) {
		heap_pop(row);
	} else {
		row->first = (row->first + 1) & (row->ring_capacity - 1);
		row->ring_count--;
	}
	trim(row);
}

void
ready_row_release(struct ready_row *row)
{
	free(row->ring);
	free(row->heap);
	memset(row, 0, sizeof(*row));
}
