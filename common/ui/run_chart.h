/*
 * What really happened in a run (run_bars.h) as a Gantt chart (gantt.h): a lane
 * a slot of each instance that was used, a bar a request, coloured by service
 * where it brought a result, else by what became of it: failed, busy, dropped.
 */
#ifndef SVCKIT_UI_RUN_CHART_H
#define SVCKIT_UI_RUN_CHART_H

#include "line/buffer.h"
#include "line/error.h"
#include "ui/run_bars.h"

/*
 * Appends the SVG.  note stands in front of what the chart says of itself: how
 * many instances, slots and attempts, and the makespan, which is when the last
 * of them ended.  What still runs is drawn until now, as dropped.
 *
 * run is used up: nothing but run_bars_release() may follow.  -1: EX_OSERR.
 */
int run_chart_append(struct run_bars *run, const char *title, const char *note,
    double now, struct buffer *out, struct svc_error *error);

#endif
