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

/* Who of service has failed is forgiven one failure a second. */
void call_place_forgive(
    struct call_pool *pool, struct call_service *service, double now);

/*
 * Since when it has turned away all: refused, or busy.  0: it has not, or may
 * be about to take one.
 */
double call_place_closed(const struct call_place *place);

/* Nothing is open and nobody waits there. */
bool call_place_idle(const struct call_place *place);

/* Must follow each change: what the service's choice knows, and its lane. */
void call_place_update(struct call_pool *pool, struct call_place *place);
/* It is no member of the service's choice any more. */
void call_place_leave(struct call_place *place);
/* Into the pool's list of resting places, or (0) out of it. */
void call_place_rest(
    struct call_pool *pool, struct call_place *place, double until);
/* A rest is over: one request more may be open. */
void call_place_wake(
    struct call_pool *pool, struct call_place *place, double now);

/* call_roster.c: frees an idle place. */
void call_place_free(struct call_pool *pool, struct call_place *place);

#endif
