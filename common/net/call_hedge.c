#include "net/call_hedge.h"

#include <math.h>

#include "line/units.h"
#include "net/call_attempt.h"
#include "net/call_engine.h"
#include "net/call_job.h"

void
call_hedge_arm(struct call_job *job, double now)
{
	const struct call_engine *engine = job->engine;
	const struct call_attempt *attempt = call_attempt_first(job);
	struct timeval wait;
	double seconds;

	if (engine->options.hedge <= 0 || engine->ending || job->planned ||
	    job->hedged || job->running != 1)
		return;
	seconds = fmax(engine->options.hedge, now - attempt->sent);
	if (now + seconds >= job->expires)
		return;
	wait = duration_timeval(seconds);
	evtimer_add(&job->timer, &wait);
}

void
call_hedge_due(struct call_job *job)
{
	if (job->late)
		return;
	job->late = true;
	TAILQ_INSERT_TAIL(&job->engine->late, job, link);
}

void
call_hedge_forget(struct call_job *job)
{
	if (!job->late)
		return;
	job->late = false;
	TAILQ_REMOVE(&job->engine->late, job, link);
}

static bool
send_second(struct call_job *job, double now)
{
	struct call_engine *engine = job->engine;
	const struct call_attempt *first = call_attempt_first(job);
	const struct call_place *slow = first->place;
	struct call_place *place;
	struct svc_error error;

	if (engine->ending || now >= job->expires)
		return false;
	place =
	    call_pool_other(&engine->pool, job->service, job->task, slow, now);
	if (place == NULL || !call_budget_take(&engine->hedges))
		return false;
	call_job_note(job, "%s/%s: no answer after %.3g s; asking %s, too",
	    slow->instance.service, slow->instance.id, now - first->sent,
	    place->instance.id);
	if (call_attempt_start(job, place, CALL_HEDGE, now, &error) == -1) {
		call_budget_return(&engine->hedges);
		call_job_note(job, "%s", error.message);
		return false;
	}
	job->hedged = true;
	return true;
}

bool
call_hedge_next(struct call_engine *engine, double now)
{
	struct call_job *job;

	while ((job = TAILQ_FIRST(&engine->late)) != NULL) {
		call_hedge_forget(job);
		if (send_second(job, now))
			return true;
		call_hedge_arm(job, now);
	}
	return false;
}
