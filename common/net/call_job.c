/*
 * What happens to a job: it waits, runs, is judged, waits again, ends.
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/units.h"
#include "net/call_engine.h"
#include "net/call_retry.h"

/* Timers of libevent may come this much early. */
#define TIMER_SLACK 0.001

static void __attribute__((format(printf, 2, 3)))
note(const struct call_job *job, const char *format, ...)
{
	const struct call_options *options = &job->engine->options;
	char text[640];
	va_list arguments;
	int length;

	if (options->note == NULL)
		return;
	length = snprintf(text, sizeof(text), "%s: ", job->task->id);
	va_start(arguments, format);
	vsnprintf(
	    text + length, sizeof(text) - (size_t)length, format, arguments);
	va_end(arguments);
	options->note(options->note_argument, text);
}

static double
timeout_of(const struct call_job *job)
{
	return job->task->timeout >= 0 ? job->task->timeout
				       : job->engine->options.timeout;
}

/*
 * When a waiting job has to give up.  The timeout counts from the first
 * attempt.  Before it, only waiting for a service where nobody is counts: for
 * tasks that were given a timeout by name, and where nobody has ever been.
 */
static double
expiry(const struct call_job *job)
{
	double since, limit = job->deadline;
	bool worked;

	if (job->begun)
		return job->expires;
	if (job->lane == NULL || !call_lane_down(job->lane, &since, &worked))
		return limit;
	if (worked && job->task->timeout < 0)
		return limit;
	return fmin(limit, fmax(since, job->submitted) + timeout_of(job));
}

static void
set_timer(struct call_job *job, double at)
{
	struct timeval wait = duration_timeval(at - time_monotonic());

	if (!isfinite(at)) {
		if (evtimer_pending(&job->timer, NULL))
			evtimer_del(&job->timer);
		return;
	}
	evtimer_add(&job->timer, &wait);
}

void
call_job_arm(struct call_job *job)
{
	double at = expiry(job);

	set_timer(job, job->delayed ? fmin(at, job->resume) : at);
}

void
call_lane_arm(struct call_lane *lane)
{
	struct call_job *job;

	TAILQ_FOREACH(job, &lane->jobs, link)
	call_job_arm(job);
}

static void
explain_unbegun(const struct call_job *job, struct task_failure *failure)
{
	const struct call_service *service = job->service;

	if (time_monotonic() + TIMER_SLACK >= job->deadline)
		task_failure_set(failure, CODE_DEADLINE,
		    "%s: its deadline passed before it could be sent",
		    service->name);
	else if (service->place_count == 0 && job->lane->place == NULL)
		task_failure_set(failure, CODE_NO_INSTANCES, "%s: no instances",
		    service->name);
	else if (service->working == 0 && job->lane->place == NULL)
		task_failure_set(failure, CODE_UNPLACEABLE,
		    "%s: %zu instances, none takes work", service->name,
		    service->place_count);
	else
		task_failure_set(failure, CODE_UNREACHABLE,
		    "%s: every connection is refused", service->name);
}

/* Out of its lane or delay, with the reason why it waited. */
static void
expire(struct call_job *job)
{
	struct task_failure failure;

	if (job->begun) {
		task_failure_set(&failure, job->last.code,
		    "%.400s (given up after %.3g s)", job->last.message,
		    time_monotonic() - (job->expires - timeout_of(job)));
		failure.status = job->last.status;
	} else {
		explain_unbegun(job, &failure);
	}
	if (job->lane != NULL)
		call_lane_remove(&job->engine->pool, job->lane, job);
	call_job_finish(job, &failure, NULL, NULL);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct call_job *job = argument;
	double now = time_monotonic() + TIMER_SLACK;

	(void)fd;
	(void)what;
	if (now >= expiry(job)) {
		expire(job);
	} else if (job->delayed && now >= job->resume) {
		job->delayed = false;
		call_job_queue(job, NULL);
	} else {
		call_job_arm(job);
	}
	call_http_wake(job->engine->http);
}

struct call_job *
call_job_new(struct call_engine *engine, struct call_task *task)
{
	struct call_job *job = TAILQ_FIRST(&engine->spare);

	if (job != NULL)
		TAILQ_REMOVE(&engine->spare, job, link);
	else
		job = malloc(sizeof(*job));
	if (job == NULL)
		return NULL;
	memset(job, 0, offsetof(struct call_job, last));
	job->last.code = CODE_NONE;
	job->engine = engine;
	job->task = task;
	job->submitted = time_monotonic();
	job->deadline =
	    task->deadline == 0
		? HUGE_VAL
		: job->submitted + (double)(task->deadline - time_now()) / 1000;
	job->retries =
	    task->retries >= 0 ? task->retries : engine->options.retries;
	evtimer_assign(&job->timer, engine->base, on_timer, job);
	TAILQ_INSERT_TAIL(&engine->jobs, job, all);
	engine->pending++;
	return job;
}

/* A planned task stays where it was planned while that takes work. */
static struct call_place *
planned_place(const struct call_job *job)
{
	struct call_place *place = NULL;

	if (!job->planned || call_pool_planned(&job->engine->pool, job->service,
				 job->task->planned, &place, NULL) != 1)
		return NULL;
	return place;
}

void
call_job_queue(struct call_job *job, struct call_place *place)
{
	struct call_lane *lane;

	if (place == NULL)
		place = planned_place(job);
	lane = place == NULL ? &job->service->lane : &place->lane;
	call_lane_add(&job->engine->pool, lane, job);
	if (job->begun || !lane->runnable || isfinite(job->deadline))
		call_job_arm(job);
}

void
call_job_finish(struct call_job *job, const struct task_failure *failure,
    const struct call_place *place, const struct call_answer *answer)
{
	struct call_engine *engine = job->engine;
	struct call_service *service = job->service;
	struct call_task *task = job->task;
	struct call_outcome outcome;

	memset(&outcome, 0, offsetof(struct call_outcome, failure));
	outcome.failure.code = CODE_NONE;
	if (failure != NULL)
		outcome.failure = *failure;
	outcome.failure.attempts = outcome.attempts = job->attempts;
	outcome.status = answer == NULL ? job->last.status : answer->status;
	outcome.ms = answer == NULL ? 0 : answer->ms;
	outcome.body = answer == NULL ? "" : answer->body;
	outcome.body_length = answer == NULL ? 0 : answer->body_length;
	outcome.content_type = answer == NULL ? NULL : answer->content_type;
	outcome.instance = place == NULL ? NULL : &place->instance;
	if (evtimer_initialized(&job->timer) &&
	    evtimer_pending(&job->timer, NULL))
		evtimer_del(&job->timer);
	TAILQ_REMOVE(&engine->jobs, job, all);
	TAILQ_INSERT_HEAD(&engine->spare, job, link);
	engine->pending--;
	service->users--;
	engine->done(engine->argument, task, &outcome);
	/* A name that only lines knew is not kept. */
	if (place == NULL)
		call_pool_forget(&engine->pool, service);
}

void
call_job_cancel(struct call_job *job)
{
	struct call_engine *engine = job->engine;
	struct call_place *place = job->place;
	struct task_failure failure;

	task_failure_set(&failure, CODE_CANCELLED, "%s: cancelled %s",
	    job->service->name,
	    place != NULL ? "while it ran"
	    : job->begun  ? "while it waited to be sent again"
			  : "before it was sent");
	if (job->lane != NULL)
		call_lane_remove(&engine->pool, job->lane, job);
	if (place != NULL) {
		call_http_cancel(engine->http, job->request);
		engine->running--;
	}
	call_job_finish(job, &failure, place, NULL);
	if (place != NULL)
		call_place_end(&engine->pool, place);
}

/* What cannot even be tried. */
static void
refuse(struct call_job *job, enum task_code code, const char *message)
{
	struct task_failure failure;

	task_failure_set(&failure, code, "%s: %s", job->service->name, message);
	call_job_finish(job, &failure, NULL, NULL);
}

static int
post(struct call_job *job, struct call_place *place, double now,
    struct svc_error *error)
{
	double remaining = job->expires - now;
	struct call_post request = {
	    .target = place->target,
	    .id = job->task->id,
	    .deadline = time_now() + (int64_t)(remaining * 1000),
	    .body = job->task->body,
	    .content_type = job->task->content_type,
	    .timeout = remaining,
	    .argument = job,
	};

	return call_http_post(
	    job->engine->http, &request, &job->request, error);
}

void
call_job_start(struct call_job *job, struct call_place *place, double now)
{
	struct call_engine *engine = job->engine;
	struct svc_error error;

	if (evtimer_pending(&job->timer, NULL))
		evtimer_del(&job->timer);
	if (now >= job->deadline || (job->begun && now >= job->expires)) {
		expire(job);
		return;
	}
	call_lane_remove(&engine->pool, job->lane, job);
	if (!job->begun) {
		job->begun = true;
		job->expires = fmin(now + timeout_of(job), job->deadline);
	}
	if ((place->target == NULL &&
		call_target_new(&place->target, place->instance.address,
		    place->owner, &error) == -1) ||
	    post(job, place, now, &error) == -1) {
		refuse(job, CODE_UNREACHABLE, error.message);
		return;
	}
	job->place = place;
	job->sent = now;
	job->attempts++;
	engine->running++;
	call_place_begin(&engine->pool, place);
}

static void
delay(struct call_job *job, double now)
{
	struct call_pool *pool = &job->engine->pool;
	int before = job->attempts - 1;

	job->delayed = true;
	job->resume =
	    now + call_pool_jitter(pool, before > 16 ? 16 : (unsigned)before);
	call_job_arm(job);
}

static void
take_busy(struct call_job *job, struct call_place *place,
    const struct call_answer *answer, double now)
{
	struct call_pool *pool = &job->engine->pool;
	double cap = job->engine->options.timeout;

	if (answer->kind == ANSWER_HTTP) {
		call_place_answered(place);
	} else if (call_place_refused(place, now)) {
		/* Those behind it may have to give up, too. */
		call_lane_arm(&place->lane);
		call_lane_arm(&job->service->lane);
	}
	call_place_busy(
	    pool, place, fmin(answer->retry_after, cap), job->sent, now);
	note(job, "%s; waiting", job->last.message);
}

static void
take_failure(struct call_job *job, struct call_place *place,
    const struct call_answer *answer, double now)
{
	if (answer->kind == ANSWER_HTTP)
		call_place_answered(place);
	call_place_failed(&job->engine->pool, place, now);
	job->avoid = place;
}

/* Waits again, or gives up: 1 when it waits. */
static int
again(struct call_job *job, enum call_verdict verdict, double now)
{
	if (job->engine->ending || now >= job->expires)
		return 0;
	if (verdict == VERDICT_AGAIN && job->retries > 0) {
		job->retries--;
		job->last.body = NULL;
		note(job, "%s; sending it again, %d retries left",
		    job->last.message, job->retries);
		delay(job, now);
		return 1;
	}
	if (verdict == VERDICT_BUSY) {
		job->last.body = NULL;
		call_job_queue(job, NULL);
		return 1;
	}
	return 0;
}

void
call_job_ended(void *argument, const struct call_answer *answer)
{
	struct call_job *job = argument;
	struct call_engine *engine = job->engine;
	struct call_place *place = job->place;
	double now = time_monotonic();
	enum call_verdict verdict;

	verdict = call_judge(answer, engine->options.idempotent);
	engine->running--;
	job->place = NULL;
	job->request = NULL;
	if (verdict == VERDICT_DONE) {
		call_place_answered(place);
		call_place_succeeded(&engine->pool, place, now);
		call_job_finish(job, NULL, place, answer);
		call_place_end(&engine->pool, place);
		return;
	}
	call_explain(
	    answer, place->instance.service, place->instance.id, &job->last);
	if (verdict == VERDICT_BUSY)
		take_busy(job, place, answer, now);
	else
		take_failure(job, place, answer, now);
	if (!again(job, verdict, now))
		call_job_finish(job, &job->last, place, answer);
	call_place_end(&engine->pool, place);
}
