/*
 * task-submit --wait: tasks of the queue that somebody waits for, until they
 * have ended; each comes out as its finished line, or as its result.
 *
 * Tasks are looked at where they end, and are read from there when it is their
 * turn to be printed: what waits here is their ids.
 */
#ifndef SVCKIT_CMD_CLI_SUBMIT_WAIT_H
#define SVCKIT_CMD_CLI_SUBMIT_WAIT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "line/task_failure.h"
#include "store/store.h"

struct cli_submit_wait;

struct cli_submit_wait_options {
	struct store *store;
	struct writer *writer; /* standard output */
	bool keep_order; /* print in the order in which they were added */
	bool results; /* the results alone; other lines on standard error */
};

/* Begins, or exits: before anything is submitted, so that no end is missed. */
void cli_submit_wait_open(struct cli_submit_wait **wait,
    const struct cli_submit_wait_options *options);

/*
 * The exit status: 0; 1: something has failed; 74: lines that were for standard
 * error are lost.
 */
int cli_submit_wait_close(struct cli_submit_wait *wait);

/* Waits for the task with that id, which is in the queue. */
void cli_submit_wait_add(struct cli_submit_wait *wait, const char *id);

/* A line, LF included, that nobody needs to wait for, in its turn. */
void cli_submit_wait_add_line(
    struct cli_submit_wait *wait, const char *line, size_t length);

/* How many have not ended. */
size_t cli_submit_wait_count(const struct cli_submit_wait *wait);

/* Readable when cli_submit_wait_read() has something to do. */
int cli_submit_wait_descriptor(const struct cli_submit_wait *wait);

/* Prints what has ended. */
void cli_submit_wait_read(struct cli_submit_wait *wait);

/*
 * Those that have not ended come out with an error of that code, as far as they
 * have not been printed.  They stay in the queue.
 */
void cli_submit_wait_leave(struct cli_submit_wait *wait, enum task_code code);

#endif
