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

#include "line/buffer.h"
#include "line/error.h"
#include "line/reader.h"
#include "line/task.h"
#include "line/writer.h"
#include "sched/batch.h"
#include "sched/placer.h"

struct placer_pipe {
	struct reader *reader; /* all borrowed */
	struct writer *writer; /* NULL: what goes out is counted, not written */
	struct placer *placer;
	const struct envelope_options *options;
	/*
	 * Where lines are held instead of being placed; or NULL.  Those that
	 * pass or cannot be read go out at once, and the policy need not be
	 * open.  Borrowed.
	 */
	struct batch *batch;
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

/*
 * Runs to the end of input.  -1: nothing more can be read, done or written;
 * what was decided has come out, as far as output works, and what was held by
 * then is in the batch.
 */
int placer_pipe_run(struct placer_pipe *filter, struct svc_error *error);

/*
 * The rest is how decided lines go out, for placer_batch.h.
 *
 * Queues lines, which may be none.  1: so much has gathered that the policy is
 * to be settled and all to be flushed; 0: it may wait; -1.
 */
int placer_pipe_put(struct placer_pipe *filter, const struct buffer *lines,
    struct svc_error *error);

/* Writes what has gathered. */
int placer_pipe_flush(struct placer_pipe *filter, struct svc_error *error);

/* Counts a task that has no instance, and tells of one that cannot be read. */
void placer_pipe_note(struct placer_pipe *filter,
    const struct task_failure *failure, unsigned long line);

#endif
