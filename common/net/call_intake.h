/*
 * Inside svc-call: lines from the event loop, one by one, as there is room for
 * them.
 */
#ifndef SVCKIT_NET_CALL_INTAKE_H
#define SVCKIT_NET_CALL_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/reader.h"

struct event;
struct event_base;

struct call_intake_options {
	struct reader *reader; /* borrowed; NULL: there is one line, empty */
	/* there may be a line, or (error not NULL) none any more */
	void (*came)(void *argument, const struct svc_error *error);
	void *argument;
};

struct call_intake {
	struct call_intake_options options;
	struct event *event; /* NULL: the descriptor never blocks */
	bool drained; /* nothing more is read */
	bool ended; /* and all of it was yielded */
};

enum intake_state {
	INTAKE_FAILED = -1,
	INTAKE_WAITS, /* came() says when to ask again; or it has ended */
	INTAKE_LINE,
	INTAKE_AGAIN /* something was read: ask again */
};

/* EX_OSERR. */
int call_intake_open(struct call_intake *intake, struct event_base *base,
    const struct call_intake_options *options, struct svc_error *error);
void call_intake_close(struct call_intake *intake);

/* The next line, valid until the next call; reads once at most. */
enum intake_state call_intake_next(
    struct call_intake *intake, struct line *line, struct svc_error *error);

/*
 * Nothing more is read (reader_stop()).  What has come is still to be asked
 * for.
 */
int call_intake_stop(struct call_intake *intake, struct svc_error *error);

/* The memory of the line that came last (reader_take()). */
int call_intake_take(struct call_intake *intake, struct buffer *store);

/* Bytes that were yielded. */
uint64_t call_intake_consumed(const struct call_intake *intake);

#endif
