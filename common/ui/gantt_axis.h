/*
 * The time axis of a chart: where its ticks are, and times as people read them.
 *
 * Ticks stand at 1, 2 or 5 x 10^n seconds up to two minutes, then at round
 * minutes and hours, then at 1, 2 or 5 x 10^n days; there are 5 to 11 of them.
 */
#ifndef SVCKIT_UI_GANTT_AXIS_H
#define SVCKIT_UI_GANTT_AXIS_H

#include "line/buffer.h"

struct gantt_axis {
	double end; /* seconds, more than 0 */
	double step; /* from one tick to the next */
};

/* end: seconds; what is no such number makes an axis of one second. */
void gantt_axis_init(struct gantt_axis *axis, double end);

/* How many ticks, that at 0 included; the n-th is at n x step. */
unsigned gantt_axis_ticks(const struct gantt_axis *axis);

/* Appends what stands at the n-th tick: "0", "200ms", "40s", "1h 10m". */
void gantt_axis_label(
    const struct gantt_axis *axis, unsigned tick, struct buffer *out);

/* Appends seconds, at least 0, to about a thousandth of the axis. */
void gantt_axis_time(
    const struct gantt_axis *axis, double seconds, struct buffer *out);

/* Appends seconds, at least 0, to the millisecond: "1h 10m 2.5s", "15ms". */
void gantt_time(struct buffer *out, double seconds);

#endif
