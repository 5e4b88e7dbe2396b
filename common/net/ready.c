#include "net/ready.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/probe.h"

/* Between probes: short beside any start worth waiting for. */
#define PAUSE_USEC 50000

struct ready {
	struct ready_options options;
	double deadline; /* of time_monotonic() */
	struct probe *probe; /* NULL: none runs */
	struct event *pause;
	char reason[160]; /* of the last probe */
};

static void on_probe(void *argument, const struct probe_answer *answer);

static void
finish(struct ready *ready, bool passed)
{
	ready->options.done(ready->options.argument, passed, ready->reason);
}

static int
ask(struct ready *ready, struct svc_error *error)
{
	double left = ready->deadline - time_monotonic();
	double timeout = ready->options.probe_timeout;

	if (left < timeout)
		timeout = left > 0 ? left : 0;
	return probe_start(&ready->probe, ready->options.base,
	    &ready->options.address, ready->options.path, timeout, on_probe,
	    ready, error);
}

static void
on_pause(evutil_socket_t descriptor, short what, void *argument)
{
	struct ready *ready = argument;
	struct svc_error error;

	(void)descriptor;
	(void)what;
	if (ask(ready, &error) == 0)
		return;
	(void)snprintf(
	    ready->reason, sizeof(ready->reason), "%.150s", error.message);
	finish(ready, false);
}

static void
on_probe(void *argument, const struct probe_answer *answer)
{
	struct ready *ready = argument;
	struct timeval time = {0, PAUSE_USEC};

	ready->probe = NULL;
	(void)snprintf(
	    ready->reason, sizeof(ready->reason), "%s", answer->reason);
	if (answer->result == PROBE_PASSING)
		finish(ready, true);
	else if (time_monotonic() + PAUSE_USEC / 1e6 >= ready->deadline)
		finish(ready, false);
	else
		(void)evtimer_add(ready->pause, &time);
}

int
ready_open(struct ready **ready, const struct ready_options *options,
    struct svc_error *error)
{
	struct ready *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "ready");
	made->options = *options;
	made->deadline = time_monotonic() + options->timeout;
	made->pause = evtimer_new(options->base, on_pause, made);
	if (made->pause == NULL) {
		(void)svc_error_set(error, EX_OSERR, "ready: no timer");
		goto out;
	}
	if (ask(made, error) == -1)
		goto out;
	*ready = made;
	return 0;
out:
	ready_close(made);
	return -1;
}

void
ready_close(struct ready *ready)
{
	if (ready == NULL)
		return;
	if (ready->probe != NULL)
		probe_cancel(ready->probe);
	if (ready->pause != NULL)
		event_free(ready->pause);
	free(ready);
}
