/*
 * What svc-watch knows, as Prometheus' text for the textfile collector
 * (https://prometheus.io/docs/instrumenting/exposition_formats/):
 *
 *	svckit_instances{service,status}	a series for each status
 *	svckit_probe_duration_seconds_sum, _count{service}
 *	svckit_probe_failures_total{service}
 *	svckit_flaps_total{service}
 *	svckit_expiries_total{service}
 *	svckit_panic{service}			1 while it lasts
 *	svckit_prober{service}			1 where this process probes
 *	svckit_watch_lag_seconds		write to line, the last time
 *	svckit_watch_lag_seconds_max		the greatest since last time
 *	svckit_watch_events_total, svckit_watch_resyncs_total
 */
#ifndef SVCKIT_UI_METRICS_H
#define SVCKIT_UI_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/status.h"

struct metrics_service {
	const char *service;
	size_t instances[STATUS_COUNT];
	bool prober;
	bool panic;
	unsigned long failures;
	unsigned long flaps;
	unsigned long expiries;
	unsigned long answers;
	double seconds; /* of all probes that were answered */
};

struct metrics {
	const struct metrics_service *services; /* sorted */
	size_t service_count;
	unsigned long events;
	unsigned long resyncs;
	double lag; /* seconds; negative: nothing was told yet */
	double lag_max; /* the same */
};

/*
 * Appends the text: each family once, with its HELP and TYPE, the series sorted
 * by service.  What there is nothing to say of (a lag before the first line, a
 * series a service without services) is left out, with its HELP and TYPE.
 */
void metrics_append(const struct metrics *metrics, struct buffer *out);

#endif
