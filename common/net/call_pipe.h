/*
 * Task lines in, finished lines out, by way of the call engine: the inside of
 * svc-call.  Lines in = lines out.
 *
 * Both ends are part of the event loop.  Input is read only while the engine
 * has room, and while what is held, read and not yet written, is within the
 * bound.  Output is written after POLLOUT; while more than 1 MiB of it waits no
 * task gets its first attempt, and what has begun is served.
 */
#ifndef SVCKIT_NET_CALL_PIPE_H
#define SVCKIT_NET_CALL_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/reader.h"
#include "line/writer.h"
#include "net/call.h"
#include "net/call_item.h"
#include "net/call_tally.h"
#include "net/call_watch.h"

struct call_pipe;
struct event_base;

struct call_pipe_options {
	struct call_item_options item;
	struct call_options call;
	struct call_watch_options watch; /* open NULL: no registry */
	struct reader *reader; /* NULL: INPUT_PAYLOAD */
	struct writer *writer;
	int output; /* the writer's descriptor */
	bool keep_order;
	bool preview; /* prints what would be sent, and sends nothing */
	/* takes the error lines of -o result, LF included */
	void (*complain)(void *argument, const char *text, size_t length);
	/* told of each line that cannot be read; may be NULL */
	void (*warn)(void *argument, const char *message);
	/* called ten times a second, and at the end; may be NULL */
	void (*progress)(void *argument, const struct call_progress *progress);
	void *argument; /* of these */
};

/* What it came to. */
struct call_counts {
	size_t failed; /* tasks */
	size_t invalid; /* lines */
};

/* options are copied; what they point to is borrowed.  EX_OSERR. */
int call_pipe_open(struct call_pipe **pipe, struct event_base *base,
    const struct call_pipe_options *options, struct svc_error *error);
void call_pipe_close(struct call_pipe *pipe);

/*
 * Runs until all that was read is written.  -1: input or output is broken;
 * errno is as reader and writer leave it, *output tells which.  Of a broken
 * input all that had come is written.
 */
int call_pipe_run(struct call_pipe *pipe, struct call_counts *counts,
    bool *output, struct svc_error *error);

/*
 * An orderly stop, from an event: nothing more is read, what waits comes out
 * as cancelled (and a line that has only begun, too, or as invalid), what runs
 * may finish.  The second time what runs is cancelled,
 * too; the third time what is not written yet is dropped.
 */
void call_pipe_stop(struct call_pipe *pipe);

#endif
