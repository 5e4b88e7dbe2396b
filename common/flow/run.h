/*
 * Task lines in, executed in their order of dependency, finished lines out: the
 * inside of task-run.  Lines in = lines out.
 *
 *	run_open(&run, base, &options, &error);
 *	event_base_dispatch(base) by way of run_dispatch(run, &counts, ...);
 *	run_close(run);
 *
 * Lines are read (whole, of a file; else as they come and there is room), kept
 * in a table, and given to the call engine, or to a command, when what they
 * wait for has ended and there is room for them there: never sooner, so that
 * they are bound by what is known at that moment.  What ends is written into
 * the journal first, then decides about those that wait for it, then comes out.
 */
#ifndef SVCKIT_FLOW_RUN_H
#define SVCKIT_FLOW_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/command_pool.h"
#include "flow/halt.h"
#include "flow/journal.h"
#include "flow/run_event.h"
#include "flow/task_bind.h"
#include "line/error.h"
#include "line/reader.h"
#include "line/writer.h"
#include "net/call.h"
#include "net/call_item.h"
#include "net/call_watch.h"
#include "sched/group_shares.h"
#include "sched/task_order.h"

struct event_base;
struct run;

/* A task of a source that has ended. */
struct run_ended {
	const char *id;
	struct buffer *line; /* finished, LF included; may be emptied */
	enum task_code code; /* CODE_NONE: a result */
	int attempts;
};

/*
 * Where tasks come from, and go to, when not from reader and to writer
 * (flow/queue_source.h).  Their dependencies have been seen to: after and when
 * are not looked at, and bind asks for results here.
 */
struct run_source {
	/* The next line, valid until the next call: 1; 0: there is none until
	 * run_feed() is called; -1. */
	int (*next)(void *argument, struct line *line, struct svc_error *error);
	/* Its first request was sent, or its command started. */
	void (*begun)(void *argument, const char *id);
	int (*result)(void *argument, const char *id, struct task_result *found,
	    struct svc_error *error);
	/* Each task that next() gave ends once. */
	void (*ended)(void *argument, const struct run_ended *ended);
	/* run_vacant() may say more than it did. */
	void (*vacancy)(void *argument);
	void *argument;
};

struct run_options {
	struct call_item_options item; /* result_only: how lines come out */
	struct call_options call;
	struct call_watch_options watch; /* open NULL: no registry */
	/* told to the engine once; watch is not used then; or NULL */
	const struct instance *instances;
	size_t instance_count;
	const struct command_pool_options *command; /* NULL: services */
	const struct run_source *source; /* or NULL: reader and writer */
	struct reader *reader;
	bool whole; /* the input is a file: it is read to its end first */
	struct writer *writer;
	int output; /* the writer's descriptor */
	bool keep_order;
	bool plan; /* -n: lines come out in their order; nothing is done */
	const char *directory; /* of temporary files */
	struct journal *journal; /* or NULL; borrowed */
	bool resume;
	enum task_order order;
	const struct group_shares *shares;
	struct halt halt;
	/* told of lines that cannot be read, and other trouble; may be NULL */
	void (*warn)(void *argument, const char *message);
	/* takes the error lines of -o result, LF included */
	void (*complain)(void *argument, const char *text, size_t length);
	run_event_fn event; /* or NULL */
	/* ten times a second, and at the end; or NULL */
	void (*tick)(void *argument);
	void *argument; /* of these */
};

/* How far it is. */
struct run_counts {
	uint64_t consumed; /* bytes of input */
	size_t taken; /* lines read */
	size_t done; /* that have ended, in whatever way */
	size_t failed; /* of those: what makes the exit status 1 */
	size_t invalid; /* lines that could not be read */
	size_t skipped;
	size_t cancelled;
	size_t restored;
	size_t waiting; /* for others, or for their turn */
	size_t running; /* requests, or commands */
	bool ended; /* there is no more input */
	bool halted; /* --halt */
	/* --halt success=N was reached: what was cancelled is no failure */
	bool satisfied;
};

/* options are copied; what they point to is borrowed.  EX_OSERR. */
int run_open(struct run **run, struct event_base *base,
    const struct run_options *options, struct svc_error *error);
void run_close(struct run *run);

enum run_fault { RUN_INPUT, RUN_OUTPUT, RUN_JOURNAL };

/*
 * Runs until all that was read has come out.  -1: EX_DATAERR, the input as a
 * whole is no workflow, and nothing has been started (each fault was warned
 * of); or what fault says is broken: input or output (errno is as reader and
 * writer leave it) or the journal, which was warned of, too, and what ran has
 * come out, and the rest as cancelled.
 */
int run_dispatch(
    struct run *run, enum run_fault *fault, struct svc_error *error);

void run_counts(const struct run *run, struct run_counts *counts);

/* With a source: it has a line. */
void run_feed(struct run *run);
/* There will be none: the run ends when what it has has ended. */
void run_finish(struct run *run);
/* How many more tasks of service could be started at once. */
size_t run_vacant(struct run *run, const char *service);
/* The task of that id, if there is one, ends as CODE_CANCELLED. */
void run_revoke(struct run *run, const char *id);

/*
 * An orderly stop, from an event: nothing more is read or started, what runs
 * may finish, the rest comes out as cancelled.  The second time what runs is
 * cancelled, too; the third time what is not written yet is dropped.
 */
void run_stop(struct run *run);

#endif
