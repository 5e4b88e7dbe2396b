/*
 * Waits until an address passes its probe: a service that is starting.
 */
#ifndef SVCKIT_NET_PROBE_READY_H
#define SVCKIT_NET_PROBE_READY_H

#include <stdbool.h>

#include "line/error.h"
#include "line/instance.h"

struct event_base;
struct probe_ready;

struct probe_ready_options {
	struct event_base *base;
	struct address address; /* what its path points to must live as long */
	const char *path; /* NULL: a connection is enough */
	double probe_timeout; /* seconds, of one probe */
	double timeout; /* seconds, of the whole */
	/* Called once, not from within probe_ready_open(): passed, or the time
	 * ran out, and reason is what the last probe said. */
	void (*done)(void *argument, bool passed, const char *reason);
	void *argument;
};

int probe_ready_open(struct probe_ready **ready,
    const struct probe_ready_options *options, struct svc_error *error);

/* Ends it, before or after done (not in it).  NULL is allowed. */
void probe_ready_close(struct probe_ready *ready);

#endif
