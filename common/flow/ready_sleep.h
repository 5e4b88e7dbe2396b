/*
 * Tasks that sleep until their not_before (ready_queue.h): 48 bytes each.
 */
#ifndef SVCKIT_FLOW_READY_SLEEP_H
#define SVCKIT_FLOW_READY_SLEEP_H

#include <stddef.h>
#include <stdint.h>

#include "flow/ready_queue.h"

struct ready_sleeper {
	struct ready_key key; /* not_before: when it is to be woken */
	uint64_t sequence;
	uint32_t task;
};

/* All zero is an empty one. */
struct ready_sleep {
	struct ready_sleeper *heap; /* owned; the first to be woken first */
	size_t count;
	size_t capacity;
};

/* -1: no memory. */
int ready_sleep_add(
    struct ready_sleep *sleep, const struct ready_sleeper *sleeper);

/*
 * Who is to be woken first, of equal ones who came first, until it changes;
 * NULL: nobody sleeps.
 */
const struct ready_sleeper *ready_sleep_first(const struct ready_sleep *sleep);

/* Takes the first one of some. */
void ready_sleep_pop(struct ready_sleep *sleep);

void ready_sleep_release(struct ready_sleep *sleep);

#endif
