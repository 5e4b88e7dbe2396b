/*
 * Inside the call engine: hedged requests.  A task that has not been answered
 * in time is late, and gets a second request to another instance, when one has
 * a slot for it and the budget allows; else it is looked at again when it has
 * waited twice as long.  See "The Tail at Scale" (Dean and Barroso, 2013).
 *
 * Late ones come before tasks that have not begun: else a second request would
 * find no place among the engine's jobs as long as there are tasks.
 */
#ifndef SVCKIT_NET_CALL_HEDGE_H
#define SVCKIT_NET_CALL_HEDGE_H

#include <stdbool.h>

struct call_engine;
struct call_job;

/* The job runs: sets its timer, if it may get a second request. */
void call_hedge_arm(struct call_job *job, double now);

/* The timer of a running job: it is late. */
void call_hedge_due(struct call_job *job);

/* Not any more: a request of it has ended. */
void call_hedge_forget(struct call_job *job);

/* Sends one late job a second time; false: there was none to send. */
bool call_hedge_next(struct call_engine *engine, double now);

#endif
