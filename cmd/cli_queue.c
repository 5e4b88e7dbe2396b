#include "cli_queue.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli_progress.h"
#include "line/units.h"
#include "process/notify.h"

/* How often the service manager is told how it stands, in seconds. */
#define STATUS_INTERVAL 1

/* Claims that are completed meanwhile, beside what runs and as many that are
 * next. */
#define COMPLETING 32

struct cli_queue {
	struct cli_queue_options options;
	struct buffer place;
	char host[256];
	struct queue_source *source;
	struct run_source feed;
	struct run *run; /* NULL: not started */
	struct notify *notify; /* NULL: nobody asks */
	struct event *status;
	struct event *watchdog;
	char told[160]; /* the status, as it was told last */
	struct svc_error error; /* of completing; code 0: none */
	bool stopped;
};

static size_t
vacant(void *argument, const char *service)
{
	const struct cli_queue *queue = argument;

	return queue->run == NULL ? 0 : run_vacant(queue->run, service);
}

static void
feed(void *argument)
{
	const struct cli_queue *queue = argument;

	if (queue->run != NULL)
		run_feed(queue->run);
}

static void
revoke_task(void *argument, const char *id)
{
	const struct cli_queue *queue = argument;

	if (queue->run != NULL)
		run_revoke(queue->run, id);
}

static void
empty(void *argument)
{
	const struct cli_queue *queue = argument;

	if (queue->run != NULL)
		run_finish(queue->run);
}

/* What runs may end; nothing of it will be found done. */
static void
broken(void *argument, const struct svc_error *error)
{
	struct cli_queue *queue = argument;

	if (queue->error.code != 0)
		return;
	queue->error = *error;
	cli_warn_line("%s: nothing new is started", error->message);
	cli_queue_stop(queue);
	if (queue->run != NULL)
		run_stop(queue->run);
}

static void
note(void *argument, const char *message)
{
	const struct cli_queue *queue = argument;

	if (queue->options.calling->cli->verbose > 0)
		cli_calling_say(queue->options.calling, message);
}

static void
say(void *argument, const char *message)
{
	const struct cli_queue *queue = argument;

	cli_calling_say(queue->options.calling, message);
}

static void
vacancy(void *argument)
{
	queue_source_wake(argument);
}

static void
append_count(struct buffer *out, size_t count, const char *what)
{
	if (count > 0)
		buffer_append_format(out, ", %zu %s", count, what);
}

/* "3 waiting, 2 running, 170 done, 1 failed" */
static void
append_status(const struct cli_queue *queue, struct buffer *out)
{
	struct queue_source_counts counts;

	queue_source_counts(queue->source, &counts);
	buffer_append_format(out, "%zu waiting, %zu running, %zu done",
	    counts.waiting, counts.claimed, counts.done);
	append_count(out, counts.failed, "failed");
	append_count(out, counts.blocked, "wait for others");
	append_count(out, counts.asleep, "for a time");
	append_count(out, counts.given_back, "given back");
	append_count(out, counts.lost, "lost");
	append_count(out, counts.recovered, "recovered");
	if (counts.claimants > 1)
		append_count(out, counts.claimants - 1, "other task-runs");
}

void
cli_queue_status(const struct cli_queue *queue)
{
	struct buffer line = BUFFER_INIT;
	const char *text;

	append_status(queue, &line);
	text = buffer_string(&line);
	cli_progress_hide(queue->options.calling->progress);
	cli_warn_line("%s", text == NULL ? "out of memory" : text);
	buffer_release(&line);
}

/* Who does not listen any more is not told again. */
static void
tell(struct cli_queue *queue, const char *state)
{
	struct svc_error error;

	if (notify_send(queue->notify, state, &error) == 0)
		return;
	(void)cli_warn(&error);
	notify_close(queue->notify);
	queue->notify = NULL;
}

static void
on_status(evutil_socket_t fd, short what, void *argument)
{
	struct cli_queue *queue = argument;
	struct buffer line = BUFFER_INIT;
	const char *text;

	(void)fd;
	(void)what;
	buffer_append_string(&line, "STATUS=");
	append_status(queue, &line);
	text = buffer_string(&line);
	if (text != NULL && strcmp(text, queue->told) != 0) {
		snprintf(queue->told, sizeof(queue->told), "%s", text);
		tell(queue, text);
	}
	buffer_release(&line);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	tell(argument, "WATCHDOG=1");
}

static void
repeat(struct event **event, struct event_base *base, double seconds,
    event_callback_fn fn, struct cli_queue *queue)
{
	struct timeval interval = duration_timeval(seconds);
	struct svc_error error;

	*event = event_new(base, -1, EV_PERSIST, fn, queue);
	if (*event != NULL && event_add(*event, &interval) == 0)
		return;
	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

/* The manager's variables are ours alone: no command inherits them. */
static void
open_notify(struct cli_queue *queue, struct event_base *base)
{
	double watchdog =
	    notify_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	struct svc_error error;

	if (notify_open(&queue->notify, getenv("NOTIFY_SOCKET"), &error) == -1)
		cli_fail(&error);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (queue->notify == NULL)
		return;
	repeat(&queue->status, base, STATUS_INTERVAL, on_status, queue);
	if (watchdog > 0)
		repeat(&queue->watchdog, base, watchdog, on_watchdog, queue);
}

static void
open_source(struct cli_queue *queue, struct event_base *base)
{
	const struct cli *cli = queue->options.calling->cli;
	const int jobs = queue->options.calling->call.jobs;
	struct queue_source_options options = {
	    .service = queue->options.service,
	    .claimant = {.host = queue->host,
		.ttl = queue->options.ttl,
		.commands = queue->options.local},
	    .local = queue->options.local,
	    .until_empty = queue->options.until_empty,
	    .claims_max = 2 * (size_t)jobs + COMPLETING,
	    .vacant = vacant,
	    .feed = feed,
	    .revoke = revoke_task,
	    .empty = empty,
	    .broken = broken,
	    .note = note,
	    .warn = say,
	    .argument = queue,
	};
	struct svc_error error;

	if (gethostname(queue->host, sizeof(queue->host) - 1) == -1)
		snprintf(queue->host, sizeof(queue->host), "localhost");
	registry_close(cli_registry(cli, true));
	if (cli_place(cli, &queue->place, &error) == -1 ||
	    (options.place = buffer_string(&queue->place)) == NULL ||
	    queue_source_open(&queue->source, base, &options, &error) == -1)
		cli_fail(&error);
}

void
cli_queue_open(struct cli_queue **queue, struct event_base *base,
    const struct cli_queue_options *options)
{
	struct cli_queue *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	made->options = *options;
	open_source(made, base);
	made->feed.next = queue_source_next;
	made->feed.begun = queue_source_begun;
	made->feed.result = queue_source_result;
	made->feed.ended = queue_source_ended;
	made->feed.vacancy = vacancy;
	made->feed.argument = made->source;
	open_notify(made, base);
	*queue = made;
}

const struct run_source *
cli_queue_source(const struct cli_queue *queue)
{
	return &queue->feed;
}

int
cli_queue_descriptor(const struct cli_queue *queue)
{
	return queue_source_descriptor(queue->source);
}

void
cli_queue_start(struct cli_queue *queue, struct run *run)
{
	queue->run = run;
	queue_source_wake(queue->source);
	tell(queue, "READY=1");
}

void
cli_queue_stop(struct cli_queue *queue)
{
	if (!queue->stopped)
		tell(queue, "STOPPING=1");
	queue->stopped = true;
	queue_source_stop(queue->source);
}

/* What --until-empty came to. */
static int
judge(const struct cli_queue *queue, const struct queue_source_counts *counts)
{
	if (!queue->options.until_empty || queue->stopped)
		return EX_OK;
	if (counts->waiting > 0) {
		cli_warn_line("%zu tasks are left, which nobody takes "
			      "(task-status says why)",
		    counts->waiting);
		return EX_UNAVAILABLE;
	}
	return counts->failed > 0 ? 1 : EX_OK;
}

int
cli_queue_close(struct cli_queue *queue)
{
	struct queue_source_counts counts;
	struct svc_error error;
	int status = queue->error.code;

	queue->run = NULL;
	queue_source_counts(queue->source, &counts);
	status = cli_worse(status, judge(queue, &counts));
	if (queue_source_close(queue->source, &error) == -1)
		status = cli_worse(status, cli_warn(&error));
	if (queue->status != NULL)
		event_free(queue->status);
	if (queue->watchdog != NULL)
		event_free(queue->watchdog);
	notify_close(queue->notify);
	buffer_release(&queue->place);
	free(queue);
	return status;
}
