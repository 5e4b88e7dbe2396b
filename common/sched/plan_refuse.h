/*
 * Tasks of a plan that could be placed nowhere even if all were free.
 */
#ifndef SVCKIT_SCHED_PLAN_REFUSE_H
#define SVCKIT_SCHED_PLAN_REFUSE_H

#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task_failure.h"
#include "sched/plan.h"
#include "sched/plan_class.h"

/*
 * Whether the task could be placed, its deadline apart, as things are.  1; 0:
 * failure; -1: EX_OSERR.  why is that of chooser_choose().
 */
int plan_refuse_probe(const struct plan *plan, uint32_t task,
    struct buffer *why, struct task_failure *failure, struct svc_error *error);

/*
 * Before anything runs: decides all tasks of the classes that are refused, in
 * order (of the batch's tasks), and sets their bytes in refused (one a class).
 * -1: EX_OSERR, or decided's.
 */
int plan_refuse(struct plan *plan, const struct plan_classes *classes,
    const uint32_t *order, unsigned char *refused, struct svc_error *error);

#endif
