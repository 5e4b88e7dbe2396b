/*
 * The slots of one instance under a plan that gives them by time: how many are
 * taken, and which the next task gets, the lowest in which none is.
 */
#ifndef SVCKIT_SCHED_PLAN_LANES_H
#define SVCKIT_SCHED_PLAN_LANES_H

#include <stdint.h>

#include "sched/min_heap.h"

struct plan_lanes {
	uint32_t count;
	uint32_t taken;
	uint32_t reached; /* all from here on were never used */
	struct min_heap left; /* those below it that are free */
};

void plan_lanes_init(struct plan_lanes *lanes, uint32_t count);
void plan_lanes_release(struct plan_lanes *lanes);

/* Takes so many, which there must be; returns one that is the task's alone. */
uint32_t plan_lanes_take(struct plan_lanes *lanes, uint32_t slots);
/* -1: no memory. */
int plan_lanes_give_back(
    struct plan_lanes *lanes, uint32_t slots, uint32_t lane);

#endif
