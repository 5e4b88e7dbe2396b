/*
 * Inside the call engine: services, their instances, and who may take a task.
 *
 * Tasks wait in lanes: each service has one for tasks that any of its instances
 * may take, each instance one for the tasks planned onto it.  A lane is
 * runnable when it holds a task and somebody can take one; the engine serves
 * runnable lanes in turn.
 *
 * An instance takes a task while it works and has fewer requests open than its
 * limit.  The limit is its slots; an answer "busy" or a refused connection cuts
 * it to what is open, and it rests for a while with full jitter (25 ms, doubled
 * each time, at most 1 s; see "Exponential Backoff And Jitter", AWS, 2015).
 * Each rest that ends admits one request more, and each success brings that end
 * closer, until the limit is the slots again.
 */
#ifndef SVCKIT_NET_CALL_POOL_H
#define SVCKIT_NET_CALL_POOL_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"
#include "line/task.h"
#include "net/call.h"
#include "sched/random.h"

struct call_http;
struct call_job;
struct call_place;
struct call_service;
struct call_target;

TAILQ_HEAD(call_jobs, call_job);

struct call_lane {
	struct call_jobs jobs;
	struct call_service *service;
	struct call_place *place; /* NULL: any instance of the service */
	bool runnable; /* in the pool's list */
	TAILQ_ENTRY(call_lane) link;
};

/* An instance. */
struct call_place {
	struct call_instance instance; /* points into memory */
	struct call_service *service;
	struct call_target *target; /* call_http's; NULL until first used */
	const char *key; /* in the tree: ID if told, else "ID ADDRESS" */
	const char *owner; /* the record's; NULL: not known */
	char *memory;
	struct call_lane lane;
	unsigned slots; /* as said, at most the pool's jobs */
	unsigned limit; /* requests that may be open now */
	unsigned open; /* requests that are */
	unsigned failures; /* in a row, less one for each second since */
	double failed; /* when the last was */
	unsigned streak; /* busy answers in a row */
	double cut; /* when the limit was cut last */
	double refused; /* since when all connections were; 0: they are not */
	bool answered; /* it has, at some time */
	double until; /* rests until then; 0: does not rest */
	size_t ready; /* place in the service's list; SIZE_MAX: none */
	bool told; /* the registry has it; else a task line named it */
	bool works; /* it may get new work */
	bool stays; /* what is planned onto it stays */
	bool gone; /* out of the tree: freed when nothing is open */
	bool mark;
	TAILQ_ENTRY(call_place) link; /* in the service */
	TAILQ_ENTRY(call_place) rest; /* in the pool, while until > 0 */
};

struct call_service {
	char *name;
	void *tree; /* of its places, by id */
	TAILQ_HEAD(, call_place) places;
	struct call_place **ready; /* told, and can take a task */
	size_t ready_count;
	size_t ready_capacity;
	size_t place_count; /* told */
	size_t users; /* jobs that refer to it */
	size_t working; /* told, and may get new work */
	struct call_lane lane;
	bool told;
	bool worked; /* had a working instance at some time */
	double down; /* since when it has none */
	TAILQ_ENTRY(call_service) link; /* in the pool */
};

struct call_pool {
	struct call_http *http; /* that the targets belong to */
	void *tree; /* of services, by name */
	TAILQ_HEAD(, call_service) services;
	TAILQ_HEAD(, call_lane) runnable;
	TAILQ_HEAD(, call_place) resting;
	struct random random;
	unsigned jobs;
	size_t strays; /* places that the registry never had */
	size_t strays_limit; /* so many, and the idle ones go */
};

void call_pool_init(struct call_pool *pool, unsigned jobs, uint64_t seed);
/* All lanes must be empty and nothing open. */
void call_pool_release(struct call_pool *pool);

/* The service called name, or NULL. */
struct call_service *call_pool_find(
    const struct call_pool *pool, const char *name);

/* The same, made when there is none; NULL without memory. */
struct call_service *call_pool_service(
    struct call_pool *pool, const char *name);

/*
 * The place that planned names: the told one of that id, or, where the service
 * was not told of, as it stands on the line.  1; 0: the registry says that it
 * is gone, draining or critical: any other will do; -1.
 */
int call_pool_planned(struct call_pool *pool, struct call_service *service,
    const struct task_instance *planned, struct call_place **place,
    struct svc_error *error);

/*
 * Replaces what is known of service.  Jobs in lanes of places where they may
 * not stay are moved to the service's lane.
 */
int call_pool_tell(struct call_pool *pool, struct call_service *service,
    const struct instance *instances, size_t count, double now,
    struct svc_error *error);

/* Frees a service that nothing refers to. */
void call_pool_forget(struct call_pool *pool, struct call_service *service);

/* Puts a job into a lane: at its head when it has been sent before. */
void call_lane_add(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job);
void call_lane_remove(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job);

/*
 * Whether nobody is there to take the lane's jobs: no instance that works, or
 * all refuse connections.  since: that long; worked: it was different before.
 */
bool call_lane_down(const struct call_lane *lane, double *since, bool *worked);

/*
 * The next job that can be started, and where.  begun: only one that has had
 * an attempt.  NULL: none.  The job stays in its lane.
 */
struct call_job *call_pool_next(
    struct call_pool *pool, bool begun, double now, struct call_place **place);

/* The least loaded of two random ready places, not avoid if there is another;
 * NULL: none is ready. */
struct call_place *call_service_choose(struct call_pool *pool,
    struct call_service *service, const struct call_place *avoid, double now);

/*
 * What became of a request at place; call_place_end() comes last, and may free
 * it.
 */
void call_place_begin(struct call_pool *pool, struct call_place *place);
void call_place_succeeded(
    struct call_pool *pool, struct call_place *place, double now);
void call_place_failed(
    struct call_pool *pool, struct call_place *place, double now);
/* retry_after in seconds, 0: not said; began: when the request was sent. */
void call_place_busy(struct call_pool *pool, struct call_place *place,
    double retry_after, double began, double now);
void call_place_end(struct call_pool *pool, struct call_place *place);

/* The connection was refused; answered: it was not.  1: that is a change. */
int call_place_refused(struct call_place *place, double now);
void call_place_answered(struct call_place *place);

/* Ends the rests that are over; returns when the next one is, 0: none. */
double call_pool_wake(struct call_pool *pool, double now);

/* Full jitter: uniform up to 25 ms doubled count times, at most 1 s. */
double call_pool_jitter(struct call_pool *pool, unsigned count);

#endif
