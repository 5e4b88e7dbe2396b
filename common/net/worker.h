/*
 * A command as a service: POST /task runs it, GET /health tells of it.
 * task-worker(8) has the table of answers.
 *
 * Calling sequence: worker_open() listens, worker_address() tells where,
 * worker_start() starts what runs all the time, and the event base does the
 * rest.  The process must ignore SIGPIPE.
 */
#ifndef SVCKIT_NET_WORKER_H
#define SVCKIT_NET_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

struct event_base;
struct worker;

struct worker_options {
	const char *bind; /* as server_options.bind */
	bool public; /* may be an address that others reach */
	int slots; /* tasks at once; at least 1 */
	int backlog; /* requests that wait beyond slots */
	double timeout; /* seconds a task may run; 0: no limit */
	bool lines; /* slots copies stay; a line in, a line out */
	bool text; /* stdout is text: the answer is text/plain */
	size_t max_task; /* bytes of a request's body */
	size_t max_result; /* bytes of an answer's */
	char *const *command; /* borrowed */
	/* Gets what the command writes to its standard error, as it comes; and
	 * one line, with LF, when a copy must be restarted.  May be NULL. */
	void (*complaint)(void *argument, const char *text, size_t length);
	void *argument;
};

/* EX_USAGE, EX_NOPERM, EX_UNAVAILABLE, EX_OSERR: as server_open(). */
int worker_open(struct worker **worker, struct event_base *base,
    const struct worker_options *options, struct svc_error *error);

/*
 * The command's environment (borrowed), and with lines the copies' start.
 * Fails as child_start() does when the first copy cannot be started.
 */
int worker_start(
    struct worker *worker, char *const *environment, struct svc_error *error);

/* Kills what still runs and waits for it.  NULL is allowed. */
void worker_close(struct worker *worker);

const char *worker_address(const struct worker *worker);
/* Slots that are taken. */
int worker_busy(const struct worker *worker);
/* The part of the slots that was taken since this was asked before, or since
 * the start: a mean over that time, 0 to 1.  Negative: no time has passed. */
double worker_utilization(struct worker *worker);

/*
 * Answers 503 to newcomers; calls idle when the last task has ended and grace
 * seconds more have passed.
 */
void worker_drain(struct worker *worker, double grace,
    void (*idle)(void *argument), void *argument);

#endif
