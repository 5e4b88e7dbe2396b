/*
 * Inside the call engine: requests that are held until it is known how their
 * server wants them.
 *
 * Many requests can share one connection of HTTP/2, and nobody knows before
 * there is one whether the server speaks it: each of those that begin at once
 * would make a connection of its own.  So over TLS one request goes ahead, the
 * scout, and the others wait here until it is about to be sent, on a connection
 * made or kept, or has failed; then all go.  While they wait their time runs.
 * A server that has once answered in HTTP/1.1 is not scouted again.
 *
 * libcurl's own way, PIPEWAIT, leaves those that wait without a timeout (7.88).
 */
#ifndef SVCKIT_NET_CALL_HOLD_H
#define SVCKIT_NET_CALL_HOLD_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "line/error.h"

struct call_loop;
struct call_request;
struct event;

LIST_HEAD(call_requests, call_request);

struct call_hold {
	struct call_loop *loop;
	struct call_requests requests;
	struct event *timer;
	double until; /* what the timer is set to; 0: it is not */
	bool due; /* call_hold_sweep() has something to do */
};

/* Of loop, which is open.  EX_OSERR. */
int call_hold_open(
    struct call_hold *hold, struct call_loop *loop, struct svc_error *error);
/* No request is held. */
void call_hold_close(struct call_hold *hold);

/* Whether request has to wait for its target's scout; else it may be one. */
bool call_hold_wanted(struct call_request *request);

/* Takes request, until it expires. */
void call_hold_add(struct call_hold *hold, struct call_request *request);

/*
 * It is about to be sent, or has ended.  Whether it was a scout for whom others
 * wait: then they may go.
 */
bool call_hold_free(struct call_hold *hold, struct call_request *request);

/*
 * Moves those that may go to ready, in the order in which they came, and those
 * whose time is over to late.
 */
void call_hold_sweep(struct call_hold *hold, struct call_requests *ready,
    struct call_requests *late);

#endif
