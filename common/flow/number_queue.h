/*
 * Numbers, first in, first out.
 */
#ifndef SVCKIT_FLOW_NUMBER_QUEUE_H
#define SVCKIT_FLOW_NUMBER_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_NONE UINT32_MAX

/* All zero is an empty one. */
struct number_queue {
	uint32_t *items; /* owned; a ring */
	size_t first;
	size_t count;
	size_t capacity; /* a power of 2, or 0 */
};

/* -1: no memory. */
int number_queue_push(struct number_queue *queue, uint32_t number);

/* The first one, which stays, or goes; NUMBER_NONE: it is empty. */
uint32_t number_queue_peek(const struct number_queue *queue);
uint32_t number_queue_pop(struct number_queue *queue);

void number_queue_release(struct number_queue *queue);

#endif
