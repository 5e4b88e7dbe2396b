/*
 * --progress: how far a run of calls has come, on standard error.
 *
 * On a terminal one line is drawn again and again (ui/progress.h), as wide as
 * the terminal is at that moment, and the last one stays; where it is known
 * what comes to which service, there are lines below it, as many as there is
 * room for.  What else writes to that terminal calls cli_progress_hide() first;
 * the lines are back at the next update.  It is not drawn while stdout is a
 * terminal, too, where the output would run into it, while the process is in
 * the background, where TERM is unset or "dumb", and while the terminal takes
 * nothing (^S).
 *
 * Without such a terminal there is nothing but one line at the end, as a
 * message: "svc-call: 3700 done, 2 failed  412/s  in 9s".
 *
 * The part that is done is that of the bytes of input that have been read,
 * where stdin is a regular file, and of the lines read that have ended; in a
 * pipe it is not known before the input has ended.
 */
#ifndef SVCKIT_CMD_CLI_PROGRESS_H
#define SVCKIT_CMD_CLI_PROGRESS_H

#include "net/call_tally.h"
#include "ui/progress.h"

struct cli_progress;

/*
 * Begins, or exits with 71.  input: the descriptor that tasks are read from;
 * -1: none.
 */
void cli_progress_open(struct cli_progress **progress, int input);

/*
 * Takes the counts and draws the lines, but not sooner than a tenth of a second
 * after the last one.
 */
void cli_progress_update(
    struct cli_progress *progress, const struct call_progress *counts);

/*
 * What comes to which service (copied), from the next update on.
 */
void cli_progress_services(struct cli_progress *progress,
    const struct progress_service *services, size_t count);

/* Takes the lines away, if they are there.  NULL is allowed. */
void cli_progress_hide(struct cli_progress *progress);

/* Prints the last lines and ends.  NULL is allowed. */
void cli_progress_close(struct cli_progress *progress);

#endif
