/*
 * Inside the call engine: lanes, in which tasks wait for an instance.
 *
 * Each instance has one for the tasks planned onto it.  A service has one for
 * all tasks that require the same; as tasks are few (twice the jobs), lanes
 * are.  Those that hold a task are runnable, in the pool's list, or parked: one
 * for whose task nobody was found waits, in its service's list, until one of
 * the service's instances may have room again.
 */
#ifndef SVCKIT_NET_CALL_LANE_H
#define SVCKIT_NET_CALL_LANE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "line/json.h"
#include "line/task_failure.h"

struct call_job;
struct call_place;
struct call_pool;
struct call_service;

TAILQ_HEAD(call_jobs, call_job);

struct call_lane {
	struct call_jobs jobs;
	struct call_service *service;
	struct call_place *place; /* NULL: any instance of the service */
	/* As on the lines; a copy, its own.  span.data NULL: nothing. */
	struct json_value requires;
	size_t fits; /* instances that get work and meet it */
	bool worked; /* there were some at some time */
	double down; /* since when there are none */
	size_t grants; /* of its jobs, as they run */
	bool armed; /* the timers of its jobs know that it is down */
	bool runnable; /* in the pool's list */
	bool parked; /* in the service's */
	TAILQ_ENTRY(call_lane) link; /* in either */
	TAILQ_ENTRY(call_lane) all; /* in the service, unless it has a place */
};

TAILQ_HEAD(call_lanes, call_lane);

/* All zero before. */
void call_lane_init(struct call_lane *lane, struct call_service *service,
    struct call_place *place);

/* Puts a job into a lane: at its head when it has been sent before. */
void call_lane_add(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job);
void call_lane_remove(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job);

/* All jobs of one into another. */
void call_lane_move(
    struct call_pool *pool, struct call_lane *from, struct call_lane *to);

/*
 * Whether nobody is there to take the lane's jobs: no instance that works and
 * meets what they require, or all of those turn away who comes.  since: that
 * long; worked: it was different before.
 */
bool call_lane_down(const struct call_lane *lane, double *since, bool *worked);

/*
 * Why that is so: CODE_NO_INSTANCES, CODE_UNPLACEABLE, CODE_UNREACHABLE,
 * CODE_BUSY.
 */
void call_lane_why(const struct call_lane *lane, struct task_failure *failure);

/* How many beside place meet what they require, and work. */
size_t call_lane_others(
    const struct call_lane *lane, const struct call_place *place);

/* Whoever may take its jobs has come, gone, or been told of. */
void call_lane_update(struct call_pool *pool, struct call_lane *lane);

/* Out of the runnable ones: nobody has room for its first job. */
void call_lane_park(struct call_pool *pool, struct call_lane *lane);

/* An instance of service may have room again. */
void call_lanes_wake(struct call_pool *pool, struct call_service *service);

/* The service's lane of tasks with requires, or NULL. */
struct call_lane *call_lane_find(
    const struct call_service *service, const struct json_value *requires);

/*
 * Makes it, when there is none; NULL without memory.  Empty ones are kept, but
 * not too many.
 */
struct call_lane *call_lane_new(struct call_pool *pool,
    struct call_service *service, const struct json_value *requires);

/* The service has another choice: who of it fits? */
void call_lane_tell(struct call_lane *lane, double now);

/* The service goes: all are empty. */
void call_lanes_release(struct call_pool *pool, struct call_service *service);

#endif
