#include "process/handler.h"

#include <event2/event.h>

#include <math.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "process/child.h"
#include "process/handler_queue.h"
#include "process/handler_run.h"
#include "process/signals.h"

struct handler {
	struct handler_options options;
	sigset_t ignored;
	char **environment;
	struct handler_queue queue;
	struct handler_run *run; /* the one that is on; or NULL */
	struct event *timer; /* the end of a gathering, or at once: notices */
	double last; /* when the last event came, monotonic */
	double first; /* when the first of those that wait came */
	bool prompt; /* what waits came into quiet: it is not held up */
	bool owed; /* idle is to be told */
	bool lost; /* an event, for want of memory: to be told */
	bool finishing; /* quiet is not waited for */
	bool stopped;
	struct svc_error unstarted; /* why the last run did not start, to be
				       told; code 0: it did */
};

static void
notice(struct handler *handler)
{
	event_active(handler->timer, EV_TIMEOUT, 0);
}

static void advance(struct handler *handler);

static void
on_ended(void *argument, const char *reason)
{
	struct handler *handler = argument;

	handler_run_free(handler->run);
	handler->run = NULL;
	if (reason != NULL)
		handler->options.failed(handler->options.argument, reason);
	advance(handler);
}

/* Runs it for all that waits, where that is gathered; else for the first. */
static void
start(struct handler *handler)
{
	struct handler_run_options options = {.base = handler->options.base,
	    .argv = handler->options.argv,
	    .environment = handler->environment,
	    .ignored = &handler->ignored,
	    .timeout = handler->options.timeout,
	    .ended = on_ended,
	    .argument = handler};
	struct handler_batch batch;

	TAILQ_INIT(&batch);
	handler_queue_take(
	    &handler->queue, handler->options.settle > 0, &batch);
	handler->prompt = false;
	if (handler_run_start(
		&handler->run, &options, &batch, &handler->unstarted) == -1) {
		handler->run = NULL;
		notice(handler);
	} else
		handler->unstarted.code = 0;
	handler_batch_release(&batch);
}

/* When what waits is to be handed over, unless a run is on. */
static double
due(const struct handler *handler)
{
	double settle = handler->options.settle;

	if (handler->prompt || handler->finishing)
		return handler->first;
	return fmin(handler->last + settle,
	    handler->first + HANDLER_SETTLE_LIMIT * settle);
}

static void
wait_for(struct handler *handler, double seconds)
{
	struct timeval time = duration_timeval(seconds);

	if (evtimer_add(handler->timer, &time) == -1)
		notice(handler);
}

/* Does what can be done by now.  The last call of whoever calls it: idle() may
 * free the handler. */
static void
advance(struct handler *handler)
{
	double left;

	if (handler->run != NULL || handler->unstarted.code != 0 ||
	    handler_queue_open(&handler->queue))
		return;
	if (handler_queue_empty(&handler->queue)) {
		if (!handler->owed)
			return;
		handler->owed = false;
		if (handler->options.idle != NULL)
			handler->options.idle(handler->options.argument);
		return;
	}
	left = due(handler) - time_monotonic();
	if (left > 0)
		wait_for(handler, left);
	else
		start(handler);
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	struct handler *handler = argument;
	struct svc_error unstarted = handler->unstarted;

	(void)descriptor;
	(void)what;
	handler->unstarted.code = 0;
	if (unstarted.code != 0)
		handler->options.failed(
		    handler->options.argument, unstarted.message);
	if (handler->lost) {
		handler->lost = false;
		handler->options.failed(handler->options.argument,
		    "out of memory: an event was not handed over");
	}
	advance(handler);
}

int
handler_open(struct handler **handler, const struct handler_options *options,
    struct svc_error *error)
{
	struct handler *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "handler");
	made->options = *options;
	sigemptyset(&made->ignored);
	if (options->ignored != NULL)
		made->ignored = *options->ignored;
	handler_queue_init(&made->queue);
	made->last = -HUGE_VAL;
	made->environment =
	    child_environment(options->environment, NULL, 0, error);
	if (made->environment == NULL)
		goto out;
	made->timer = evtimer_new(options->base, on_timer, made);
	if (made->timer == NULL) {
		(void)svc_error_set(error, EX_OSERR, "no timer");
		goto out;
	}
	signals_heed_children();
	*handler = made;
	return 0;
out:
	handler_close(made);
	return -1;
}

void
handler_add(struct handler *handler, const struct handler_event *event)
{
	bool first = handler_queue_empty(&handler->queue);
	double now = time_monotonic();

	if (handler->stopped)
		return;
	handler->owed = true;
	if (handler_queue_add(&handler->queue, event) == -1) {
		handler->lost = true;
		notice(handler);
		return;
	}
	if (first) {
		handler->first = now;
		handler->prompt =
		    handler->run == NULL &&
		    now - handler->last >= handler->options.settle;
	}
	handler->last = now;
	advance(handler);
}

void
handler_finish(struct handler *handler)
{
	handler->finishing = true;
	notice(handler);
}

void
handler_stop(struct handler *handler, double grace)
{
	handler->stopped = true;
	handler->owed = true;
	handler_queue_release(&handler->queue);
	if (handler->run != NULL)
		handler_run_stop(handler->run, grace);
	else
		notice(handler);
}

bool
handler_busy(const struct handler *handler)
{
	return handler->owed;
}

void
handler_close(struct handler *handler)
{
	if (handler == NULL)
		return;
	handler_run_free(handler->run);
	handler_queue_release(&handler->queue);
	if (handler->timer != NULL)
		event_free(handler->timer);
	free(handler->environment);
	free(handler);
}
