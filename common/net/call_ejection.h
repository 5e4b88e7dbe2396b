/*
 * Inside the call engine: instances that fail again and again are ejected: for
 * a while nothing is chosen for them, and what is planned onto them goes on.
 *
 * It takes CALL_FAULTS failures in a row that are the instance's fault.  The
 * while is CALL_EJECTED, twice that the next time, and so on; each CALL_EJECTED
 * without makes it shorter by as much.  Never more than half of a service's
 * instances that get work are out: what all of them do wrong is more likely
 * somebody else's fault.  Envoy calls it outlier detection.
 */
#ifndef SVCKIT_NET_CALL_EJECTION_H
#define SVCKIT_NET_CALL_EJECTION_H

#define CALL_FAULTS  5
#define CALL_EJECTED 30.0 /* seconds */

struct call_place;
struct call_pool;
struct call_service;

/* It has failed, and that is its fault; it has not. */
void call_ejection_fault(
    struct call_pool *pool, struct call_place *place, double now);
void call_ejection_clear(struct call_place *place);

/* Ends what is over; returns when the next one is, 0: none is out. */
double call_ejection_wake(struct call_pool *pool, double now);

/* It is not chosen any more, for another reason. */
void call_ejection_cancel(
    struct call_pool *pool, struct call_place *place, double now);

/* The service was told of: not more than half of those that work. */
void call_ejection_limit(
    struct call_pool *pool, struct call_service *service, double now);

#endif
