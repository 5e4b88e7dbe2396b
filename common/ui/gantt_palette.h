/*
 * The colours of a chart's groups.
 *
 * Twelve that keep apart also for readers with protanopia, deuteranopia or
 * tritanopia (a unit test looks through their eyes), from a light and from a
 * dark ground; then the same striped, then dotted: 36 paints, after which they
 * begin again.  What has no group is grey.
 */
#ifndef SVCKIT_UI_GANTT_PALETTE_H
#define SVCKIT_UI_GANTT_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "ui/gantt.h"

#define PAINT_NONE  36 /* of bars without a group */
#define PAINT_COUNT 37

struct gantt_palette {
	const struct gantt *gantt; /* borrowed */
	bool named; /* there are groups with names */
	bool used[PAINT_COUNT]; /* by the groups of the chart */
};

void gantt_palette_init(
    struct gantt_palette *palette, const struct gantt *gantt);

/* The paint of a group of the chart. */
unsigned gantt_palette_paint(
    const struct gantt_palette *palette, uint32_t group);

/* Whether what is written on the paint has to be light. */
bool gantt_palette_is_dark(unsigned paint);

/* Appends a paint as the value of fill or stroke. */
void gantt_palette_value(unsigned paint, struct buffer *out);

/* Appends the patterns that are used, for <defs>. */
void gantt_palette_patterns(
    const struct gantt_palette *palette, struct buffer *out);

/* Appends a rule of style for each paint that is used: class pN fills. */
void gantt_palette_style(
    const struct gantt_palette *palette, struct buffer *out);

#endif
