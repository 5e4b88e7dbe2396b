/*
 * A command that is run for events: svc-watch's HANDLER.
 *
 * One run at a time, in order, on an event loop.  An event that comes while
 * nothing runs is handed over at once; those that come during a run wait, and
 * of several of one instance only the newest: what a handler gets to see is the
 * present state however slow it is, and what waits is bounded by the number of
 * instances.
 *
 *	handler_open(&handler, &options, &error);
 *	handler_add(handler, &event);			any number of times
 *	handler_finish(handler);	or handler_stop(handler, 5); ... idle()
 *	handler_close(handler);
 *
 * A run reads the JSON lines of its events from standard input, which is a file
 * (it may leave them unread); its standard output is this process's standard
 * error; and it finds in its environment
 *
 *	SVC_EVENT	the event's kind: "down"
 *	SVC_SERVICE	its service
 *	SVC_ID		its instance's id
 *	SVC_EVENTS	how many lines there are
 *
 * each of the first three empty where an event has none or where the events of
 * the run do not agree.  There is no shell, and nothing of an event becomes an
 * argument or the name of a variable.
 *
 * The run leads a process group of its own.  What a run that has ended left
 * behind in it goes on (a server that it started); of one that had to be killed
 * nothing is left.  Its end is seen on a pidfd, so that SIGCHLD is free for
 * others: handler_open() only sees to it that it is not ignored.  Its exit
 * status is lost if somebody else takes it with waitpid(-1).
 */
#ifndef SVCKIT_PROCESS_HANDLER_H
#define SVCKIT_PROCESS_HANDLER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

struct event_base;
struct handler;

struct handler_options {
	struct event_base *base;
	char *const *argv; /* borrowed; argv[0] is looked up in PATH */
	char *const *environment; /* the array is copied, strings borrowed */
	const sigset_t *ignored; /* what it ignores; NULL: nothing.  Copied */
	/*
	 * Seconds of quiet that end a gathering: of several events in a row the
	 * first is handed over at once, the others together in one run when
	 * none has come for that long, but HANDLER_SETTLE_LIMIT times as long
	 * after the first of them at the latest.  0: a run for each.
	 */
	double settle;
	/* Seconds after which TERM goes to the run's group, and KILL
	 * HANDLER_KILL_DELAY later; 0: it may take for ever. */
	double timeout;
	/*
	 * Called from the event loop, never from within a call below.
	 *
	 * failed: a run did not exit with 0.  reason is one clause of the form
	 * "exit status 3", "killed by signal 9 (SIGKILL)", "timed out after
	 * 30s", "cannot be run: 'x': No such file or directory"; once a run.
	 *
	 * idle: what was added has been dealt with: nothing waits, nothing
	 * runs.  Only from here may handler_close() be called.  May be NULL.
	 */
	void (*failed)(void *argument, const char *reason);
	void (*idle)(void *argument);
	void *argument;
};

#define HANDLER_SETTLE_LIMIT 10
#define HANDLER_KILL_DELAY   1.0

/* All of it is copied. */
struct handler_event {
	const char *kind; /* "down" */
	const char *service; /* NULL: of all */
	const char *id; /* NULL: of no instance */
	const char *line; /* its JSON; the LF behind it is optional */
	size_t length;
	/* The next one continues this one (a "sync" in several lines): they
	 * wait, and are handed over, together. */
	bool more;
};

int handler_open(struct handler **handler,
    const struct handler_options *options, struct svc_error *error);

/*
 * Starts a run for the event, or lets it wait.  It takes the place of one that
 * waits for the same service and id (without an id, and a "renew" or "load":
 * of the same kind, too), at the end of the line; a "sync" takes that of all.
 * Without memory the event is lost, and failed() says so.  After handler_stop()
 * it does nothing.
 *
 * Do not add the events that failed() gives rise to: a handler that always
 * fails would run for ever.
 */
void handler_add(struct handler *handler, const struct handler_event *event);

/*
 * Nothing more will be added that is worth waiting for: what waits is handed
 * over as soon as nothing runs.  idle() follows where handler_busy().
 */
void handler_finish(struct handler *handler);

/*
 * Nothing that waits is run; the group of the run that is on gets TERM, and
 * KILL when it has not ended within grace seconds.  idle() follows in any case.
 */
void handler_stop(struct handler *handler, double grace);

/* Whether an idle() is to come. */
bool handler_busy(const struct handler *handler);

/* Frees it; a run that is on is killed, its group with it.  NULL is allowed. */
void handler_close(struct handler *handler);

#endif
