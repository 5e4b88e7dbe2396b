#include "net/call_resend.h"

#include <stdio.h>

#include "net/call_engine.h"
#include "net/call_expiry.h"
#include "net/call_job.h"

/* As if it had not been sent. */
static void
forgo(struct call_job *job, const struct call_attempt *attempt)
{
	job->sent--;
	if (attempt->reason == CALL_HEDGE)
		call_budget_return(&job->engine->hedges);
	if (attempt->reason == CALL_RETRY)
		call_budget_return(&job->engine->retries);
}

/* Whether somebody else than place could take it. */
static bool
has_other(const struct call_job *job, const struct call_place *place)
{
	const struct call_lane *lane;

	if (call_job_planned(job) != NULL)
		return false;
	lane =
	    call_pool_lane(&job->engine->pool, job->service, job->task, NULL);
	return lane != NULL && call_lane_others(lane, place) > 0;
}

/* Of the budget, unless what was sent first has never left. */
static bool
take_retry(struct call_job *job, const struct call_attempt *attempt)
{
	struct task_failure *last = &job->last;
	struct task_failure why = *last;

	if (last->code == CODE_FORBIDDEN &&
	    (attempt->reason == CALL_FIRST || attempt->reason == CALL_WAITED))
		return true;
	if (call_budget_take(&job->engine->retries)) {
		job->reason = CALL_RETRY;
		return true;
	}
	snprintf(last->message, sizeof(last->message),
	    "%.400s (not sent again: the budget of retries is used up)",
	    why.message);
	return false;
}

static bool
retry(struct call_job *job, const struct call_attempt *attempt, double now)
{
	struct call_engine *engine = job->engine;
	const struct task_failure *last = &job->last;

	if (job->retries == 0 ||
	    (!last->retryable && !has_other(job, attempt->place)) ||
	    !take_retry(job, attempt))
		return false;
	job->retries--;
	call_job_note(job, "%s; sending it again, %d %s left", last->message,
	    job->retries, job->retries == 1 ? "retry" : "retries");
	job->delayed = true;
	job->resume = now + call_pool_jitter(&engine->pool, job->retried++);
	call_expiry_arm(job);
	return true;
}

bool
call_resend(struct call_job *job, const struct call_attempt *attempt,
    enum call_verdict verdict, double now)
{
	if (job->last.code == CODE_FORBIDDEN)
		forgo(job, attempt);
	if (job->running > 0) {
		call_job_note(
		    job, "%s; the other request still runs", job->last.message);
		return true;
	}
	if (job->engine->ending || now + CALL_TIMER_SLACK >= job->expires)
		return false;
	if (verdict == VERDICT_AGAIN)
		return retry(job, attempt, now);
	if (verdict != VERDICT_BUSY)
		return false;
	call_job_note(job, "%s; waiting", job->last.message);
	job->reason = CALL_WAITED;
	call_job_queue_again(job);
	return true;
}
