/*
 * Inside the command pool: a task on its way through a command.
 */
#ifndef SVCKIT_FLOW_COMMAND_JOB_H
#define SVCKIT_FLOW_COMMAND_JOB_H

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <stdbool.h>

#include "flow/command_pool.h"
#include "line/buffer.h"
#include "line/error.h"
#include "net/call.h"
#include "process/worker_process.h"
#include "sched/random.h"

struct command_job {
	struct command_pool *pool;
	struct call_task *task;
	enum { JOB_WAITS, JOB_RUNS, JOB_RESTS } state;
	enum { STOP_NOT, STOP_TIMEOUT, STOP_LARGE, STOP_CANCEL } stopped;
	struct worker_process *process; /* while it runs */
	struct event *timer; /* of its time, or its rest */
	struct buffer input; /* what the command reads */
	struct buffer output; /* what it has printed */
	struct buffer complaint; /* the line of its standard error so far */
	double first; /* monotonic: when it was begun; 0: it was not */
	double began; /* this attempt */
	double expires; /* HUGE_VAL: never */
	int attempts;
	int retries; /* left */
	TAILQ_ENTRY(command_job) link; /* while it waits */
	TAILQ_ENTRY(command_job) all;
};

struct command_pool {
	struct event_base *base;
	struct command_pool_options options;
	call_done_fn done;
	void *argument;
	struct event *pump;
	struct call_instance instance; /* this machine */
	struct random random;
	TAILQ_HEAD(, command_job) jobs;
	TAILQ_HEAD(command_jobs, command_job) waiting;
	size_t pending;
	size_t running;
	bool paused;
	bool crowded; /* the machine has no room for a process */
};

/* job is all zero.  -1: no memory. */
int command_job_init(
    struct command_job *job, struct command_pool *pool, struct call_task *task);
/* Kills what runs. */
void command_job_release(struct command_job *job);

/* Starts its process.  -1: errno says why, as after child_start(). */
int command_job_start(struct command_job *job, struct svc_error *error);

/* Ends it, now or when its process has ended, as CODE_CANCELLED. */
void command_job_cancel(struct command_job *job);

/* done() is called, and the job is gone.  result: what was printed; or NULL. */
void command_job_finish(struct command_job *job,
    const struct task_failure *failure, struct buffer *result);

/* The pool's part: to the end of those that wait. */
void command_pool_put(struct command_pool *pool, struct command_job *job);
/* It goes. */
void command_pool_drop(struct command_pool *pool, struct command_job *job);
/* A process has ended. */
void command_pool_left(struct command_pool *pool);

#endif
