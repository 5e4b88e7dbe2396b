/*
 * A writer's descriptor on an event loop: what is queued goes out when there is
 * room, and a reader that goes away is noticed even while nothing is written.
 */
#ifndef SVCKIT_NET_OUTLET_H
#define SVCKIT_NET_OUTLET_H

#include <stdbool.h>

#include "line/error.h"
#include "line/writer.h"

struct event_base;
struct outlet;

struct outlet_options {
	struct event_base *base;
	struct writer *writer; /* set to queue; must outlive the outlet */
	int descriptor; /* the writer's */
	void (*drained)(void *argument); /* nothing waits any more */
	/* The reader has gone, or else the output failed, and the writer knows
	 * why. */
	void (*broken)(void *argument, bool gone);
	void *argument;
};

int outlet_open(struct outlet **outlet, const struct outlet_options *options,
    struct svc_error *error);
/* What waits stays in the writer.  NULL is allowed. */
void outlet_close(struct outlet *outlet);

/*
 * To be called when lines were queued.  Into what never blocks (a file) they
 * are written at once.
 */
void outlet_wake(struct outlet *outlet);

/*
 * Writes what waits, without the loop: 1; 0: for so many milliseconds (-1: for
 * ever) nobody read; -1.
 */
int outlet_drain(
    struct outlet *outlet, int milliseconds, struct svc_error *error);

#endif
