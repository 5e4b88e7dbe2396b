/*
 * Inside svc-call: what is written when.
 *
 * Output is part of the event loop.  Ended items are handed to the writer in
 * their order, as it has room, and written after POLLOUT; where writing never
 * blocks, at once.
 */
#ifndef SVCKIT_NET_CALL_OUTPUT_H
#define SVCKIT_NET_CALL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/writer.h"
#include "net/call_queue.h"

struct event;
struct event_base;

struct call_output_options {
	struct writer *writer; /* borrowed, and made to queue */
	int descriptor; /* the writer's */
	/* takes the error lines of -o result, LF included */
	void (*complain)(void *argument, const char *text, size_t length);
	void *complain_argument;
	/* something was written, or (error not NULL) could not be */
	void (*moved)(void *argument, const struct svc_error *error);
	void *argument;
};

struct call_output {
	struct call_output_options options;
	struct event *event; /* NULL: the descriptor never blocks */
	struct buffer tail; /* comes out when the queue is empty */
};

/* EX_OSERR. */
int call_output_open(struct call_output *output, struct event_base *base,
    const struct call_output_options *options, struct svc_error *error);
void call_output_close(struct call_output *output);

/* A text of whole lines that is no item's: it comes out last. */
void call_output_append(
    struct call_output *output, bool complaint, struct buffer *text);

/*
 * Hands over what has ended, and has it written.  -1: it cannot be, and errno
 * is as writer_line() leaves it; or EX_OSERR.
 */
int call_output_put(struct call_output *output, struct call_queue *queue,
    struct svc_error *error);

/* Bytes that wait to be written. */
size_t call_output_pending(const struct call_output *output);

/* Whether so much waits that nothing new should be begun. */
bool call_output_full(const struct call_output *output);

/* Whether nothing waits. */
bool call_output_idle(const struct call_output *output);

#endif
