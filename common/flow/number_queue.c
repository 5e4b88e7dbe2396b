#include "flow/number_queue.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 64

static int
grow(struct number_queue *queue)
{
	size_t wanted =
	    queue->capacity == 0 ? CAPACITY_LEAST : queue->capacity * 2;
	uint32_t *grown = reallocarray(queue->items, wanted, sizeof(*grown));

	if (grown == NULL)
		return -1;
	/* It is full: what lies in front of the first goes behind the last. */
	if (queue->first > 0)
		memcpy(grown + queue->capacity, grown,
		    queue->first * sizeof(*grown));
	queue->items = grown;
	queue->capacity = wanted;
	return 0;
}

int
number_queue_push(struct number_queue *queue, uint32_t number)
{
	if (queue->count == queue->capacity && grow(queue) == -1)
		return -1;
	queue->items[(queue->first + queue->count++) & (queue->capacity - 1)] =
	    number;
	return 0;
}

uint32_t
number_queue_peek(const struct number_queue *queue)
{
	return queue->count == 0 ? NUMBER_NONE : queue->items[queue->first];
}

uint32_t
number_queue_pop(struct number_queue *queue)
{
	uint32_t number = number_queue_peek(queue);

	if (queue->count == 0)
		return NUMBER_NONE;
	queue->first = (queue->first + 1) & (queue->capacity - 1);
	queue->count--;
	return number;
}

void
number_queue_release(struct number_queue *queue)
{
	free(queue->items);
	memset(queue, 0, sizeof(*queue));
}
