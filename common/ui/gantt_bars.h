/*
 * The bars of a chart.
 *
 * Up to GANTT_DETAIL_MAX marks (gantt_marks.h) in columns of one unit are each
 * a rectangle with a tooltip and, where it fits, a label.  More are drawn as
 * one path a paint, in columns as narrow as GANTT_RUNS_MAX allows, and the
 * tooltips are those of columns as narrow as GANTT_DETAIL_MAX allows (none,
 * where there are more lanes than that): so a million bars make a file of a few
 * megabytes.
 */
#ifndef SVCKIT_UI_GANTT_BARS_H
#define SVCKIT_UI_GANTT_BARS_H

#include "line/buffer.h"
#include "ui/gantt_layout.h"
#include "ui/gantt_palette.h"

#define GANTT_DETAIL_MAX 20000
#define GANTT_RUNS_MAX	 150000

void gantt_bars_append(const struct gantt_layout *layout,
    const struct gantt_palette *palette, struct buffer *out);

#endif
