/*
 * task-run --queue: the queue as the source of a run, and the service manager
 * that looks after the process (sd_notify(3)'s READY, STATUS, WATCHDOG).
 *
 *	cli_queue_open(&queue, base, &options);
 *	run_options.source = cli_queue_source(queue);
 *	run_open(&run, base, &run_options, &error);
 *	cli_queue_start(queue, run);
 *	run_dispatch(run, ...);
 *	status = cli_queue_close(queue);
 */
#ifndef SVCKIT_CMD_CLI_QUEUE_H
#define SVCKIT_CMD_CLI_QUEUE_H

#include <stdbool.h>

#include "cli_calling.h"
#include "flow/queue_source.h"
#include "flow/run.h"

struct cli_queue;

struct cli_queue_options {
	struct cli_calling *calling; /* borrowed, complete */
	const char *service; /* of tasks that name none; or NULL */
	double ttl; /* of the claimant; 0: a lock */
	bool local; /* --exec */
	bool until_empty;
};

/* Opens it, or exits.  The registry is made where there is none. */
void cli_queue_open(struct cli_queue **queue, struct event_base *base,
    const struct cli_queue_options *options);

/* Lives as long as queue. */
const struct run_source *cli_queue_source(const struct cli_queue *queue);

/* What commands inherit; -1: nothing. */
int cli_queue_descriptor(const struct cli_queue *queue);

/* All is open: tasks may come, and the service manager is told. */
void cli_queue_start(struct cli_queue *queue, struct run *run);

/* A signal: nothing more is claimed. */
void cli_queue_stop(struct cli_queue *queue);

/* One line on standard error: how it stands; USR1 asks for it. */
void cli_queue_status(const struct cli_queue *queue);

/*
 * Completes what has ended, gives the rest back, and frees it: 0; 1: a task
 * has failed, and --until-empty asked; 69: --until-empty, and tasks are left
 * that nobody takes; or the status of an error, after its message.
 */
int cli_queue_close(struct cli_queue *queue);

#endif
