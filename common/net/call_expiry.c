#include "net/call_expiry.h"

#include <math.h>

#include "line/units.h"
#include "net/call_engine.h"
#include "net/call_job.h"

double
call_expiry_timeout(
    const struct call_engine *engine, const struct call_task *task)
{
	return task->timeout >= 0 ? task->timeout : engine->options.timeout;
}

double
call_expiry_at(const struct call_job *job)
{
	double since, limit = job->deadline;
	bool worked;

	if (job->begun)
		return job->expires;
	if (job->lane == NULL)
		return limit;
	if (!call_lane_down(job->lane, &since, &worked)) {
		job->lane->armed = false;
		return limit;
	}
	if (worked && job->task->timeout < 0)
		return limit;
	/* Where others have waited in vain for so long nobody does again. */
	if (!worked)
		return fmin(
		    limit, since + call_expiry_timeout(job->engine, job->task));
	return fmin(limit, fmax(since, job->submitted - job->task->waited) +
			       call_expiry_timeout(job->engine, job->task));
}

void
call_expiry_disarm(struct call_job *job)
{
	if (evtimer_pending(&job->timer, NULL))
		evtimer_del(&job->timer);
}

void
call_expiry_arm(struct call_job *job)
{
	double at = call_expiry_at(job);
	struct timeval wait;

	if (job->delayed)
		at = fmin(at, job->resume);
	if (!isfinite(at)) {
		call_expiry_disarm(job);
		return;
	}
	wait = duration_timeval(at - time_monotonic());
	evtimer_add(&job->timer, &wait);
}

void
call_expiry_arm_service(
    struct call_engine *engine, const struct call_service *service)
{
	struct call_job *job;

	TAILQ_FOREACH(job, &engine->jobs, all)
	if (job->service == service && job->lane != NULL)
		call_expiry_arm(job);
}

static void
arm_lane(struct call_lane *lane)
{
	struct call_job *job;
	double since;
	bool worked;

	if (lane->armed || !call_lane_down(lane, &since, &worked))
		return;
	lane->armed = true;
	TAILQ_FOREACH(job, &lane->jobs, link)
	call_expiry_arm(job);
}

void
call_expiry_arm_lanes(struct call_place *place)
{
	struct call_lane *lane;

	arm_lane(&place->lane);
	TAILQ_FOREACH(lane, &place->service->lanes, all)
	arm_lane(lane);
}

void
call_expiry_nobody(const struct call_service *service, const char *name,
    struct task_failure *failure)
{
	if (service == NULL || service->place_count == 0)
		task_failure_set(
		    failure, CODE_NO_INSTANCES, "%s: no instances", name);
	else
		task_failure_set(failure, CODE_UNPLACEABLE,
		    "%s: %zu instance%s, none takes work", name,
		    service->place_count, service->place_count == 1 ? "" : "s");
}

static void
explain_unbegun(const struct call_job *job, struct task_failure *failure)
{
	if (time_monotonic() + CALL_TIMER_SLACK >= job->deadline)
		task_failure_set(failure, CODE_DEADLINE,
		    "%s: its deadline passed before it could be sent",
		    job->service->name);
	else
		call_lane_why(job->lane, failure);
}

void
call_expiry_end(struct call_job *job)
{
	struct task_failure failure;

	if (job->begun) {
		task_failure_set(&failure, job->last.code,
		    "%.400s (given up after %.3g s)", job->last.message,
		    time_monotonic() - job->first);
		failure.status = job->last.status;
		failure.retryable = job->last.retryable;
	} else {
		explain_unbegun(job, &failure);
	}
	call_job_leave(job);
	(void)call_job_finish(job, &failure, NULL, NULL);
}
