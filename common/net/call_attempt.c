#include "net/call_attempt.h"

#include "line/units.h"
#include "net/call_engine.h"

void
call_attempt_describe(struct call_post *post,
    const struct call_options *options, const struct call_task *task,
    const struct call_place *place)
{
	post->target = place->target;
	post->id = task->id;
	post->traceparent = task->traceparent != NULL ? task->traceparent
						      : options->traceparent;
	post->told = place->told;
	post->body = task->body;
	post->content_type = task->content_type;
}

static int
send_request(struct call_attempt *attempt, struct call_job *job,
    struct call_place *place, double now, struct svc_error *error)
{
	struct call_engine *engine = job->engine;
	double remaining = job->expires - now;
	struct call_post post = {
	    .deadline = time_now() + (int64_t)(remaining * 1000),
	    .attempt = job->sent + 1,
	    .timeout = remaining,
	    .argument = attempt,
	};

	if (place->target == NULL &&
	    call_target_new(&place->target, place->instance.address,
		place->owner, error) == -1)
		return -1;
	call_attempt_describe(&post, &engine->options, job->task, place);
	return call_http_post(engine->http, &post, &attempt->request, error);
}

static void
tell_sent(const struct call_attempt *attempt)
{
	const struct call_job *job = attempt->job;
	const struct call_options *options = &job->engine->options;
	const struct call_instance *instance = &attempt->place->instance;

	if (options->stats != NULL)
		call_stats_sent(options->stats, instance, attempt->reason);
	if (options->trace.sent != NULL)
		options->trace.sent(options->trace.argument, job->task,
		    instance, attempt->reason, job->sent);
}

int
call_attempt_start(struct call_job *job, struct call_place *place,
    enum call_reason reason, double now, struct svc_error *error)
{
	struct call_engine *engine = job->engine;
	struct call_attempt *attempt = job->attempts;

	if (attempt->place != NULL)
		attempt++;
	if (send_request(attempt, job, place, now, error) == -1)
		return -1;
	attempt->job = job;
	attempt->place = place;
	attempt->reason = reason;
	attempt->bytes = job->task->body.length;
	attempt->sent = now;
	if (job->running++ == 0)
		job->service->active++;
	job->sent++;
	engine->running++;
	(void)call_rate_take(&engine->rate, now);
	attempt->grant = call_place_begin(&engine->pool, place);
	tell_sent(attempt);
	return 0;
}

struct call_attempt *
call_attempt_first(struct call_job *job)
{
	int i;

	for (i = 0; i < CALL_ATTEMPTS; i++)
		if (job->attempts[i].place != NULL)
			return &job->attempts[i];
	return NULL;
}

void
call_attempt_free(struct call_attempt *attempt)
{
	struct call_engine *engine = attempt->job->engine;

	call_grant_end(&engine->pool, attempt->grant);
	attempt->grant = NULL;
	attempt->place = NULL;
	attempt->request = NULL;
	if (--attempt->job->running == 0)
		attempt->job->service->active--;
	engine->running--;
}

void
call_attempt_tell(
    const struct call_attempt *attempt, enum call_result result, double ms)
{
	const struct call_job *job = attempt->job;
	const struct call_trace *trace = &job->engine->options.trace;

	if (trace->ended != NULL)
		trace->ended(trace->argument, job->task,
		    &attempt->place->instance, result, ms);
}

void
call_attempt_count(const struct call_attempt *attempt, enum call_result result,
    double ms, bool sent, size_t received)
{
	struct call_stats *stats = attempt->job->engine->options.stats;
	const struct call_stats_end end = {
	    .reason = attempt->reason,
	    .result = result,
	    .ms = ms,
	    .sent = sent ? attempt->bytes : 0,
	    .received = received,
	};

	if (stats != NULL)
		call_stats_ended(stats, &attempt->place->instance, &end);
}

struct call_place *
call_attempt_cancel(struct call_attempt *attempt, double now)
{
	struct call_place *place = attempt->place;
	double ms = (now - attempt->sent) * 1000;
	bool sent;

	sent = call_http_cancel(attempt->job->engine->http, attempt->request);
	call_attempt_tell(attempt, CALL_DROPPED, ms);
	call_attempt_count(attempt, CALL_DROPPED, ms, sent, 0);
	call_attempt_free(attempt);
	return place;
}
