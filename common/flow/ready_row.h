/*
 * Tasks in the order in which they are to run: greater priority first, then
 * less rank, then as they came.
 *
 * What comes in that order anyway, as a first-in first-out queue does, goes
 * behind a ring in O(1); the rest goes to a heap, O(log n).  The first of both
 * is the first of all.  32 bytes a task.
 */
#ifndef SVCKIT_FLOW_READY_ROW_H
#define SVCKIT_FLOW_READY_ROW_H

#include <stdint.h>

struct ready_entry {
	double priority;
	double rank;
	uint64_t sequence;
	uint32_t task;
	float seconds; /* that it takes, for ready_shares.h */
};

/* All zero is an empty one. */
struct ready_row {
	struct ready_entry *ring; /* owned, as the heap */
	struct ready_entry *heap;
	uint32_t first; /* of the ring */
	uint32_t ring_count;
	uint32_t ring_capacity; /* a power of 2, or 0 */
	uint32_t heap_count;
	uint32_t heap_capacity;
};

/* -1: no memory. */
int ready_row_push(struct ready_row *row, const struct ready_entry *entry);

/* The first one, until the row changes; NULL: it is empty. */
const struct ready_entry *ready_row_first(const struct ready_row *row);

/* Takes the first one of a row that is not empty. */
void ready_row_pop(struct ready_row *row);

void ready_row_release(struct ready_row *row);

#endif
