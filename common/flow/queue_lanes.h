/*
 * Which lane of the book (queue_book.h) the next task is claimed from.
 *
 * Lanes take turns.  One has its turn when tasks of it are ready, none of it is
 * claimed and has not begun, it does not rest, and its service has room for
 * more than those of it that are claimed and have not begun.
 */
#ifndef SVCKIT_FLOW_QUEUE_LANES_H
#define SVCKIT_FLOW_QUEUE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/queue_book.h"
#include "flow/queue_claims.h"
#include "sched/name_table.h"

struct queue_lane {
	uint32_t service;
	bool taken; /* one of it is claimed, and has not begun */
	double rests; /* monotonic seconds: nothing is claimed before */
};

/* What is shared by the lanes of a service. */
struct queue_lane_service {
	size_t taken;
	size_t vacant; /* as it was asked */
	uint64_t asked; /* in which round */
};

struct queue_lanes_options {
	bool local; /* all services are one: it is asked for as "" */
	/* How many more tasks could begin. */
	size_t (*vacant)(void *argument, const char *service);
	void *argument;
};

struct queue_lanes {
	struct queue_lanes_options options;
	struct queue_lane *lanes;
	size_t count;
	size_t capacity;
	struct name_table names; /* of services */
	struct queue_lane_service *services;
	size_t service_capacity;
	size_t cursor;
	uint64_t round;
};

void queue_lanes_init(
    struct queue_lanes *lanes, const struct queue_lanes_options *options);
void queue_lanes_release(struct queue_lanes *lanes);

/* Forgets the lanes, since the book is another one; not what is taken. */
void queue_lanes_clear(struct queue_lanes *lanes);

/* Learns of the lanes that the book has by now.  EX_OSERR. */
int queue_lanes_learn(struct queue_lanes *lanes, const struct queue_book *book,
    struct svc_error *error);

/* The lane whose turn it is at now (time_monotonic()); QUEUE_LANE_NONE. */
uint32_t queue_lanes_next(
    struct queue_lanes *lanes, const struct queue_book *book, double now);

/* The claim is of lane, which has had its turn; and: it has begun, or ended. */
void queue_lanes_enter(
    struct queue_lanes *lanes, uint32_t lane, struct queue_claim *claim);
void queue_lanes_leave(struct queue_lanes *lanes, struct queue_claim *claim);

/* Nothing is claimed of the claim's lane before until (monotonic). */
void queue_lanes_rest(
    struct queue_lanes *lanes, const struct queue_claim *claim, double until);

/* When the next of those that rest and have work may go on; HUGE_VAL: none. */
double queue_lanes_rested(
    const struct queue_lanes *lanes, const struct queue_book *book, double now);

#endif
