#include "sched/min_heap.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 4

static bool
before(const struct min_heap_item *a, const struct min_heap_item *b)
{
	return a->key < b->key || (a->key == b->key && a->index < b->index);
}

static int
make_room(struct min_heap *heap)
{
	struct min_heap_item *items;
	size_t capacity;

	if (heap->count < heap->capacity)
		return 0;
	capacity = heap->capacity == 0 ? CAPACITY_LEAST : 2 * heap->capacity;
	items = reallocarray(heap->items, capacity, sizeof(*items));
	if (items == NULL)
		return -1;
	heap->items = items;
	heap->capacity = capacity;
	return 0;
}

int
min_heap_push(struct min_heap *heap, double key, uint32_t index)
{
	struct min_heap_item item = {key, index};
	size_t i, parent;

	if (make_room(heap) == -1)
		return -1;
	for (i = heap->count++; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (!before(&item, &heap->items[parent]))
			break;
		heap->items[i] = heap->items[parent];
	}
	heap->items[i] = item;
	return 0;
}

bool
min_heap_pop(struct min_heap *heap, struct min_heap_item *item)
{
	struct min_heap_item last;
	size_t i = 0, child;

	if (heap->count == 0)
		return false;
	*item = heap->items[0];
	last = heap->items[--heap->count];
	while ((child = 2 * i + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    before(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!before(&heap->items[child], &last))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	if (heap->count > 0)
		heap->items[i] = last;
	return true;
}

void
min_heap_release(struct min_heap *heap)
{
	free(heap->items);
	memset(heap, 0, sizeof(*heap));
}
