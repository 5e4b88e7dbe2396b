/*
 * Lines on their way into the queue, many at a time, so that they share their
 * syncs; each is told what became of it, in the order in which they came.
 *
 *	submit_batch_open(&batch, &options, &error);
 *	submit_batch_add(batch, line, length, number, &error);
 *	...
 *	submit_batch_flush(batch, &error);
 *	submit_batch_close(batch);
 *
 * A task that waits for others is stored when they are: so nobody ever finds it
 * in the queue without them, and it is refused where one of them is.
 */
#ifndef SVCKIT_FLOW_SUBMIT_BATCH_H
#define SVCKIT_FLOW_SUBMIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "registry/queue.h"

struct submit_batch;

enum submit_end {
	SUBMIT_ACCEPTED, /* it is in the queue, on disk */
	SUBMIT_KNOWN, /* it was there before: place says where */
	SUBMIT_TAKEN, /* another task has its id */
	SUBMIT_UNKNOWN, /* it waits for a task that there is none of */
	SUBMIT_INVALID, /* what it says of others cannot be read */
	SUBMIT_FAILED, /* it could not be stored */
	SUBMIT_PASSED /* submit_batch_pass() */
};

struct submit_outcome {
	enum submit_end end;
	const char *id; /* "" of SUBMIT_PASSED */
	unsigned long number; /* of its line; 0 of SUBMIT_PASSED */
	/* The line, LF included: the finished one of a task that has ended;
	 * with "error" of one that was refused. */
	const char *line;
	size_t length;
	struct queue_place place; /* of SUBMIT_KNOWN */
	struct svc_error error; /* why not; code is the exit status */
};

/* Strings live during the call.  -1 stops: error is the caller's. */
typedef int (*submit_tell_fn)(void *argument,
    const struct submit_outcome *outcome, struct svc_error *error);

struct submit_batch_options {
	/* With the queue's directories; NULL with dry: there is nothing yet. */
	struct store *store;
	bool hold; /* nobody is to claim them */
	bool dry; /* tell what would be; store nothing */
	submit_tell_fn tell;
	void *argument;
};

int submit_batch_open(struct submit_batch **batch,
    const struct submit_batch_options *options, struct svc_error *error);
/* What was not flushed is dropped.  NULL is allowed. */
void submit_batch_close(struct submit_batch *batch);

/*
 * Adds a task: its line as submission_write() makes it, which is copied; number
 * is that of the line that it came in.  -1: EX_OSERR, or the store cannot be
 * asked.
 */
int submit_batch_add(struct submit_batch *batch, const char *line,
    size_t length, unsigned long number, struct svc_error *error);

/* Adds a line that is only to come out in its turn. */
int submit_batch_pass(struct submit_batch *batch, const char *line,
    size_t length, struct svc_error *error);

/* None of the tasks that were added is stored: why says the reason. */
void submit_batch_refuse(
    struct submit_batch *batch, const struct svc_error *why);

/* How many lines are in it, and whether that is enough for one time. */
size_t submit_batch_count(const struct submit_batch *batch);
bool submit_batch_full(const struct submit_batch *batch);

/* Stores them, tells of each, and is empty.  -1: as submit_batch_add(), or
 * tell() said so. */
int submit_batch_flush(struct submit_batch *batch, struct svc_error *error);

#endif
