/*
 * One run of a handler: a process group that gets events on standard input and
 * is watched until it ends, times out or is stopped (process/handler.h).
 */
#ifndef SVCKIT_PROCESS_HANDLER_RUN_H
#define SVCKIT_PROCESS_HANDLER_RUN_H

#include <signal.h>

#include "line/error.h"
#include "process/handler_queue.h"

struct event_base;
struct handler_run;

struct handler_run_options {
	struct event_base *base;
	char *const *argv;
	char *const *environment; /* without what is told of the events */
	const sigset_t *ignored;
	double timeout; /* seconds; 0: none */
	/*
	 * It has ended, and is to be freed, now or later; reason is NULL when
	 * it exited with 0.  Not called from within a call below.
	 */
	void (*ended)(void *argument, const char *reason);
	void *argument;
};

/*
 * Starts it for the events of batch, which is not needed afterwards; what
 * options points to is borrowed.  -1: the message is the reason, "cannot be
 * run: ...".
 */
int handler_run_start(struct handler_run **run,
    const struct handler_run_options *options,
    const struct handler_batch *batch, struct svc_error *error);

/* TERM to the group, and KILL when it has not ended within grace seconds. */
void handler_run_stop(struct handler_run *run, double grace);

/* Frees it; when it has not ended, its group is killed.  NULL is allowed. */
void handler_run_free(struct handler_run *run);

#endif
