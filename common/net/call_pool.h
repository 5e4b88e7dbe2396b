/*
 * Inside the call engine: services, their instances, and who may take a task.
 *
 * Tasks wait in lanes (call_lane.h); the engine serves runnable lanes in turn.
 * A planned task goes to its instance; for others a policy chooses one
 * (call_choice.h).
 *
 * An instance takes a task while it works and has fewer requests open than its
 * limit.  The limit is its slots; an answer "busy" or a refused connection cuts
 * it to what is open, and it rests: for as long as it has asked for, and a
 * random time beside, so that all who were turned away do not come back
 * together (see "Exponential Backoff And Jitter", AWS, 2015).  Each rest that
 * ends admits one request more, until the limit is the slots again.  The random
 * time is at most the place's pace, which each cut doubles and each rest
 * without one halves.  Successes do not: who is served by an instance that is
 * full would ask for more all the time, and where many do so most requests are
 * turned away.
 *
 * One that fails is loaded, and after some failures in a row it is ejected
 * (call_ejection.h).
 */
#ifndef SVCKIT_NET_CALL_POOL_H
#define SVCKIT_NET_CALL_POOL_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/instance.h"
#include "line/task.h"
#include "net/call.h"
#include "net/call_lane.h"
#include "sched/random.h"

struct call_choice;
struct call_grant;
struct call_http;
struct call_job;
struct call_place;
struct call_service;
struct call_target;

TAILQ_HEAD(call_grants, call_grant);

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
	double failed; /* when the last was, or the last was forgiven */
	unsigned faults; /* in a row: those for which it may be ejected */
	unsigned ejections; /* less one for each 30 s without */
	double ejected; /* until then; or, of the past, when that ended; 0 */
	bool out; /* it is ejected */
	double pace; /* seconds that its next rest takes at most */
	bool quiet; /* not cut since the last rest */
	double cut; /* when the limit was cut last */
	double refused; /* since when all connections were; 0: they are not */
	bool answered; /* it has, at some time */
	double busy; /* since when all were told that it is; 0: they are not */
	bool served; /* it has brought a result, at some time */
	double until; /* rests until then; 0: does not rest */
	unsigned vacant; /* what it adds to the service's */
	uint32_t member; /* of the service's choice, or CALL_NOBODY */
	bool told; /* the registry has it; else a task line named it */
	bool works; /* it may get new work */
	bool listed; /* it gets work that requires nothing */
	bool stays; /* what is planned onto it stays */
	bool gone; /* out of the tree: freed when nothing is open */
	bool mark;
	TAILQ_ENTRY(call_place) link; /* in the service */
	TAILQ_ENTRY(call_place) rest; /* in the pool, while until > 0 */
	TAILQ_ENTRY(call_place) bench; /* in the pool, while it is out */
};

/* What a request that was chosen a place has taken there, until it ends. */
struct call_grant {
	struct call_place *place;
	struct call_lane *lane; /* where its job stood */
	bool counted; /* by the choice */
	TAILQ_ENTRY(call_grant) link; /* in the service, or spare */
};

struct call_service {
	char *name;
	void *tree; /* of its places, by id */
	TAILQ_HEAD(, call_place) places;
	struct call_choice *choice; /* NULL: not told of */
	struct call_place **members; /* of it */
	struct call_grants grants; /* of what runs */
	size_t place_count; /* told */
	size_t users; /* jobs that refer to it */
	size_t active; /* of those: they run */
	size_t vacant; /* requests more that would be taken */
	size_t working; /* told, and may get new work */
	size_t out; /* ejected */
	bool failing; /* some have failed of late, */
	double forgiven; /* which was looked at then */
	struct call_lane lane; /* of tasks that require nothing */
	struct call_lanes lanes; /* that one and the others */
	struct call_lanes parked;
	void *lane_tree; /* of the others, by what is required */
	size_t lane_count;
	size_t lane_limit; /* so many, and the empty ones go */
	bool told;
	bool worked; /* had a working instance at some time */
	double down; /* since when it has none */
	bool absent; /* nothing refers to it, and it is kept for that */
	TAILQ_ENTRY(call_service) link; /* in the pool */
	TAILQ_ENTRY(call_service) kept; /* in the pool, while it is absent */
};

struct call_pool {
	struct call_http *http; /* that the targets belong to */
	void *tree; /* of services, by name */
	TAILQ_HEAD(, call_service) services;
	TAILQ_HEAD(, call_service) absent; /* who was asked for last is last */
	size_t absent_count;
	const struct call_options *options; /* borrowed */
	struct policy_options choice; /* theirs, with a cursor of ours */
	struct call_lanes runnable;
	TAILQ_HEAD(, call_place) resting;
	TAILQ_HEAD(, call_place) bench; /* who is ejected */
	struct call_grant *chosen; /* not begun yet, or NULL */
	struct call_grants spare;
	bool unsettled; /* something was chosen */
	struct random random;
	unsigned jobs;
	size_t strays; /* places that the registry never had */
	size_t strays_limit; /* so many, and the idle ones go */
};

/* Of options: jobs, policy, choice, note.  Borrowed. */
void call_pool_init(struct call_pool *pool, const struct call_options *options);
/* All lanes must be empty and nothing open. */
void call_pool_release(struct call_pool *pool);

/* How instances are chosen. */
const struct policy_type *call_pool_policy(const struct call_pool *pool);

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
 * not stay are moved to the service's lanes.
 */
int call_pool_tell(struct call_pool *pool, struct call_service *service,
    const struct instance *instances, size_t count, double now,
    struct svc_error *error);

/*
 * Lets a service go that nothing refers to.  Since when nobody is there stays
 * known, for the next that wait for it; of too many names for those that were
 * asked for last.
 */
void call_pool_forget(struct call_pool *pool, struct call_service *service);

/*
 * The service's lane of tasks that require what task does.  NULL: EX_OSERR; or
 * EX_DATAERR, "requires" cannot be read.  It may go as soon as it is empty.
 */
struct call_lane *call_pool_lane(struct call_pool *pool,
    struct call_service *service, const struct call_task *task,
    struct svc_error *error);

/*
 * The next job that can be started, and where.  begun: only one that has had
 * an attempt.  NULL: none.  The job stays in its lane.
 */
struct call_job *call_pool_next(
    struct call_pool *pool, bool begun, double now, struct call_place **place);

/*
 * Where task could go at once, as the policy chooses, but not to except (which
 * may be NULL).  NULL: nowhere.  For previews, and for hedges.
 */
struct call_place *call_pool_other(struct call_pool *pool,
    struct call_service *service, const struct call_task *task,
    const struct call_place *except, double now);

/* A run of choices ends: policy_settle(). */
void call_pool_settle(struct call_pool *pool);

/*
 * What became of a request at place; call_place_end() comes last, and may free
 * it.
 */
/*
 * To be called at once when a place was chosen.  The grant, which may be NULL,
 * ends by call_grant_end().
 */
struct call_grant *call_place_begin(
    struct call_pool *pool, struct call_place *place);
void call_grant_end(struct call_pool *pool, struct call_grant *grant);
void call_place_succeeded(struct call_pool *pool, struct call_place *place);
/* fault: the instance's, not the task's (4xx): it counts for ejection. */
void call_place_failed(
    struct call_pool *pool, struct call_place *place, bool fault, double now);
/*
 * retry_after in seconds, negative: not said; began: when the request was sent.
 */
void call_place_busy(struct call_pool *pool, struct call_place *place,
    double retry_after, double began, double now);
/*
 * Its connection died.  If it has ever answered it may be going away, one
 * connection after the other: for a moment nothing more is sent to it, so that
 * no more is lost than what is open.
 */
void call_place_lost(
    struct call_pool *pool, struct call_place *place, double now);
void call_place_end(struct call_pool *pool, struct call_place *place);

/* The connection was refused; answered: it was not. */
void call_place_refused(struct call_place *place, double now);
void call_place_answered(struct call_place *place);

/* Ends the rests that are over; returns when the next one is, 0: none. */
double call_pool_wake(struct call_pool *pool, double now);

/* Full jitter: uniform up to 25 ms doubled count times, at most 1 s. */
double call_pool_jitter(struct call_pool *pool, unsigned count);

#endif
