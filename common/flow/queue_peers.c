#include "flow/queue_peers.h"

#include <event2/event.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "registry/claim.h"

/* The lock of one who has just been killed may be seen a moment longer: each
 * look that an event asks for is followed by another one. */
#define CONFIRM_AFTER 0.01
/* What fails is tried again after so many seconds. */
#define RETRY_AFTER 1.0

struct queue_peers {
	struct queue_peers_options options;
	struct store *store;
	struct claimant *claimant;
	struct claimants *claimants;
	struct event *timer; /* the next look */
	struct event *beat; /* NULL: the lock tells */
	int looks; /* that are to come at once */
};

static void
warn_error(const struct queue_peers *peers, const struct svc_error *error)
{
	peers->options.warn(peers->options.argument, error->message);
}

/* Whether we are still who we were. */
static void
beat(struct queue_peers *peers)
{
	struct svc_error error;

	switch (claimant_beat(peers->claimant, &error)) {
	case 1:
		break;
	case 0:
		peers->options.superseded(peers->options.argument);
		break;
	default:
		warn_error(peers, &error);
		break;
	}
}

static void
on_beat(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	beat(argument);
}

/* *next: seconds until the next look. */
static int
look(struct queue_peers *peers, double *next, struct svc_error *error)
{
	const struct queue_peers_options *options = &peers->options;
	size_t failed;
	int count;

	if (claimants_look(peers->claimants, next, error) == -1)
		return -1;
	count = claim_recover(peers->store, peers->claimants, options->warn,
	    options->argument, &failed, error);
	if (count == -1)
		return -1;
	if (count > 0)
		options->recovered(options->argument, (size_t)count, failed);
	return claimants_sweep(peers->claimants, error);
}

static void
step(struct queue_peers *peers)
{
	struct svc_error error;
	struct timeval wait;
	double next;

	if (look(peers, &next, &error) == -1) {
		warn_error(peers, &error);
		next = RETRY_AFTER;
	}
	if (peers->looks > 0 && --peers->looks > 0)
		next = fmin(next, CONFIRM_AFTER);
	if (!isfinite(next)) {
		evtimer_del(peers->timer);
		return;
	}
	wait = duration_timeval(next);
	(void)evtimer_add(peers->timer, &wait);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	step(argument);
}

void
queue_peers_look(struct queue_peers *peers)
{
	const bool busy = peers->looks > 0;

	peers->looks = 2;
	/* A lock has no beat that would find its record gone. */
	if (peers->beat == NULL)
		beat(peers);
	if (!busy)
		step(peers);
}

static int
start_timers(
    struct queue_peers *peers, struct event_base *base, struct svc_error *error)
{
	const double seconds = claimant_interval(peers->claimant);
	const struct timeval interval = duration_timeval(seconds);

	peers->timer = evtimer_new(base, on_timer, peers);
	if (peers->timer == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (seconds <= 0)
		return 0;
	peers->beat = event_new(base, -1, EV_PERSIST, on_beat, peers);
	if (peers->beat == NULL || event_add(peers->beat, &interval) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int
queue_peers_open(struct queue_peers **result, struct event_base *base,
    struct store *store, const struct queue_peers_options *options,
    struct svc_error *error)
{
	struct queue_peers *peers = calloc(1, sizeof(*peers));

	*result = NULL;
	if (peers == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	peers->options = *options;
	peers->store = store;
	if (claimant_open(&peers->claimant, store, &options->claimant, error) ==
		-1 ||
	    claimants_open(&peers->claimants, store, error) == -1 ||
	    start_timers(peers, base, error) == -1) {
		queue_peers_close(peers);
		return -1;
	}
	step(peers);
	*result = peers;
	return 0;
}

void
queue_peers_close(struct queue_peers *peers)
{
	if (peers == NULL)
		return;
	if (peers->beat != NULL)
		event_free(peers->beat);
	if (peers->timer != NULL)
		event_free(peers->timer);
	if (peers->claimants != NULL)
		claimants_close(peers->claimants);
	if (peers->claimant != NULL)
		claimant_close(peers->claimant);
	free(peers);
}

const char *
queue_peers_name(const struct queue_peers *peers)
{
	return claimant_name(peers->claimant);
}

size_t
queue_peers_count(const struct queue_peers *peers)
{
	return claimants_count(peers->claimants);
}

int
queue_peers_descriptor(const struct queue_peers *peers)
{
	return claimant_descriptor(peers->claimant);
}
