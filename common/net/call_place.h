/*
 * Inside the call engine: one instance, its slots, load and rests.
 * call_pool.h has the structs.
 */
#ifndef SVCKIT_NET_CALL_PLACE_H
#define SVCKIT_NET_CALL_PLACE_H

#include <stdbool.h>

#include "net/call_pool.h"

/* Whether it can take one more of the tasks that are planned onto it. */
bool call_place_free_slot(const struct call_place *place);

/* Requests open, one, and failures in a row (one a second is forgiven). */
double call_place_load(const struct call_place *place, double now);

/* Nothing is open and nobody waits there. */
bool call_place_idle(const struct call_place *place);

/* Must follow each change: the service's list of ready places and the lanes. */
void call_place_update(struct call_pool *pool, struct call_place *place);
/* Into the service's list of ready places, or out of it. */
void call_place_ready(struct call_place *place, bool ready);
/* Into the pool's list of resting places, or (0) out of it. */
void call_place_rest(
    struct call_pool *pool, struct call_place *place, double until);
/* A rest is over: one request more may be open. */
void call_place_wake(
    struct call_pool *pool, struct call_place *place, double now);

/* call_roster.c: frees an idle place. */
void call_place_free(struct call_pool *pool, struct call_place *place);

/* call_pool.c: puts a lane among the runnable ones, or out. */
void call_lane_update(struct call_pool *pool, struct call_lane *lane);

#endif
