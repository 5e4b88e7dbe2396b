/*
 * Where the parts of a chart stand, in user units: the picture is GANTT_WIDTH
 * wide, and as high as its lanes need.
 */
#ifndef SVCKIT_UI_GANTT_LAYOUT_H
#define SVCKIT_UI_GANTT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/gantt.h"
#include "ui/gantt_axis.h"

#define GANTT_WIDTH  1200.0
#define GANTT_MARGIN 24.0

/* Sizes of the font. */
#define GANTT_TEXT	 12.0
#define GANTT_SMALL_TEXT 10.0

/* Lower lanes carry no text: neither labels nor numbers of slots. */
#define GANTT_TEXT_LANE 12.0

struct gantt_layout {
	const struct gantt *gantt; /* borrowed */
	struct gantt_axis axis;
	double left; /* of the lanes */
	double right;
	double top;
	double bottom;
	double height; /* of the picture */
	double lane_height; /* from one lane to the next, at least 2 */
	double bar_height;
	double name_width; /* at most */
	bool numbered; /* slots' numbers stand beside the lanes */
	double *lanes; /* the top of each lane; owned */
};

/* What stands over the lanes ends at y = head.  -1: no memory. */
int gantt_layout_init(
    struct gantt_layout *layout, const struct gantt *gantt, double head);
void gantt_layout_release(struct gantt_layout *layout);

/* Where a time is, within the lanes. */
double gantt_layout_x(const struct gantt_layout *layout, double seconds);

/* How many seconds a unit is wide. */
double gantt_layout_seconds(const struct gantt_layout *layout);

/* How many lanes, from this one on, its instance has. */
size_t gantt_layout_block(const struct gantt *gantt, size_t lane);

#endif
