#include "flow/ready_sleep.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 16

static bool
comes_before(const struct ready_sleeper *a, const struct ready_sleeper *b)
{
	if (a->key.not_before != b->key.not_before)
		return a->key.not_before < b->key.not_before;
	return a->sequence < b->sequence;
}

static int
grow(struct ready_sleep *sleep)
{
	size_t wanted =
	    sleep->capacity == 0 ? CAPACITY_LEAST : sleep->capacity * 2;
	struct ready_sleeper *grown =
	    reallocarray(sleep->heap, wanted, sizeof(*grown));

	if (grown == NULL)
		return -1;
	sleep->heap = grown;
	sleep->capacity = wanted;
	return 0;
}

int
ready_sleep_add(struct ready_sleep *sleep, const struct ready_sleeper *sleeper)
{
	size_t place, above;

	if (sleep->count == sleep->capacity && grow(sleep) == -1)
		return -1;
	for (place = sleep->count++; place > 0; place = above) {
		above = (place - 1) / 2;
		if (!comes_before(sleeper, &sleep->heap[above]))
			break;
		sleep->heap[place] = sleep->heap[above];
	}
	sleep->heap[place] = *sleeper;
	return 0;
}

const struct ready_sleeper *
ready_sleep_first(const struct ready_sleep *sleep)
{
	return sleep->count == 0 ? NULL : &sleep->heap[0];
}

void
ready_sleep_pop(struct ready_sleep *sleep)
{
	struct ready_sleeper *heap = sleep->heap;
	const struct ready_sleeper *last = &heap[--sleep->count];
	size_t place = 0, below;

	while ((below = 2 * place + 1) < sleep->count) {
		if (below + 1 < sleep->count &&
		    comes_before(&heap[below + 1], &heap[below]))
			below++;
		if (!comes_before(&heap[below], last))
			break;
		heap[place] = heap[below];
		place = below;
	}
	heap[place] = *last;
}

void
ready_sleep_release(struct ready_sleep *sleep)
{
	free(sleep->heap);
	memset(sleep, 0, sizeof(*sleep));
}
