/*
 * A task of a batch as a plan sees it, and how it is decided.
 */
#ifndef SVCKIT_SCHED_PLAN_TASK_H
#define SVCKIT_SCHED_PLAN_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"
#include "line/task_failure.h"
#include "sched/chooser.h"
#include "sched/plan.h"

/*
 * Deadlines are told in milliseconds; sums of durations may be off by less
 * than this.
 */
#define PLAN_SLACK 1e-6 /* seconds */

/*
 * No plan, and no task at speed 1, is longer: 30 million years, of which a
 * number still tells tenths of a second, and of which all sums are finite.
 */
#define PLAN_SECONDS_MAX 1e15

/* Seconds at speed 1. */
double plan_task_duration(const struct plan *plan, uint32_t task);

/* When it must have ended, PLAN_SLACK included; INFINITY: no matter. */
double plan_task_deadline(const struct plan *plan, uint32_t task);

/* What a chooser is asked for a task; requires is pointed to by asked. */
struct plan_question {
	struct json_value requires;
	struct chooser_task asked;
};

/* At a time: what remains until its deadline counts from now on. */
void plan_question_ask(struct plan_question *question, const struct plan *plan,
    uint32_t task, double now);

/*
 * The tasks by release, equal ones in the order of the batch; the caller frees
 * them.  The placements' releases are looked at.  NULL: no memory.
 */
uint32_t *plan_release_order(const struct plan *plan);

/* The task is given to member, from start to end. */
void plan_place(struct plan *plan, uint32_t task, uint32_t member,
    uint32_t slot, double start, double end);

/* Tells of what was placed, or, with a failure, not; -1 as decided(). */
int plan_tell(struct plan *plan, uint32_t task,
    const struct task_failure *failure, const struct buffer *why,
    struct svc_error *error);

/* Whether a task that would end then is not longer than can be planned. */
bool plan_can_tell(const struct plan *plan, uint32_t task, double end);

/* The failure of one that is. */
void plan_fail_endless(const struct plan *plan, uint32_t task, uint32_t member,
    struct task_failure *failure);

#endif
