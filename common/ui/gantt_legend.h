/*
 * The legend of a chart: the paint and the name of each group, in rows.
 */
#ifndef SVCKIT_UI_GANTT_LEGEND_H
#define SVCKIT_UI_GANTT_LEGEND_H

#include "line/buffer.h"
#include "ui/gantt_palette.h"

/* Rows at most; what they do not hold is counted. */
#define GANTT_LEGEND_ROWS 5

/*
 * Appends it below y, and returns where it ends; y itself, where no group has
 * a name.
 */
double gantt_legend_append(
    const struct gantt_palette *palette, double y, struct buffer *out);

#endif
