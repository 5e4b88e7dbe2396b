/*
 * The clock of a view: a timer on the wall clock, which also goes off when
 * somebody sets that clock or the machine wakes up.
 */
#ifndef SVCKIT_REGISTRY_VIEW_CLOCK_H
#define SVCKIT_REGISTRY_VIEW_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "line/error.h"

struct view_clock {
	int timer; /* timerfd_create(2) */
	double offset; /* of the wall clock from the monotonic one, seconds */
};

int view_clock_open(struct view_clock *clock, struct svc_error *error);
void view_clock_close(struct view_clock *clock);

/*
 * Takes what the timer has to tell off.  Whether the wall clock went ahead of
 * the monotonic one by more than a second since the last call: *seconds, less
 * than 0 where it went back.
 */
bool view_clock_jumped(struct view_clock *clock, double *seconds);

/* The timer goes off at the time in ms since 1970, at once if that is past. */
int view_clock_arm(
    struct view_clock *clock, int64_t time, struct svc_error *error);

#endif
