/*
 * Tasks in from a reader, each out to a writer as one line, with
 * an instance or with the reason why it has none.
 *
 * What has been read already is decided on together; before anything may
 * block, on output or on more input, the policy is settled, so that nobody
 * waits for a cursor while we wait for a pipe.
 */
#ifndef SVCKIT_SCHED_PLACER_PIPE_H
#define SVCKIT_SCHED_PLACER_PIPE_H

#include <stdbool.h>

#include "line/error.h"
#include "line/reader.h"
#include "line/task.h"
#include "line/writer.h"
#include "sched/placer.h"

struct placer_pipe {
	struct reader *reader; /* all borrowed */
	struct writer *writer;
	struct placer *placer;
	const struct envelope_options *options;
	/* told of each line that cannot be read: "stdin:17: ..." */
	void (*warn)(void *argument, const struct svc_error *error);
	void *argument;
	/* what came of it; all zero at first */
	unsigned long tasks;
	unsigned long invalid;
	unsigned long failed; /* came with an error, and passed */
	unsigned long unplaced;
	char first[sizeof(((struct task_failure *)0)->message)];
	unsigned long first_line; /* of the unplaced; and why */
	bool output_failed; /* of -1: it was the writer, errno says why */
};

/* Runs to the end of input.  -1: nothing more can be read, done or written. */
int placer_pipe_run(struct placer_pipe *filter, struct svc_error *error);

#endif
