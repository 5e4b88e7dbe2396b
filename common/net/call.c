#include "net/call.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_engine.h"

static void
arm_rest(struct call_engine *engine, double at)
{
	struct timeval wait = duration_timeval(at - time_monotonic());

	if (at <= 0 || at == engine->rest_at)
		return;
	engine->rest_at = at;
	evtimer_add(engine->rest, &wait);
}

/* The settled callback of call_http: starts what can be started. */
static void
dispatch(void *argument)
{
	struct call_engine *engine = argument;
	double now = time_monotonic(), soonest;
	struct call_place *place;
	struct call_job *job;

	soonest = call_pool_wake(&engine->pool, now);
	while (engine->running < (size_t)engine->options.jobs) {
		job =
		    call_pool_next(&engine->pool, engine->paused, now, &place);
		if (job == NULL)
			break;
		call_job_start(job, place, now);
	}
	arm_rest(engine, soonest);
}

static void
on_rest(evutil_socket_t fd, short what, void *argument)
{
	struct call_engine *engine = argument;

	(void)fd;
	(void)what;
	engine->rest_at = 0;
	call_http_wake(engine->http);
}

int
call_open(struct call_engine **engine, struct event_base *base,
    const struct call_options *options, call_done_fn done, void *argument,
    struct svc_error *error)
{
	struct call_engine *made = calloc(1, sizeof(*made));
	struct call_http_options http = {
	    .jobs = options->jobs,
	    .max_result =
		options->max_result > 0 ? options->max_result : TASK_LENGTH_MAX,
	    .headers = options->headers,
	    .ended = call_job_ended,
	    .settled = dispatch,
	    .argument = made,
	};

	*engine = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->done = done;
	made->argument = argument;
	TAILQ_INIT(&made->jobs);
	TAILQ_INIT(&made->spare);
	call_pool_init(&made->pool, (unsigned)options->jobs, options->seed);
	made->rest = evtimer_new(base, on_rest, made);
	if (made->rest == NULL) {
		free(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	if (call_http_open(&made->http, base, &http, error) == -1) {
		event_free(made->rest);
		free(made);
		return -1;
	}
	made->pool.http = made->http;
	*engine = made;
	return 0;
}

static void
drop_jobs(struct call_engine *engine)
{
	struct call_job *job;

	while ((job = TAILQ_FIRST(&engine->jobs)) != NULL) {
		if (job->lane != NULL)
			call_lane_remove(&engine->pool, job->lane, job);
		if (job->place != NULL) {
			call_http_cancel(engine->http, job->request);
			call_place_end(&engine->pool, job->place);
		}
		if (evtimer_pending(&job->timer, NULL))
			evtimer_del(&job->timer);
		TAILQ_REMOVE(&engine->jobs, job, all);
		free(job);
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
	event_free(engine->rest);
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
	call_lane_arm(&service->lane);
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
	job = call_job_new(engine, task);
	if (job == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	job->service = service;
	service->users++;
	job->planned = task->planned != NULL;
	call_job_queue(job, place);
	call_http_wake(engine->http);
	return 0;
}

int
call_preview(struct call_engine *engine, const struct call_task *task,
    struct buffer *out, struct svc_error *error)
{
	struct call_pool *pool = &engine->pool;
	struct call_service *service = call_pool_service(pool, task->service);
	struct call_place *place = NULL;
	double timeout =
	    task->timeout >= 0 ? task->timeout : engine->options.timeout;
	struct call_post post = {
	    .id = task->id,
	    .deadline = time_now() + (int64_t)(timeout * 1000),
	    .body = task->body,
	    .content_type = task->content_type,
	};

	if (service == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (task->deadline != 0 && task->deadline < post.deadline)
		post.deadline = task->deadline;
	if (task->planned == NULL ||
	    call_pool_planned(pool, service, task->planned, &place, error) != 1)
		place =
		    call_service_choose(pool, service, NULL, time_monotonic());
	if (place == NULL) {
		call_pool_forget(pool, service);
		return 0;
	}
	buffer_append_string(out, "\"instance\":");
	buffer_append(out, place->instance.reference.data,
	    place->instance.reference.length);
	buffer_append_char(out, ',');
	call_http_preview(engine->http, &post, place->instance.address, out);
	return 1;
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
	if (running || job->place == NULL)
		call_job_cancel(job);
}
