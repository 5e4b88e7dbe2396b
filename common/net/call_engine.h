/*
 * Inside the call engine: the engine, and a job, which is the state of one
 * task on its way.  A job waits in a lane (call_pool.h), is delayed before it
 * is sent again, or runs: then it has an attempt, or two where it is hedged.
 *
 *	call_job.h	what happens to it
 *	call_expiry.h	when it gives up waiting, and why
 *	call_attempt.h	its requests
 *	call_resend.h	whether it is sent again when one was in vain
 *	call_hedge.h	when it gets a second one
 */
#ifndef SVCKIT_NET_CALL_ENGINE_H
#define SVCKIT_NET_CALL_ENGINE_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "line/task.h"
#include "net/call.h"
#include "net/call_budget.h"
#include "net/call_http.h"
#include "net/call_pool.h"
#include "net/call_rate.h"
#include "net/call_stats.h"

/* Requests of one job at once: the one, and a hedge. */
#define CALL_ATTEMPTS 2

/* Timers of libevent may come this much early. */
#define CALL_TIMER_SLACK 0.001

/* A request of a job at a place. */
struct call_attempt {
	struct call_job *job;
	struct call_place *place; /* NULL: it does not run */
	struct call_request *request;
	struct call_grant *grant; /* of the place, or NULL */
	enum call_reason reason;
	size_t bytes; /* of its body */
	double sent; /* monotonic seconds */
};

struct call_job {
	struct call_engine *engine;
	struct call_task *task;
	struct call_service *service;
	struct call_lane *lane; /* where it waits, or NULL */
	const void *avoid; /* the place where it failed; compared only */
	struct call_attempt attempts[CALL_ATTEMPTS];
	int running; /* of those */
	struct event timer; /* its expiry, the end of its delay, a hedge */
	bool planned; /* the task came with an instance */
	bool delayed;
	bool begun; /* has had an attempt */
	bool late; /* among the engine's: a hedge is due */
	bool hedged; /* has had a second request since it was sent last */
	enum call_reason reason; /* why it is sent next */
	double submitted; /* all times: monotonic seconds */
	double deadline; /* HUGE_VAL: none */
	double first; /* when it was begun */
	double expires; /* once begun */
	double resume; /* of delayed */
	int sent; /* requests so far */
	int retries; /* left */
	unsigned retried; /* so often */
	struct task_failure last; /* of an attempt; its body may be gone */
	TAILQ_ENTRY(call_job) link; /* in its lane, late, or spare */
	TAILQ_ENTRY(call_job) all; /* in the engine */
};

struct call_engine {
	struct event_base *base;
	struct call_options options;
	call_done_fn done;
	void *argument;
	struct call_pool pool;
	struct call_http *http;
	struct call_budget retries;
	struct call_budget hedges;
	struct call_rate rate;
	struct event *alarm; /* a place's rest ends, or the rate allows more */
	double alarm_at; /* 0: not set */
	TAILQ_HEAD(, call_job) jobs;
	struct call_jobs late; /* for a second request each */
	struct call_jobs spare;
	size_t pending;
	size_t running; /* requests */
	bool paused;
	bool ending; /* cancelled: nothing is sent a second time */
};

#endif
