/*
 * Tasks that were held (batch.h) go out: in their order, each as one line, as
 * placer_pipe.h writes those that are not held.
 */
#ifndef SVCKIT_SCHED_PLACER_BATCH_H
#define SVCKIT_SCHED_PLACER_BATCH_H

#include "line/error.h"
#include "sched/batch.h"
#include "sched/placer_pipe.h"
#include "sched/plan.h"

/*
 * Places all of batch, which placer_pipe_run() has filled for filter, side by
 * side, and writes them.  -1 as placer_pipe_run().
 */
int placer_batch_write(
    struct placer_pipe *filter, struct batch *batch, struct svc_error *error);

/*
 * Runs plan, whose batch was filled likewise, and writes each task as it is
 * decided, with "start" and "end" in seconds.
 */
int placer_batch_plan(
    struct placer_pipe *filter, struct plan *plan, struct svc_error *error);

#endif
