/*
 * A heap of numbers with an index each: the least number comes first, of equal
 * ones the least index.
 */
#ifndef SVCKIT_SCHED_MIN_HEAP_H
#define SVCKIT_SCHED_MIN_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct min_heap_item {
	double key; /* not NAN */
	uint32_t index;
};

/* All zero is an empty one. */
struct min_heap {
	struct min_heap_item *items; /* owned; the first is the least */
	size_t count;
	size_t capacity;
};

/* -1: no memory. */
int min_heap_push(struct min_heap *heap, double key, uint32_t index);

/* Takes the least one out; false: it is empty. */
bool min_heap_pop(struct min_heap *heap, struct min_heap_item *item);

void min_heap_release(struct min_heap *heap);

#endif
