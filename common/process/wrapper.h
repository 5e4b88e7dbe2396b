/*
 * A command that this process stands in front of: it shares the terminal and
 * the process group, gets the signals that were sent to this process alone,
 * and dies with it (PR_SET_PDEATHSIG).
 *
 * Forwarded are TERM, HUP, INT, QUIT, USR1 and USR2, unless this process was
 * started with them ignored; what the terminal sent to the whole foreground
 * group the command has had already.
 */
#ifndef SVCKIT_PROCESS_WRAPPER_H
#define SVCKIT_PROCESS_WRAPPER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "line/error.h"

struct event_base;
struct wrapper;

struct wrapper_options {
	struct event_base *base;
	const sigset_t *ignored; /* what the command ignores; NULL: nothing */
	/* TERM, INT or QUIT came and is not forwarded yet.  May be NULL. */
	void (*stopping)(void *argument, int number);
	/* The command has ended; the status is waitpid(2)'s. */
	void (*ended)(void *argument, int wait_status);
	void *argument;
};

/* Takes the signals from here on; those that come before the start reach the
 * command after it. */
int wrapper_open(struct wrapper **wrapper,
    const struct wrapper_options *options, struct svc_error *error);

/* Starts the command; fails as child_start() does, errno with it.  ended is
 * not called from within. */
int wrapper_start(struct wrapper *wrapper, char *const *argv,
    char *const *environment, struct svc_error *error);

/* Tells the command to end: TERM, and KILL when it has not within grace
 * seconds.  ended is called as always. */
void wrapper_stop(struct wrapper *wrapper, double grace);

/* Whether the command runs. */
bool wrapper_runs(const struct wrapper *wrapper);
/* Its process; 0: it does not run. */
pid_t wrapper_pid(const struct wrapper *wrapper);

/* Frees it; a command that runs is killed.  NULL is allowed. */
void wrapper_close(struct wrapper *wrapper);

#endif
