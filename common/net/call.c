#include "net/call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_attempt.h"
#include "net/call_engine.h"
#include "net/call_expiry.h"
#include "net/call_hedge.h"
#include "net/call_job.h"

/* Retries that any engine has, however few tasks it has begun. */
#define RETRIES_FLOOR 3
#define HEDGES_FLOOR  1

static void
set_alarm(struct call_engine *engine, double at)
{
	struct timeval wait = duration_timeval(at - time_monotonic());

	if (at <= 0 || at == engine->alarm_at)
		return;
	engine->alarm_at = at;
	evtimer_add(engine->alarm, &wait);
}

/* Sends one that waits; false: there is none that could be sent. */
static bool
start_one(struct call_engine *engine, double now)
{
	struct call_place *place;
	struct call_job *job;

	if (call_hedge_next(engine, now))
		return true;
	job = call_pool_next(&engine->pool, engine->paused, now, &place);
	if (job == NULL)
		return false;
	call_job_start(job, place, now);
	return true;
}

/* The settled callback of call_http: starts what can be started. */
static void
dispatch(void *argument)
{
	struct call_engine *engine = argument;
	double now = time_monotonic(), soonest, allowed;

	soonest = call_pool_wake(&engine->pool, now);
	while (engine->running < (size_t)engine->options.jobs) {
		allowed = call_rate_next(&engine->rate, now);
		if (allowed > now) {
			soonest =
			    soonest > 0 ? fmin(soonest, allowed) : allowed;
			break;
		}
		if (!start_one(engine, now))
			break;
		if (engine->options.trace.begun != NULL)
			engine->options.trace.begun(
			    engine->options.trace.argument);
	}
	call_pool_settle(&engine->pool);
	set_alarm(engine, soonest);
	if (engine->options.trace.settled != NULL)
		engine->options.trace.settled(engine->options.trace.argument);
}

static void
on_alarm(evutil_socket_t fd, short what, void *argument)
{
	struct call_engine *engine = argument;

	(void)fd;
	(void)what;
	engine->alarm_at = 0;
	call_http_wake(engine->http);
}

/* What bounds the requests beside the first of each task, and all of them. */
static void
set_bounds(struct call_engine *engine)
{
	const struct call_options *options = &engine->options;
	double jobs = options->jobs;

	call_budget_init(&engine->retries, CALL_BUDGET,
	    fmax(RETRIES_FLOOR, options->retries), jobs);
	call_budget_init(&engine->hedges, CALL_HEDGES, HEDGES_FLOOR,
	    fmax(HEDGES_FLOOR, jobs * CALL_HEDGES));
	call_rate_init(&engine->rate, options->rate, time_monotonic());
}

static int
open_http(struct call_engine *engine, struct svc_error *error)
{
	const struct call_options *options = &engine->options;
	struct call_http_options http = {
	    .jobs = options->jobs,
	    .max_result =
		options->max_result > 0 ? options->max_result : TASK_LENGTH_MAX,
	    .headers = options->headers,
	    .security = &options->security,
	    .seed = options->choice.seed,
	    .ended = call_job_ended,
	    .settled = dispatch,
	    .argument = engine,
	};

	return call_http_open(&engine->http, engine->base, &http, error);
}

int
call_open(struct call_engine **engine, struct event_base *base,
    const struct call_options *options, call_done_fn done, void *argument,
    struct svc_error *error)
{
	struct call_engine *made = calloc(1, sizeof(*made));

	*engine = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->done = done;
	made->argument = argument;
	TAILQ_INIT(&made->jobs);
	TAILQ_INIT(&made->late);
	TAILQ_INIT(&made->spare);
	made->alarm = evtimer_new(base, on_alarm, made);
	if (made->alarm == NULL) {
		free(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	if (open_http(made, error) == -1) {
		event_free(made->alarm);
		free(made);
		return -1;
	}
	set_bounds(made);
	call_pool_init(&made->pool, &made->options);
	made->pool.http = made->http;
	*engine = made;
	return 0;
}

static void
drop_jobs(struct call_engine *engine)
{
	struct call_job *job;

	while ((job = TAILQ_FIRST(&engine->jobs)) != NULL) {
		call_job_stop(job);
		call_job_free(job);
	}
	while ((job = TAILQ_FIRST(&engine->spare)) != NULL) {
		TAILQ_REMOVE(&engine->spare, job, link);
		free(job);
	}
}

void
call_close(struct call_engine *engine)
{
	if (engine == NULL)
		return;
	drop_jobs(engine);
	call_pool_release(&engine->pool);
	call_http_close(engine->http);
	event_free(engine->alarm);
	free(engine);
}

int
call_tell(struct call_engine *engine, const char *name,
    const struct instance *instances, size_t count, struct svc_error *error)
{
	struct call_service *service;

	service = call_pool_service(&engine->pool, name);
	if (service == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (call_pool_tell(&engine->pool, service, instances, count,
		time_monotonic(), error) == -1)
		return -1;
	call_expiry_arm_service(engine, service);
	call_http_wake(engine->http);
	return 0;
}

int
call_submit(
    struct call_engine *engine, struct call_task *task, struct svc_error *error)
{
	struct call_service *service;
	struct call_place *place = NULL;
	struct call_job *job;

	service = call_pool_service(&engine->pool, task->service);
	if (service == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (task->planned != NULL && call_pool_planned(&engine->pool, service,
					 task->planned, &place, error) != 1)
		place = NULL;
	job = call_job_new(engine, service, task);
	if (job == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (call_job_queue(job, place, error) == -1) {
		call_job_free(job);
		call_pool_forget(&engine->pool, service);
		return -1;
	}
	call_http_wake(engine->http);
	return 0;
}

/* Where task would go; NULL: nowhere. */
static int
find_place(struct call_engine *engine, struct call_service *service,
    const struct call_task *task, struct call_place **place,
    struct svc_error *error)
{
	struct call_pool *pool = &engine->pool;
	int found;

	*place = NULL;
	if (task->planned != NULL) {
		found = call_pool_planned(
		    pool, service, task->planned, place, error);
		if (found != 0)
			return found;
	}
	if (call_pool_lane(pool, service, task, error) == NULL)
		return -1;
	*place = call_pool_other(pool, service, task, NULL, time_monotonic());
	call_pool_settle(pool);
	return *place != NULL;
}

/* Members of what would be sent to place. */
static void
print_request(struct call_engine *engine, const struct call_task *task,
    const struct call_place *place, struct buffer *out)
{
	const struct call_instance *instance = &place->instance;
	double timeout = call_expiry_timeout(engine, task);
	struct call_post post = {
	    .deadline = time_now() + (int64_t)(timeout * 1000),
	    .attempt = 1,
	};

	if (task->deadline != 0 && task->deadline < post.deadline)
		post.deadline = task->deadline;
	call_attempt_describe(&post, &engine->options, task, place);
	buffer_append_string(out, "\"instance\":");
	buffer_append(
	    out, instance->reference.data, instance->reference.length);
	buffer_append_char(out, ',');
	call_http_preview(engine->http, &post, instance->address, out);
}

int
call_preview(struct call_engine *engine, const struct call_task *task,
    struct buffer *out, struct svc_error *error)
{
	struct call_pool *pool = &engine->pool;
	struct call_service *service = call_pool_service(pool, task->service);
	struct call_place *place;
	int found;

	if (service == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	found = find_place(engine, service, task, &place, error);
	if (found == 1)
		print_request(engine, task, place, out);
	else
		call_pool_forget(pool, service);
	return found;
}

size_t
call_room(const struct call_engine *engine)
{
	size_t most = 2 * (size_t)engine->options.jobs;

	return engine->pending < most ? most - engine->pending : 0;
}

size_t
call_pending(const struct call_engine *engine)
{
	return engine->pending;
}

size_t
call_running(const struct call_engine *engine)
{
	return engine->running;
}

size_t
call_vacant(const struct call_engine *engine, const char *name)
{
	const struct call_service *service;
	size_t jobs = (size_t)engine->options.jobs, room, waiting;

	service = call_pool_find(&engine->pool, name);
	if (service == NULL || engine->paused || engine->ending ||
	    engine->running >= jobs)
		return 0;
	room = jobs - engine->running;
	if (room > service->vacant)
		room = service->vacant;
	waiting = service->users - service->active;
	return room > waiting ? room - waiting : 0;
}

void
call_nobody(struct call_engine *engine, const struct call_task *task,
    struct task_failure *failure)
{
	struct call_service *service;
	const struct call_lane *lane = NULL;

	service = call_pool_find(&engine->pool, task->service);
	if (service != NULL)
		lane = call_pool_lane(&engine->pool, service, task, NULL);
	if (lane != NULL)
		call_lane_why(lane, failure);
	else
		call_expiry_nobody(service, task->service, failure);
}

bool
call_unmet(const struct call_engine *engine, const struct call_task *task)
{
	const struct call_service *service;
	const struct call_lane *lane = NULL;

	service = call_pool_find(&engine->pool, task->service);
	if (service != NULL && task->requires.span.data != NULL)
		lane = call_lane_find(service, &task->requires);
	return lane != NULL && lane->fits == 0 && service->working > 0;
}

bool
call_needs(const struct call_engine *engine, const char *name)
{
	const struct call_service *service;

	service = call_pool_find(&engine->pool, name);
	return service != NULL && service->users > 0;
}

void
call_pause(struct call_engine *engine, bool paused)
{
	if (engine->paused && !paused)
		call_http_wake(engine->http);
	engine->paused = paused;
}

void
call_cancel(struct call_engine *engine, bool running)
{
	struct call_job *job, *next;

	engine->ending = true;
	TAILQ_FOREACH_SAFE(job, &engine->jobs, all, next)
	if (running || job->running == 0)
		call_job_cancel(job);
}

void
call_revoke(struct call_engine *engine, struct call_task *task)
{
	call_job_cancel(task->job);
	call_http_wake(engine->http);
}
