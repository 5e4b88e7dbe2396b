/*
 * task-submit: lines on their way into the queue, and out of it again.
 *
 * What is there of the input shares its syncs; when the input pauses, what has
 * come is stored and printed.  While lines are read, what was submitted before
 * may end, and is printed, too.
 */
#ifndef SVCKIT_CMD_CLI_SUBMIT_H
#define SVCKIT_CMD_CLI_SUBMIT_H

#include <stdbool.h>

#include "cli.h"
#include "line/submission.h"
#include "line/task.h"

struct cli_submit_options {
	const struct cli *cli;
	const char *data; /* --data; NULL: lines from standard input */
	struct envelope_options lines; /* text, bare, max_task */
	struct submission_options task;
	bool hold;
	bool dry_run;
	bool wait;
	bool keep_order; /* the rest is of wait */
	bool results;
	double timeout; /* seconds; negative: not said */
};

/* Returns the exit status, or dies of the signal that ended the wait. */
int cli_submit(const struct cli_submit_options *options);

#endif
