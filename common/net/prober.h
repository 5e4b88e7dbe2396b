/*
 * Probes the instances of services and keeps health/NAME: svc-watch -p.
 *
 * Of all probers of a service the one that holds the lock of its health file
 * probes; the others stand by, and one of them takes over when that ends.
 * Instances without a check are left alone; one whose check is malformed is
 * warning, with the reason.
 *
 * The first result decides at once; then `fall` failures in a row make an
 * instance critical, `rise` successes passing again.  A probe is due every
 * interval, give or take a tenth, and sooner while results contradict the
 * status.  Latency and utilization are exponentially weighted means (Roberts
 * 1959; the weight of a new value is 0.3, as good as the last six).
 */
#ifndef SVCKIT_NET_PROBER_H
#define SVCKIT_NET_PROBER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"
#include "registry/registry.h"

struct event_base;
struct prober;

struct prober_options {
	struct event_base *base;
	struct registry *registry; /* must outlive the prober */
	int jobs; /* at most so many probes at a time */
	double interval; /* seconds, of a check that does not say */
	double panic; /* percent of a service; 0: off */
	bool once; /* each instance once, then idle() */
	/* once: every instance that was told of has its result, and it is
	 * written.  NULL: the loop is left (event_base_loopbreak(3)). */
	void (*idle)(void *argument);
	/* One line for the user: health cannot be written, and the like. */
	void (*notice)(void *argument, const char *message);
	void *argument;
};

struct prober_counts { /* since prober_open() */
	unsigned long probes;
	unsigned long failures;
	unsigned long flaps; /* changes of a status that was decided */
};

/* One service's, for metrics: durations are of probes that were answered. */
struct prober_service {
	const char *service;
	bool holder; /* this process probes it */
	bool panic;
	struct prober_counts counts;
	double seconds; /* sum of durations */
	unsigned long answers; /* how many they are */
};

int prober_open(struct prober **prober, const struct prober_options *options,
    struct svc_error *error);
/*
 * Writes what it knows, lets go of the locks and leaves the files, which are
 * believed HEALTH_SECONDS more.  NULL is allowed.
 */
void prober_close(struct prober *prober);

/*
 * Tells the prober how an instance is now, as the listener of a view is told.
 * Expired instances are not probed, draining ones are.
 */
void prober_update(struct prober *prober, const struct instance *before,
    const struct instance *after);

/* The wall clock jumped (view.h): expiries that follow at once are mistrusted.
 */
void prober_jumped(struct prober *prober, double seconds);

/*
 * Puts what this prober found into instance (status, reason, measurements),
 * unless it is expired or draining: for a single pass, which may find the
 * health file held by another or not writable.  0; -1: no memory.
 */
int prober_overlay(const struct prober *prober, struct instance *instance);

/* The services it was told of, sorted, index by index; 0 behind the last. */
int prober_service(
    const struct prober *prober, size_t index, struct prober_service *service);

#endif
