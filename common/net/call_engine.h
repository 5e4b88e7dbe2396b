/*
 * Inside the call engine: the engine, and a job, which is the state of one
 * task on its way.  A job waits in a lane (call_pool.h), is delayed before it
 * is sent again, or runs.
 */
#ifndef SVCKIT_NET_CALL_ENGINE_H
#define SVCKIT_NET_CALL_ENGINE_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "line/task.h"
#include "net/call.h"
#include "net/call_http.h"
#include "net/call_pool.h"

struct call_job {
	struct call_engine *engine;
	struct call_task *task;
	struct call_service *service;
	struct call_lane *lane; /* where it waits, or NULL */
	struct call_place *place; /* where it runs, or NULL */
	const void *avoid; /* the place where it failed; compared only */
	struct call_request *request; /* while it runs */
	struct event timer; /* its expiry, or the end of its delay */
	bool planned; /* the task came with an instance */
	bool delayed;
	bool begun; /* has had an attempt */
	double submitted; /* all times: monotonic seconds */
	double deadline; /* HUGE_VAL: none */
	double expires; /* once begun */
	double resume; /* of delayed */
	double sent; /* the last attempt */
	int attempts;
	int retries; /* left */
	struct task_failure last; /* of an attempt; without its body */
	TAILQ_ENTRY(call_job) link; /* in its lane, or among the spare ones */
	TAILQ_ENTRY(call_job) all; /* in the engine */
};

struct call_engine {
	struct event_base *base;
	struct call_options options;
	call_done_fn done;
	void *argument;
	struct call_pool pool;
	struct call_http *http;
	struct event *rest; /* the next place's rest ends */
	double rest_at;
	TAILQ_HEAD(, call_job) jobs;
	struct call_jobs spare;
	size_t pending;
	size_t running;
	bool paused;
	bool ending; /* cancelled: nothing is sent a second time */
};

/* A job for task, among the engine's; NULL without memory. */
struct call_job *call_job_new(
    struct call_engine *engine, struct call_task *task);

/* Into a lane: the planned place's (when it is not NULL), or the service's. */
void call_job_queue(struct call_job *job, struct call_place *place);

/* Sets the timer of a waiting job to its expiry, if it has one. */
void call_job_arm(struct call_job *job);
void call_lane_arm(struct call_lane *lane);

/* Sends it to place. */
void call_job_start(struct call_job *job, struct call_place *place, double now);

/* Ends it: done() is called, the job is gone.  answer may be NULL. */
void call_job_finish(struct call_job *job, const struct task_failure *failure,
    const struct call_place *place, const struct call_answer *answer);
/* Ends a waiting or running one as CODE_CANCELLED. */
void call_job_cancel(struct call_job *job);

/* The ended callback of call_http; argument is the job. */
void call_job_ended(void *argument, const struct call_answer *answer);

#endif
