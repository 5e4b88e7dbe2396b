#include "net/probe_ready.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/probe.h"

/* Between probes: short beside any start worth waiting for. */
#define PAUSE_USEC 50000

struct probe_ready {
	struct probe_ready_options options;
	double deadline; /* of time_monotonic() */
	struct probe *probe; /* NULL: none runs */
	struct event *pause;
	char reason[160]; /* of the last probe */
};

static void on_probe(void *argument, const struct probe_answer *answer);

static void
finish(struct probe_ready *ready, bool passed)
{
	ready->options.done(ready->options.argument, passed, ready->reason);
}

static int
ask(struct probe_ready *ready, struct svc_error *error)
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
	struct probe_ready *ready = argument;
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
	struct probe_ready *ready = argument;
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
probe_ready_open(struct probe_ready **ready,
    const struct probe_ready_options *options, struct svc_error *error)
{
	struct probe_ready *made = calloc(1, sizeof(*made));

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
	probe_ready_close(made);
	return -1;
}

void
probe_ready_close(struct probe_ready *ready)
{
	if (ready == NULL)
		return;
	if (ready->probe != NULL)
		probe_cancel(ready->probe);
	if (ready->pause != NULL)
		event_free(ready->pause);
	free(ready);
}
