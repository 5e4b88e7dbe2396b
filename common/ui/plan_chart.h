/*
 * A plan as a Gantt chart (gantt.h): a lane a slot of each instance of the
 * services that were used, idle ones included, and a bar a task, labelled by
 * its id, in the first of the slots that it takes.
 *
 * Idle slots are left out of instances with very many, and of all where all
 * together would make a picture too high to look at.
 */
#ifndef SVCKIT_UI_PLAN_CHART_H
#define SVCKIT_UI_PLAN_CHART_H

#include "line/buffer.h"
#include "line/error.h"
#include "sched/plan.h"
#include "sched/plan_measure.h"

/*
 * Appends the SVG; policy and order stand in its title.  -1: EX_OSERR.
 */
int plan_chart_append(const struct plan *plan,
    const struct plan_measure *measure, const char *policy, const char *order,
    struct buffer *out, struct svc_error *error);

#endif
