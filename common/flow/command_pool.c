#include "flow/command_pool.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <event2/event.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/command_job.h"
#include "line/units.h"
#include "sched/random.h"

/* A machine that has no room for a process is asked again after that. */
#define ROOM_SECONDS 0.05

static void
wake(struct command_pool *pool)
{
	static const struct timeval at_once = {0, 0};

	if (!evtimer_pending(pool->pump, NULL))
		evtimer_add(pool->pump, &at_once);
}

void
command_pool_put(struct command_pool *pool, struct command_job *job)
{
	TAILQ_INSERT_TAIL(&pool->waiting, job, link);
	job->state = JOB_WAITS;
	wake(pool);
}

void
command_pool_drop(struct command_pool *pool, struct command_job *job)
{
	if (job->state == JOB_WAITS)
		TAILQ_REMOVE(&pool->waiting, job, link);
	TAILQ_REMOVE(&pool->jobs, job, all);
	pool->pending--;
	command_job_release(job);
	free(job);
}

/* There may be room for another process. */
void
command_pool_left(struct command_pool *pool)
{
	pool->running--;
	wake(pool);
}

static void
refuse(struct command_job *job, int number, const struct svc_error *error)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_EXIT, "%s", error->message);
	failure.status = number == ENOENT ? 127 : 126;
	failure.retryable = false;
	command_job_finish(job, &failure, NULL);
}

static bool
is_room(int number)
{
	return number == EAGAIN || number == ENOMEM || number == EMFILE ||
	       number == ENFILE;
}

/* false: nothing more can be started now. */
static bool
start_next(struct command_pool *pool)
{
	const struct timeval wait = duration_timeval(ROOM_SECONDS);
	struct command_job *job = TAILQ_FIRST(&pool->waiting);
	struct svc_error error;
	int number;

	if (job == NULL || (pool->paused && job->attempts == 0) ||
	    pool->running >= (size_t)pool->options.jobs)
		return false;
	TAILQ_REMOVE(&pool->waiting, job, link);
	pool->running++;
	if (command_job_start(job, &error) == 0) {
		if (pool->options.trace.begun != NULL)
			pool->options.trace.begun(pool->options.trace.argument);
		return true;
	}
	number = errno;
	pool->running--;
	if (is_room(number)) {
		TAILQ_INSERT_HEAD(&pool->waiting, job, link);
		job->state = JOB_WAITS;
		pool->crowded = true;
		evtimer_add(pool->pump, &wait);
		return false;
	}
	refuse(job, number, &error);
	return true;
}

static void
on_pump(evutil_socket_t fd, short what, void *argument)
{
	struct command_pool *pool = argument;

	(void)fd;
	(void)what;
	pool->crowded = false;
	while (start_next(pool))
		;
	if (pool->options.trace.settled != NULL)
		pool->options.trace.settled(pool->options.trace.argument);
}

int
command_pool_open(struct command_pool **pool, struct event_base *base,
    const struct command_pool_options *options, call_done_fn done,
    void *argument, struct svc_error *error)
{
	struct command_pool *made = calloc(1, sizeof(*made));

	*pool = NULL;
	if (made != NULL)
		made->pump = evtimer_new(base, on_pump, made);
	if (made == NULL || made->pump == NULL) {
		free(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	made->base = base;
	made->options = *options;
	made->done = done;
	made->argument = argument;
	made->instance.service = "";
	made->instance.id = options->host;
	made->instance.address = "";
	made->instance.reference.data = "";
	random_seed(&made->random, (uint64_t)time_now());
	TAILQ_INIT(&made->jobs);
	TAILQ_INIT(&made->waiting);
	*pool = made;
	return 0;
}

void
command_pool_close(struct command_pool *pool)
{
	struct command_job *job;

	if (pool == NULL)
		return;
	while ((job = TAILQ_FIRST(&pool->jobs)) != NULL)
		command_pool_drop(pool, job);
	event_free(pool->pump);
	free(pool);
}

int
command_pool_submit(
    struct command_pool *pool, struct call_task *task, struct svc_error *error)
{
	struct command_job *job = calloc(1, sizeof(*job));

	if (job == NULL || command_job_init(job, pool, task) == -1) {
		free(job);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	TAILQ_INSERT_TAIL(&pool->jobs, job, all);
	pool->pending++;
	command_pool_put(pool, job);
	return 0;
}

void
command_pool_pause(struct command_pool *pool, bool paused)
{
	if (pool->paused && !paused)
		wake(pool);
	pool->paused = paused;
}

void
command_pool_cancel(struct command_pool *pool, bool running)
{
	struct command_job *job, *next;

	TAILQ_FOREACH_SAFE(job, &pool->jobs, all, next)
	if (running || job->state != JOB_RUNS)
		command_job_cancel(job);
}

size_t
command_pool_running(const struct command_pool *pool)
{
	return pool->running;
}

size_t
command_pool_pending(const struct command_pool *pool)
{
	return pool->pending;
}

size_t
command_pool_vacant(const struct command_pool *pool)
{
	size_t jobs = (size_t)pool->options.jobs, taken = pool->pending;

	/* One whose end was told may be about to leave. */
	if (taken < pool->running)
		taken = pool->running;
	return pool->paused || pool->crowded || taken >= jobs ? 0
							      : jobs - taken;
}

void
command_pool_revoke(struct command_pool *pool, struct call_task *task)
{
	command_job_cancel(task->job);
	wake(pool);
}
