/*
 * A worker's tasks, and the two ways of running them: a process for each
 * (worker_job.c), and copies that stay (worker_copy.c).
 */
#ifndef SVCKIT_NET_WORKER_TASK_H
#define SVCKIT_NET_WORKER_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/units.h"
#include "net/server.h"
#include "net/worker.h"
#include "net/worker_load.h"
#include "process/worker_process.h"

/* From TERM to KILL. */
#define WORKER_GRACE_SECONDS 2.0

struct event;
struct worker_copy;

struct worker_task {
	TAILQ_ENTRY(worker_task) link; /* of the queue, or of what runs */
	struct worker *worker;
	struct server_request *request; /* NULL: answered, or gone */
	const char *body; /* the request's; gone with it */
	size_t length;
	char id[NAME_MAX_LENGTH + 1]; /* Idempotency-Key, or "" */
	int64_t deadline; /* ms since 1970; 0: none */
	struct event *timer; /* the deadline's, or the timeout's */
	bool runs;
	double started; /* on the monotonic clock */
	/* Its runner's: */
	struct worker_process *process;
	struct buffer output;
	struct worker_copy *copy;
};
TAILQ_HEAD(worker_tasks, worker_task);

/* A way of running tasks. */
struct worker_runner {
	/* 1: it runs; 0: not at this moment; -1: it cannot. */
	int (*start)(struct worker_task *task, struct svc_error *error);
	/*
	 * Nobody waits for the task any more, and its body goes: end it, and
	 * call task_release() when it has ended.
	 */
	void (*cancel)(struct worker_task *task);
};
extern const struct worker_runner worker_jobs;
extern const struct worker_runner worker_copies;

struct worker {
	struct event_base *base;
	struct server *server;
	struct worker_options options;
	const struct worker_runner *runner;
	char *const *environment;
	struct worker_tasks queue;
	struct worker_tasks running;
	int queued, busy;
	struct worker_load load; /* of busy, since it was asked for */
	double mean; /* seconds that tasks took of late; 0: none has ended */
	struct worker_copy *copies; /* options.slots of them, or NULL */
	bool draining;
	double drain_grace;
	struct event *drain_timer;
	void (*idle)(void *argument);
	void *idle_argument;
};

/* Answers the task, where somebody still waits: 200 with the command's output,
 * or 500 when that is not what it must be. */
void task_answer(struct worker_task *task, const char *data, size_t length);
/* Answers 500: how the process ended, and what it complained of. */
void task_answer_ended(struct worker_task *task, int wait_status,
    const struct worker_process *process);
/* Answers with a problem. */
void task_refuse(struct worker_task *task, int status, const char *detail);

/* The task has ended: frees it and its slot, and starts what waits. */
void task_release(struct worker_task *task);
/* A copy can take work. */
void worker_pump(struct worker *worker);

/* Starts the copies; fails when the first cannot be started. */
int copies_start(struct worker *worker, struct svc_error *error);
/* Kills them. */
void copies_free(struct worker *worker);
/* How many run. */
int copies_running(const struct worker *worker);

#endif
