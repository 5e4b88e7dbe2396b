/*
 * A Gantt chart as a self-contained SVG 1.1 file: a lane a slot, bars coloured
 * by group, a tooltip a bar, a time axis, readable on light and dark ground.
 *
 * It is 1200 units wide, has neither scripts nor references, and uses the
 * reader's fonts; lanes are high enough for labels as long as there are not too
 * many, and bars that are narrower than a unit are drawn together with those
 * beside them (gantt_bars.h).
 *
 * task-schedule(1) draws plans with it.
 */
#ifndef SVCKIT_UI_GANTT_H
#define SVCKIT_UI_GANTT_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"

struct gantt_bar {
	uint32_t lane; /* index */
	uint32_t group; /* index */
	double start; /* seconds from the chart's beginning */
	double end;
	const char *label; /* of the tooltip, and of bars that are wide enough;
			      any bytes, not terminated */
	size_t label_length;
};

/* Those of an instance stand together, by slot. */
struct gantt_lane {
	const char *name; /* of the instance; any bytes */
	uint32_t slot; /* from 0, where the name is drawn */
};

struct gantt {
	const char *title; /* all text: any bytes */
	const char *subtitle; /* may be NULL */
	const struct gantt_lane *lanes;
	size_t lane_count;
	const struct gantt_bar *bars; /* in any order */
	size_t bar_count;
	const char *const *groups; /* names; "" is none */
	size_t group_count;
	double end; /* of the axis, seconds; 0: there is nothing to show */
	double marker; /* a line across, e.g. the lower bound; negative: none */
	const char *marker_name; /* may be NULL where there is none */
};

/* Appends the file.  Out of memory: out->failed. */
void gantt_append(const struct gantt *gantt, struct buffer *out);

#endif
