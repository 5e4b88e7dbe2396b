/*
 * Signals as events, with who sent them.
 *
 * The signals are blocked and read from a signalfd(2), so that nothing runs in
 * the middle of anything else, and what came before the loop runs is not lost.
 */
#ifndef SVCKIT_PROCESS_SIGNALS_H
#define SVCKIT_PROCESS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "line/error.h"

struct event_base;
struct signals;

/*
 * alone: a process sent it to this one (kill(2)); false: the kernel did, to
 * all of the foreground group (^C) or for its own reasons (SIGCHLD).
 */
typedef void (*signals_fn)(void *argument, int number, bool alone);

/*
 * The signals that this process ignores.  Asked first in main(), these are what
 * it was told to ignore by who started it (nohup(1), a shell's "&").
 */
void signals_ignored(sigset_t *set);

/*
 * For who waits for children: where SIGCHLD is ignored, as it may be by who
 * started this process, it is set to its default; else the kernel would throw
 * their exit status away.
 */
void signals_heed_children(void);

/*
 * Blocks the signals in wanted and calls fn for each that arrives.  Signals
 * that are ignored stay so, but SIGCHLD: signals_heed_children().
 */
int signals_open(struct signals **signals, struct event_base *base,
    const sigset_t *wanted, signals_fn fn, void *argument,
    struct svc_error *error);

/* Calls fn at once for what has arrived. */
void signals_read(struct signals *signals);

/* Ends it and puts the mask back (NULL is allowed). */
void signals_close(struct signals *signals);

#endif
