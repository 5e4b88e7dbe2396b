#include "net/call_job.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/units.h"
#include "net/call_attempt.h"
#include "net/call_engine.h"
#include "net/call_expiry.h"
#include "net/call_hedge.h"
#include "net/call_place.h"
#include "net/call_resend.h"
#include "net/call_retry.h"

void
call_job_note(const struct call_job *job, const char *format, ...)
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

/* What cannot even be tried. */
static void
refuse(struct call_job *job, const char *message)
{
	struct task_failure failure;

	task_failure_set(
	    &failure, CODE_UNREACHABLE, "%s: %s", job->service->name, message);
	(void)call_job_finish(job, &failure, NULL, NULL);
}

void
call_job_queue_again(struct call_job *job)
{
	struct svc_error error;

	if (call_job_queue(job, NULL, &error) == -1)
		refuse(job, error.message);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct call_job *job = argument;
	struct call_engine *engine = job->engine;
	double now = time_monotonic() + CALL_TIMER_SLACK;

	(void)fd;
	(void)what;
	if (job->running > 0) {
		call_hedge_due(job);
	} else if (now >= call_expiry_at(job)) {
		call_expiry_end(job);
	} else if (job->delayed && now >= job->resume) {
		job->delayed = false;
		call_job_queue_again(job);
	} else {
		call_expiry_arm(job);
	}
	call_http_wake(engine->http);
}

struct call_job *
call_job_new(struct call_engine *engine, struct call_service *service,
    struct call_task *task)
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
	job->service = service;
	job->task = task;
	task->job = job;
	job->planned = task->planned != NULL;
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
	service->users++;
	return job;
}

void
call_job_free(struct call_job *job)
{
	struct call_engine *engine = job->engine;

	call_expiry_disarm(job);
	TAILQ_REMOVE(&engine->jobs, job, all);
	TAILQ_INSERT_HEAD(&engine->spare, job, link);
	engine->pending--;
	job->service->users--;
}

struct call_place *
call_job_planned(const struct call_job *job)
{
	struct call_place *place = NULL;

	if (!job->planned || call_pool_planned(&job->engine->pool, job->service,
				 job->task->planned, &place, NULL) != 1)
		return NULL;
	return place;
}

int
call_job_queue(
    struct call_job *job, struct call_place *place, struct svc_error *error)
{
	struct call_pool *pool = &job->engine->pool;
	struct call_lane *lane;

	if (place == NULL)
		place = call_job_planned(job);
	lane = place != NULL
		   ? &place->lane
		   : call_pool_lane(pool, job->service, job->task, error);
	if (lane == NULL)
		return -1;
	call_lane_add(pool, lane, job);
	call_expiry_arm(job);
	return 0;
}

void
call_job_leave(struct call_job *job)
{
	struct call_engine *engine = job->engine;

	if (job->lane == NULL && !job->delayed)
		return;
	if (job->reason == CALL_RETRY)
		call_budget_return(&engine->retries);
	if (job->lane != NULL)
		call_lane_remove(&engine->pool, job->lane, job);
	job->delayed = false;
}

bool
call_job_finish(struct call_job *job, const struct task_failure *failure,
    const struct call_place *place, const struct call_answer *answer)
{
	struct call_engine *engine = job->engine;
	struct call_service *service = job->service;
	struct call_outcome outcome;

	memset(&outcome, 0, offsetof(struct call_outcome, failure));
	outcome.failure.code = CODE_NONE;
	if (failure != NULL)
		outcome.failure = *failure;
	outcome.failure.attempts = outcome.attempts = job->sent;
	outcome.status = answer == NULL ? job->last.status : answer->status;
	outcome.ms = answer == NULL ? 0 : answer->ms;
	outcome.elapsed = job->sent > 0 ? time_monotonic() - job->first : -1;
	outcome.body = answer == NULL ? "" : answer->body;
	outcome.body_length = answer == NULL ? 0 : answer->body_length;
	outcome.store = answer == NULL ? NULL : answer->store;
	outcome.content_type = answer == NULL ? NULL : answer->content_type;
	outcome.instance = place == NULL ? NULL : &place->instance;
	/* Its memory may serve the next task from within done(). */
	call_job_free(job);
	/*
	 * A name that only lines knew is not kept; not after done(), in which
	 * other tasks may come and go, and the service with them.
	 */
	if (place == NULL)
		call_pool_forget(&engine->pool, service);
	return engine->done(engine->argument, job->task, &outcome);
}

void
call_job_stop(struct call_job *job)
{
	struct call_pool *pool = &job->engine->pool;
	struct call_attempt *attempt;

	call_job_leave(job);
	call_hedge_forget(job);
	while ((attempt = call_attempt_first(job)) != NULL)
		call_place_end(
		    pool, call_attempt_cancel(attempt, time_monotonic()));
}

void
call_job_cancel(struct call_job *job)
{
	struct call_engine *engine = job->engine;
	struct call_attempt *attempt = call_attempt_first(job);
	struct call_place *place = NULL;
	struct task_failure failure;

	task_failure_set(&failure, CODE_CANCELLED, "%s: cancelled %s",
	    job->service->name,
	    attempt != NULL ? "while it ran"
	    : job->begun    ? "while it waited to be sent again"
			    : "before it was sent");
	if (attempt != NULL)
		place = call_attempt_cancel(attempt, time_monotonic());
	call_job_stop(job);
	(void)call_job_finish(job, &failure, place, NULL);
	if (place != NULL)
		call_place_end(&engine->pool, place);
}

/* Its first attempt: from here on its time runs. */
static void
begin(struct call_job *job, double now)
{
	struct call_engine *engine = job->engine;

	job->begun = true;
	job->first = now;
	job->expires =
	    fmin(now + call_expiry_timeout(engine, job->task), job->deadline);
	call_budget_begin(&engine->retries);
	call_budget_begin(&engine->hedges);
}

void
call_job_start(struct call_job *job, struct call_place *place, double now)
{
	struct call_engine *engine = job->engine;
	struct svc_error error;

	call_expiry_disarm(job);
	if (now >= job->deadline || (job->begun && now >= job->expires)) {
		call_expiry_end(job);
		return;
	}
	call_lane_remove(&engine->pool, job->lane, job);
	if (!job->begun)
		begin(job, now);
	job->hedged = false;
	if (call_attempt_start(job, place, job->reason, now, &error) == -1)
		refuse(job, error.message);
	else
		call_hedge_arm(job, now);
}

static void
take_busy(struct call_job *job, const struct call_attempt *attempt,
    const struct call_answer *answer, double now)
{
	struct call_pool *pool = &job->engine->pool;
	struct call_place *place = attempt->place;
	double cap = job->engine->options.timeout;

	if (answer->kind == ANSWER_HTTP)
		call_place_answered(place);
	else
		call_place_refused(place, now);
	call_place_busy(
	    pool, place, fmin(answer->retry_after, cap), attempt->sent, now);
	/* Those who wait may have to give up, too. */
	if (call_place_closed(place) > 0)
		call_expiry_arm_lanes(place);
}

static void
take_failure(struct call_job *job, struct call_place *place,
    const struct call_answer *answer, double now)
{
	if (answer->kind == ANSWER_HTTP)
		call_place_answered(place);
	if (answer->kind == ANSWER_RESET)
		call_place_lost(&job->engine->pool, place, now);
	call_place_failed(&job->engine->pool, place, call_fault(answer), now);
	job->avoid = place;
}

/* An answer with a result; false: who gets it could not read it. */
static bool
succeed(struct call_job *job, struct call_place *place,
    const struct call_answer *answer, double now)
{
	struct call_pool *pool = &job->engine->pool;

	call_place_answered(place);
	call_job_stop(job);
	if (call_job_finish(job, NULL, place, answer)) {
		call_place_succeeded(pool, place);
		return true;
	}
	call_place_failed(pool, place, true, now);
	return false;
}

static void
fail(struct call_job *job, const struct call_attempt *attempt,
    const struct call_answer *answer, enum call_verdict verdict, double now)
{
	struct call_place *place = attempt->place;

	call_explain(
	    answer, place->instance.service, place->instance.id, &job->last);
	if (verdict == VERDICT_BUSY)
		take_busy(job, attempt, answer, now);
	else
		take_failure(job, place, answer, now);
	if (!call_resend(job, attempt, verdict, now))
		(void)call_job_finish(job, &job->last, place, answer);
}

static enum call_result
result_of(const struct call_answer *answer, enum call_verdict verdict)
{
	if (verdict == VERDICT_DONE)
		return CALL_ANSWERED;
	if (verdict == VERDICT_BUSY)
		return CALL_BUSY;
	return answer->kind == ANSWER_FORBIDDEN ? CALL_FORBIDDEN : CALL_FAILED;
}

void
call_job_ended(void *argument, const struct call_answer *answer)
{
	/* From within done() the job may become another one's. */
	const struct call_attempt ended = *(struct call_attempt *)argument;
	struct call_job *job = ended.job;
	struct call_engine *engine = job->engine;
	double now = time_monotonic();
	enum call_verdict verdict;
	enum call_result result;

	verdict = call_judge(answer, engine->options.idempotent);
	result = result_of(answer, verdict);
	call_attempt_tell(&ended, result, answer->ms);
	call_attempt_free(argument);
	call_hedge_forget(job);
	if (verdict != VERDICT_DONE)
		fail(job, &ended, answer, verdict, now);
	else if (!succeed(job, ended.place, answer, now))
		result = CALL_FAILED;
	call_attempt_count(
	    &ended, result, answer->ms, answer->sent, answer->received);
	call_place_end(&engine->pool, ended.place);
}
