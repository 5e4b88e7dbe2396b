#include "ui/gantt_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui/svg.h"

/* The room for names of instances, and for numbers of slots. */
#define NAME_WIDTH_MAX 180.0
#define NUMBER_WIDTH   22.0
#define GUTTER	       8.0

/* Half of the last tick's label stands beyond the end of the axis. */
#define RIGHT_MARGIN 36.0

/* Ticks above the lanes and below. */
#define AXIS_HEIGHT   24.0
#define MARKER_HEIGHT 16.0

/* A chart without lanes has room to say so. */
#define EMPTY_HEIGHT 80.0

/* How high lanes are when there are at most so many. */
static const struct {
	size_t lanes;
	double height;
	double gap; /* between bars */
	double apart; /* between instances that have several lanes */
} sizes[] = {
    {24, 26, 4, 6},
    {60, 17, 2, 5},
    {150, 12, 1.5, 4},
    {400, 6, 1, 2},
    {1500, 3, 0.4, 1},
    {SIZE_MAX, 2, 0, 0},
};

size_t
gantt_layout_block(const struct gantt *gantt, size_t lane)
{
	size_t i = lane + 1;

	while (i < gantt->lane_count &&
	       gantt->lanes[i].slot > gantt->lanes[i - 1].slot)
		i++;
	return i - lane;
}

/* Stacks the lanes below top. */
static int
stack(struct gantt_layout *layout)
{
	const struct gantt *gantt = layout->gantt;
	double y = layout->top, apart = 0;
	size_t row = 0, lane, next;

	while (gantt->lane_count > sizes[row].lanes)
		row++;
	layout->lane_height = sizes[row].height;
	layout->bar_height = sizes[row].height - sizes[row].gap;
	layout->lanes = calloc(gantt->lane_count + 1, sizeof(*layout->lanes));
	if (layout->lanes == NULL)
		return -1;
	if (layout->numbered)
		apart = sizes[row].apart;
	for (lane = 0; lane < gantt->lane_count; y += apart) {
		next = lane + gantt_layout_block(gantt, lane);
		for (; lane < next; y += layout->lane_height)
			layout->lanes[lane++] = y;
	}
	layout->bottom = gantt->lane_count == 0 ? y + EMPTY_HEIGHT : y - apart;
	layout->numbered &= layout->lane_height >= GANTT_TEXT_LANE;
	return 0;
}

/* How wide the names are, and where lanes begin beside them. */
static void
measure_names(struct gantt_layout *layout)
{
	const struct gantt *gantt = layout->gantt;
	double widest = 0;
	size_t lane;

	for (lane = 0; lane < gantt->lane_count;
	     lane += gantt_layout_block(gantt, lane)) {
		const char *name = gantt->lanes[lane].name;

		widest = fmax(
		    widest, svg_text_width(name, strlen(name), GANTT_TEXT));
		if (widest >= NAME_WIDTH_MAX)
			break;
	}
	layout->name_width = ceil(fmin(widest, NAME_WIDTH_MAX));
}

int
gantt_layout_init(
    struct gantt_layout *layout, const struct gantt *gantt, double head)
{
	double end = gantt->end;
	size_t lane;

	*layout = (struct gantt_layout){.gantt = gantt};
	if (isfinite(gantt->marker) && gantt->marker > end)
		end = gantt->marker;
	gantt_axis_init(&layout->axis, end);
	for (lane = 0; lane < gantt->lane_count && !layout->numbered; lane++)
		layout->numbered = gantt->lanes[lane].slot > 0;
	layout->top =
	    head + AXIS_HEIGHT + (gantt->marker >= 0 ? MARKER_HEIGHT : 0);
	if (stack(layout) == -1)
		return -1;
	measure_names(layout);
	layout->left = GANTT_MARGIN + layout->name_width + GUTTER +
		       (layout->numbered ? NUMBER_WIDTH : 0);
	layout->right = GANTT_WIDTH - RIGHT_MARGIN;
	layout->height = layout->bottom + AXIS_HEIGHT + GANTT_MARGIN / 2;
	return 0;
}

void
gantt_layout_release(struct gantt_layout *layout)
{
	free(layout->lanes);
	layout->lanes = NULL;
}

double
gantt_layout_x(const struct gantt_layout *layout, double seconds)
{
	double part = fmin(fmax(seconds / layout->axis.end, 0), 1);

	return layout->left + part * (layout->right - layout->left);
}

double
gantt_layout_seconds(const struct gantt_layout *layout)
{
	return layout->axis.end / (layout->right - layout->left);
}
