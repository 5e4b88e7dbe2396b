/*
 * What task-run shows of a run: -v, --gantt, --progress, USR1.
 *
 * All of it is made from the run's events (flow/run_event.h).  Where there is
 * no view any more, or none yet (NULL), nothing is shown.
 */
#ifndef SVCKIT_CMD_CLI_RUN_H
#define SVCKIT_CMD_CLI_RUN_H

#include <stdbool.h>

#include "cli_progress.h"
#include "flow/run.h"
#include "flow/run_event.h"

struct cli_run;

struct cli_run_options {
	bool log; /* -v: each event is a line of JSON on standard error */
	const char *gantt; /* --gantt: as cli_report_file.h; or NULL */
	const char *title; /* of the chart: what the tasks came from */
	struct cli_progress *progress; /* --progress; borrowed, or NULL */
};

/* Begins, or exits: with 73 or 77 where the chart could not be written. */
void cli_run_open(struct cli_run **view, const struct cli_run_options *options);

/* A run_event_fn: argument is the view. */
void cli_run_event(void *argument, const struct run_event *event);

/* Draws the progress anew: a line for all, and one for each service. */
void cli_run_update(struct cli_run *view, const struct run_counts *counts);

/*
 * One line on standard error: how far it is; USR1 asks for it.
 *
 *	task-run: 3700 of 10000 done, 2 failed, 32 running, 6266 waiting
 *
 * Where there are any, those that were skipped, cancelled or restored stand
 * behind the failed ones.
 */
void cli_run_status(struct cli_run *view, const struct run_counts *counts);

/* Writes the chart and ends.  Returns 0, or 74 after a message. */
int cli_run_close(struct cli_run *view, const struct run_counts *counts);

#endif
