/*
 * The call engine: tasks POSTed to instances, many at once, on libcurl's multi
 * socket interface driven by libevent.
 *
 * Busy is not failure: no instance gets more requests than its slots; 429, 503
 * with Retry-After and refused connections make the task wait and go again,
 * without spending retries, until its timeout.  While a service has no instance
 * that takes work nothing is started for it.  A task that came with an instance
 * stays there, and moves only when that instance is gone, draining or critical.
 * Of the others a policy (sched/policy.h) chooses the instance when one has a
 * slot for the task, among those that meet what the task requires.
 * svc-call(1) has the table of what is retried.
 *
 * Retries of failures have a budget: over the life of an engine at most one for
 * five tasks begun, and as many as one task may have (three at least) beside.
 * An instance that fails five times in a row is ejected: for 30 s it is chosen
 * for nothing, for 60 s the next time, and so on; never more than half of a
 * service's.  A hedged task is sent to a second instance when the first has
 * not answered in time; the first answer wins, and the other request is
 * cancelled.
 *
 * A task's timeout counts from its first attempt: waiting for a slot of our own
 * costs nothing, however many tasks stand in line.
 *
 * The engine never reads or writes the caller's pipes.  Its memory is bounded
 * by what the caller submits: call_room() says when to stop reading.
 *
 * Calling sequence:
 *
 *	call_open(&engine, base, &options, done, argument, &error);
 *	call_tell(engine, "render", list.items, list.count, &error);
 *	while (call_room(engine) > 0 && (task = next()) != NULL)
 *		call_submit(engine, task, &error);
 *	event_base_dispatch(base);
 *	call_close(engine);
 */
#ifndef SVCKIT_NET_CALL_H
#define SVCKIT_NET_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "line/json.h"
#include "line/task.h"
#include "sched/policy.h"

#define CALL_TIMEOUT  30.0 /* seconds, unless something else is said */
#define CALL_RETRIES  2
#define CALL_JOBS_MAX 10000

#define CALL_BUDGET 0.2 /* retries a task begun */
#define CALL_HEDGES 0.1 /* second requests a task begun */

struct event_base;
struct call_engine;
struct call_stats;

/* Who is talked to, and how.  Strings are borrowed while the engine lives. */
struct call_security {
	bool http1; /* no HTTP/2, also where TLS would agree on it */
	bool deny_private; /* connect to public addresses only */
	const char *ca_file; /* PEM: who vouches; NULL: the system */
	const char *cert; /* PEM: the client's certificate, or NULL */
	const char *key; /* PEM: its key; NULL: it is in cert */
	/*
	 * Sent as "Authorization: Bearer TOKEN", to instances that the engine
	 * was told of, over TLS or the loopback; other requests are refused
	 * (CODE_FORBIDDEN).  NULL: none.
	 */
	const char *token;
};

/* Why a request was sent. */
enum call_reason {
	CALL_FIRST,
	CALL_RETRY, /* after a failure */
	CALL_WAITED, /* after busy: free of charge */
	CALL_HEDGE /* beside one that takes long */
};

/* What became of it. */
enum call_result {
	CALL_ANSWERED, /* a result */
	CALL_BUSY,
	CALL_FAILED,
	CALL_FORBIDDEN, /* by our own options: nothing left */
	CALL_DROPPED /* cancelled: a hedge was decided, or a signal came */
};

struct call_instance;
struct call_task;

/*
 * Told of each request as it begins and ends; may be NULL.  sent() and ended()
 * may not call the engine; ended() comes before done().
 */
struct call_trace {
	/* attempt: from 1; one that is forbidden does not count */
	void (*sent)(void *argument, const struct call_task *task,
	    const struct call_instance *instance, enum call_reason reason,
	    int attempt);
	void (*ended)(void *argument, const struct call_task *task,
	    const struct call_instance *instance, enum call_result result,
	    double ms);
	/*
	 * After a request was begun, before the engine looks for the next one:
	 * may submit tasks, which can be chosen at once.  Who keeps his tasks
	 * until then binds each at the last moment.
	 */
	void (*begun)(void *argument);
	/*
	 * After all was begun that could be, each time that something has ended
	 * or changed: call_vacant() may say more than it did.  May submit
	 * tasks.
	 */
	void (*settled)(void *argument);
	void *argument;
};

struct call_options {
	int jobs; /* requests at once, in all; 1 to CALL_JOBS_MAX */
	double timeout; /* of a task that says none, seconds */
	int retries; /* of a task that says none */
	bool idempotent; /* 5xx, timeouts and resets are retried too */
	size_t max_result; /* bytes; 0: TASK_LENGTH_MAX */
	/* "Name: value", checked by call_header_check(), NULL at the end;
	 * borrowed while the engine lives; may be NULL */
	const char *const *headers;
	const struct policy_type *policy; /* NULL: p2c */
	/*
	 * Its options, and the seed of all that is random.  own and now are the
	 * engine's to set.
	 */
	struct policy_options choice;
	double hedge; /* seconds until a second request; 0: none */
	double rate; /* requests a second, of any kind; 0: as they come */
	struct call_security security;
	const char *traceparent; /* of tasks that bring none; NULL: made */
	struct call_stats *stats; /* told of each request; borrowed; or NULL */
	struct call_trace trace;
	/*
	 * While a task runs, the numbers that it requires are taken from the
	 * capacity of its instance, under every policy.
	 */
	bool consume;
	/* told of each decision to wait or retry, one line; may be NULL */
	void (*note)(void *argument, const char *message);
	void *note_argument;
	/* told of instances that get no tasks for want of a weight; the same */
	void (*warn)(void *argument, const char *message);
	void *warn_argument;
};

/* One task on its way; the caller's memory until done() has it. */
struct call_task {
	const char *id; /* sent as Idempotency-Key */
	const char *service; /* where it goes */
	const struct task_instance *planned; /* or NULL: the engine chooses */
	struct json_span body; /* what is POSTed */
	struct json_value requires; /* as on the line; span.data NULL: none */
	uint64_t key; /* task_key.h; for the policy hash */
	const char *traceparent; /* as on the line; NULL: none */
	const char *content_type; /* NULL: application/json */
	/*
	 * Seconds, all attempts together.  Negative: the option's, and then
	 * waiting for a service that has had an instance does not count.
	 */
	double timeout;
	double waited; /* seconds that it has been waiting already */
	int64_t deadline; /* ms since 1970; 0: none */
	int retries; /* negative: the option's */
	void *argument; /* the caller's */
	void *job; /* whose it is until done(), to find it by */
};

/* An instance as the engine knows it; valid during done(). */
struct call_instance {
	const char *service;
	const char *id;
	const char *address;
	struct json_span reference; /* {"service",...} as task lines have it */
};

/* How it ended; valid during done(). */
struct call_outcome {
	struct task_failure failure; /* code CODE_NONE: a 2xx answer */
	long status; /* HTTP of the last attempt; 0: none */
	double ms; /* the last attempt */
	double elapsed; /* seconds since the first began; negative: none did */
	/* requests, also those that were cancelled or found no connection, but
	 * not those that our own options forbade */
	int attempts;
	const char *body;
	size_t body_length;
	struct buffer *store; /* what body lies in, which done() may empty; or
				 NULL */
	const char *content_type; /* NULL: the answer named none */
	/* that answered or failed last, or NULL */
	const struct call_instance *instance;
};

/*
 * May submit other tasks, but neither cancel nor close.  Returns false where a
 * 2xx answer turned out to be no result: that counts as a failure of the
 * instance, which else would attract work.
 */
typedef bool (*call_done_fn)(
    void *argument, struct call_task *task, const struct call_outcome *outcome);

/*
 * EX_OSERR; EX_SOFTWARE: libcurl cannot start; EX_NOINPUT, EX_DATAERR: a file
 * of the security options cannot be used.
 */
int call_open(struct call_engine **engine, struct event_base *base,
    const struct call_options *options, call_done_fn done, void *argument,
    struct svc_error *error);

/* Drops what it still has, without a call of done. */
void call_close(struct call_engine *engine);

/*
 * Tells what is known of service: all its instances (copied), available or
 * not; replaces what was told before.  What runs goes on.  Of a service that
 * was never told of, planned instances are taken as the tasks have them; else
 * one that is not in the list is gone.  Those that the policy has no weight for
 * are called for planned tasks alone, and options.warn is told of them, once
 * until they are others.  EX_OSERR.
 */
int call_tell(struct call_engine *engine, const char *service,
    const struct instance *instances, size_t count, struct svc_error *error);

/*
 * Takes task; done() is called for it once, never from within call_submit().
 * -1: no memory; EX_DATAERR: "requires" cannot be read.  What has an address
 * that is no URL ends as CODE_UNREACHABLE.
 */
int call_submit(struct call_engine *engine, struct call_task *task,
    struct svc_error *error);

/*
 * Appends what would be sent for task, as the members "instance", "url",
 * "headers" and "bytes" of an object (no braces, no comma in front), and sends
 * nothing.  1; 0: no instance would take it; -1.
 */
int call_preview(struct call_engine *engine, const struct call_task *task,
    struct buffer *out, struct svc_error *error);

/* How many more tasks to submit: 2 * jobs less what it has. */
size_t call_room(const struct call_engine *engine);
/* How many it has, running or waiting; and how many run. */
size_t call_pending(const struct call_engine *engine);
size_t call_running(const struct call_engine *engine);

/*
 * How many more tasks of service that require nothing could be begun now: free
 * slots of those who get work and are not ejected, of the engine's jobs at most
 * what does not run, less those of service that wait already.  0 for a service
 * that it was not told of, while paused, and once cancelled.  What a task takes
 * is free after its done().  O(1).
 */
size_t call_vacant(const struct call_engine *engine, const char *service);

/*
 * Why task would find nobody: CODE_NO_INSTANCES, CODE_UNPLACEABLE,
 * CODE_UNREACHABLE, CODE_BUSY.
 */
void call_nobody(struct call_engine *engine, const struct call_task *task,
    struct task_failure *failure);

/*
 * Whether task, which was submitted, requires what nobody has, of those of its
 * service that take work; false where nobody does.
 */
bool call_unmet(const struct call_engine *engine, const struct call_task *task);

/* Whether it has a task of service. */
bool call_needs(const struct call_engine *engine, const char *service);

/* While paused no task gets its first attempt; what has begun is served. */
void call_pause(struct call_engine *engine, bool paused);

/*
 * Ends everything that waits, and with running what runs, as CODE_CANCELLED;
 * done() is called from within.
 */
void call_cancel(struct call_engine *engine, bool running);

/*
 * Ends task, which was submitted and is not done, as CODE_CANCELLED, whether it
 * waits, runs, or rests before it is sent again; done() is called from within.
 * Not from within done() or what the trace is told.
 */
void call_revoke(struct call_engine *engine, struct call_task *task);

/*
 * A header for -H: "Name: value", no CR, LF or other control characters, and
 * none that the engine makes itself; a traceparent is one.  EX_USAGE.
 */
int call_header_check(const char *header, struct svc_error *error);

#endif
