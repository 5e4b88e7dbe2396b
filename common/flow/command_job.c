#include "flow/command_job.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_stats.h"
#include "process/child.h"

/* From TERM to KILL. */
#define GRACE_SECONDS 2.0
/* Rests before another attempt: full jitter. */
#define REST_LEAST 0.025
#define REST_MOST  1.0
/* A line of standard error is passed on in pieces of that. */
#define LINE_MOST 4096

static void on_timer(evutil_socket_t fd, short what, void *argument);

/* What the command reads: the task and a LF; of text, its characters. */
static void
fill_input(struct command_job *job)
{
	const struct json_span body = job->task->body;
	struct json_value value = {.span = body, .type = JSON_STRING};

	value.escaped = memchr(body.data, '\\', body.length) != NULL;
	if (job->pool->options.text && body.length > 0 && *body.data == '"')
		(void)json_decode(&value, &job->input);
	else
		buffer_append(&job->input, body.data, body.length);
	buffer_append_char(&job->input, '\n');
}

int
command_job_init(
    struct command_job *job, struct command_pool *pool, struct call_task *task)
{
	job->pool = pool;
	job->task = task;
	task->job = job;
	job->expires = HUGE_VAL;
	job->retries =
	    task->retries >= 0 ? task->retries : pool->options.retries;
	job->timer = evtimer_new(pool->base, on_timer, job);
	return job->timer == NULL ? -1 : 0;
}

void
command_job_release(struct command_job *job)
{
	process_free(job->process);
	event_free(job->timer);
	buffer_release(&job->input);
	buffer_release(&job->output);
	buffer_release(&job->complaint);
}

void
command_job_finish(struct command_job *job, const struct task_failure *failure,
    struct buffer *result)
{
	struct command_pool *pool = job->pool;
	struct call_task *task = job->task;
	struct buffer output = BUFFER_INIT;
	double now = time_monotonic();
	struct call_outcome outcome = {
	    .failure = *failure,
	    .status = failure->status,
	    .ms = job->attempts == 0 ? 0 : (now - job->began) * 1000,
	    .elapsed = job->attempts == 0 ? -1 : now - job->first,
	    .attempts = job->attempts,
	    .content_type =
		pool->options.text ? "text/plain; charset=utf-8" : NULL,
	    .instance = &pool->instance,
	};

	outcome.failure.attempts = job->attempts;
	if (result != NULL) {
		output = *result;
		*result = (struct buffer)BUFFER_INIT;
		outcome.body = output.length == 0 ? "" : output.data;
		outcome.body_length = output.length;
		outcome.store = &output;
	}
	/* What the failure's body lies in has to live until it was told. */
	(void)pool->done(pool->argument, task, &outcome);
	buffer_release(&output);
	command_pool_drop(pool, job);
}

static void
arm(struct command_job *job, double at)
{
	struct timeval wait;

	evtimer_del(job->timer);
	if (!isfinite(at))
		return;
	wait = duration_timeval(at - time_monotonic());
	evtimer_add(job->timer, &wait);
}

/* When its time is over; from its first attempt on. */
static double
find_expiry(const struct command_job *job, double now)
{
	const struct call_task *task = job->task;
	double timeout =
	    task->timeout > 0 ? task->timeout : job->pool->options.timeout;
	double at = timeout > 0 ? now + timeout : HUGE_VAL;

	if (task->deadline != 0)
		at = fmin(
		    at, now + (double)(task->deadline - time_now()) / 1000);
	return at;
}

static void
fail(struct command_job *job, enum task_code code, const char *message)
{
	struct task_failure failure;

	task_failure_set(&failure, code, "%s", message);
	command_job_finish(job, &failure, NULL);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct command_job *job = argument;

	(void)fd;
	(void)what;
	if (job->state == JOB_RUNS) {
		if (job->stopped == STOP_NOT)
			job->stopped = STOP_TIMEOUT;
		process_stop(job->process, GRACE_SECONDS);
	} else {
		command_pool_put(job->pool, job);
	}
}

/* The LF at its end is no part of the result. */
static bool
is_over(const struct command_job *job)
{
	const struct buffer *output = &job->output;
	size_t most = job->pool->options.max_result;

	return buffer_failed(output) || output->length > most + 1 ||
	       (output->length > most &&
		   output->data[output->length - 1] != '\n');
}

static void
on_output(void *argument, const char *data, size_t length)
{
	struct command_job *job = argument;

	if (job->stopped != STOP_NOT)
		return;
	buffer_append(&job->output, data, length);
	if (!is_over(job))
		return;
	job->stopped = STOP_LARGE;
	process_forget_input(job->process);
	process_stop(job->process, GRACE_SECONDS);
}

/* Hands on what has gathered of a line, with its LF. */
static void
tell_complaint(struct command_job *job)
{
	const struct command_pool_options *options = &job->pool->options;
	struct buffer *line = &job->complaint;

	if (line->length == 0)
		return;
	if (line->data[line->length - 1] != '\n')
		buffer_append_char(line, '\n');
	if (options->complaint != NULL && !buffer_failed(line))
		options->complaint(
		    options->argument, job->task, line->data, line->length);
	buffer_clear(line);
}

static void
on_complaint(void *argument, const char *data, size_t length)
{
	struct command_job *job = argument;
	const char *end;
	size_t part;

	while (length > 0) {
		end = memchr(data, '\n', length);
		part = end == NULL ? length : (size_t)(end - data) + 1;
		if (part > LINE_MOST - job->complaint.length)
			part = LINE_MOST - job->complaint.length;
		buffer_append(&job->complaint, data, part);
		data += part;
		length -= part;
		if (data[-1] == '\n' || job->complaint.length == LINE_MOST)
			tell_complaint(job);
	}
}

/* "exit status 3: the last line of its standard error" */
static void
explain_exit(const struct command_job *job, int wait_status,
    struct task_failure *failure)
{
	size_t length, first;
	const char *text = process_complaint(job->process, &length);
	const char *name;

	while (length > 0 && text[length - 1] == '\n')
		length--;
	for (first = length; first > 0 && text[first - 1] != '\n'; first--)
		;
	if (WIFSIGNALED(wait_status)) {
		name = sigabbrev_np(WTERMSIG(wait_status));
		task_failure_set(failure, CODE_EXIT,
		    "killed by signal %d (%s)%s%.*s", WTERMSIG(wait_status),
		    name == NULL ? "unknown" : name, length > 0 ? ": " : "",
		    (int)(length - first), text + first);
	} else {
		task_failure_set(failure, CODE_EXIT, "exit status %d%s%.*s",
		    WEXITSTATUS(wait_status), length > 0 ? ": " : "",
		    (int)(length - first), text + first);
	}
	failure->status = child_status(wait_status);
	failure->body = length > 0 ? text : NULL;
	failure->body_length = length;
}

/* What came to be, after the process; false: it has a result. */
static bool
explain_end(
    struct command_job *job, int wait_status, struct task_failure *failure)
{
	const struct command_pool_options *options = &job->pool->options;

	switch (job->stopped) {
	case STOP_TIMEOUT:
		task_failure_set(failure, CODE_TIMEOUT,
		    "stopped when its time of %.3g s was over",
		    job->expires - job->first);
		return true;
	case STOP_LARGE:
		task_failure_set(failure, CODE_TOO_LARGE,
		    "it printed more than %zu bytes", options->max_result);
		return true;
	case STOP_CANCEL:
		task_failure_set(
		    failure, CODE_CANCELLED, "cancelled while it ran");
		return true;
	case STOP_NOT:
		break;
	}
	if (wait_status == 0) {
		task_failure_set(failure, CODE_NONE, "%s", "");
		return false;
	}
	explain_exit(job, wait_status, failure);
	return true;
}

static void
count_end(const struct command_job *job, enum call_result result)
{
	const struct command_pool *pool = job->pool;
	const struct command_pool_options *options = &pool->options;
	const struct call_stats_end end = {
	    .reason = job->attempts == 1 ? CALL_FIRST : CALL_RETRY,
	    .result = result,
	    .ms = (time_monotonic() - job->began) * 1000,
	    .sent = job->input.length,
	    .received = job->output.length,
	};

	if (options->stats != NULL)
		call_stats_ended(options->stats, &pool->instance, &end);
	if (options->trace.ended != NULL)
		options->trace.ended(options->trace.argument, job->task,
		    &pool->instance, result, end.ms);
}

/* Another attempt, after a rest, if there is time for it. */
static bool
try_again(struct command_job *job, const struct task_failure *failure)
{
	double most = REST_LEAST * exp2(job->attempts - 1), at;

	if (failure->code != CODE_EXIT || job->retries == 0)
		return false;
	at = time_monotonic() +
	     fmin(most, REST_MOST) * random_unit(&job->pool->random);
	if (at >= job->expires)
		return false;
	job->retries--;
	process_free(job->process);
	job->process = NULL;
	buffer_clear(&job->output);
	job->state = JOB_RESTS;
	arm(job, at);
	return true;
}

static void
on_ended(void *argument, int wait_status)
{
	struct command_job *job = argument;
	struct command_pool *pool = job->pool;
	struct buffer *output = &job->output;
	struct task_failure failure;
	bool failed;

	evtimer_del(job->timer);
	tell_complaint(job);
	failed = explain_end(job, wait_status, &failure);
	if (!failed && pool->options.text && output->length > 0 &&
	    output->data[output->length - 1] == '\n')
		output->length--;
	count_end(job, !failed			     ? CALL_ANSWERED
		       : job->stopped == STOP_CANCEL ? CALL_DROPPED
						     : CALL_FAILED);
	if (!failed || !try_again(job, &failure))
		command_job_finish(job, &failure, failed ? NULL : output);
	command_pool_left(pool);
}

/* The pool's environment with what is the task's own; for free(3). */
static char **
make_environment(const struct command_job *job, struct buffer texts[3],
    struct svc_error *error)
{
	const char *assignments[3];
	int count = 0;

	buffer_append_format(&texts[0], "SVC_TASK_ID=%s", job->task->id);
	buffer_append_format(&texts[1], "SVC_ATTEMPT=%d", job->attempts + 1);
	assignments[count++] = buffer_string(&texts[0]);
	assignments[count++] = buffer_string(&texts[1]);
	if (isfinite(job->expires)) {
		buffer_append_string(&texts[2], "SVC_DEADLINE=");
		time_append(&texts[2],
		    time_now() +
			(int64_t)((job->expires - time_monotonic()) * 1000));
		assignments[count++] = buffer_string(&texts[2]);
	}
	if (buffer_failed(&texts[0]) || buffer_failed(&texts[1]) ||
	    buffer_failed(&texts[2])) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	return child_environment(
	    job->pool->options.environment, assignments, count, error);
}

static int
launch(struct command_job *job, struct svc_error *error)
{
	struct command_pool *pool = job->pool;
	struct buffer texts[3] = {BUFFER_INIT, BUFFER_INIT, BUFFER_INIT};
	struct process_options options = {
	    .base = pool->base,
	    .command = pool->options.command,
	    .inherit = pool->options.inherit > 0 ? pool->options.inherit : 0,
	    .output = on_output,
	    .complaint = on_complaint,
	    .ended = on_ended,
	    .argument = job,
	    .complaint_argument = job,
	};
	char **environment = make_environment(job, texts, error);
	int started = -1, i;

	options.environment = environment;
	if (environment != NULL)
		started = process_start(&job->process, &options, error);
	free(environment);
	for (i = 0; i < 3; i++)
		buffer_release(&texts[i]);
	return started;
}

static void
count_start(const struct command_job *job)
{
	const struct command_pool *pool = job->pool;
	const struct command_pool_options *options = &pool->options;
	enum call_reason reason = job->attempts == 1 ? CALL_FIRST : CALL_RETRY;

	if (options->stats != NULL)
		call_stats_sent(options->stats, &pool->instance, reason);
	if (options->trace.sent != NULL)
		options->trace.sent(options->trace.argument, job->task,
		    &pool->instance, reason, job->attempts);
}

int
command_job_start(struct command_job *job, struct svc_error *error)
{
	double now = time_monotonic();

	if (job->attempts == 0) {
		job->first = now;
		job->expires = find_expiry(job, now);
	}
	if (now >= job->expires) {
		command_pool_left(job->pool);
		fail(job, CODE_DEADLINE,
		    "its deadline passed before it could be started");
		return 0;
	}
	if (job->input.length == 0)
		fill_input(job);
	if (launch(job, error) == -1)
		return -1;
	job->state = JOB_RUNS;
	job->began = now;
	job->attempts++;
	arm(job, job->expires);
	count_start(job);
	process_write(job->process, job->input.data, job->input.length, true);
	return 0;
}

void
command_job_cancel(struct command_job *job)
{
	if (job->state != JOB_RUNS) {
		fail(job, CODE_CANCELLED, "cancelled before it was started");
		return;
	}
	job->stopped = STOP_CANCEL;
	process_stop(job->process, GRACE_SECONDS);
}
