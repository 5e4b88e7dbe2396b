/*
 * Why an instance was chosen, or none: as a sentence and as data.
 */
#ifndef SVCKIT_SCHED_EXPLAIN_H
#define SVCKIT_SCHED_EXPLAIN_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/json.h"
#include "sched/constraints.h"
#include "sched/policy.h"
#include "sched/pool.h"

/* What is asked about; all borrowed. */
struct explain_question {
	struct pool *pool;
	struct policy *policy;
	struct constraints *constraints;
	const char *service;
	const struct json_value *requires;
	const struct constrained_task *constrained;
	const struct policy_task *task;
};

/*
 * Appends the one sentence for a task that no instance of service can take,
 * each instance counted once, for the first of its status, labels, numbers,
 * spread, deadline: "0 of 12 instances: 7 insufficient cpu (need 4, most free
 * 2), 3 label zone, 2 critical".
 */
void explain_none(const struct explain_question *question, struct buffer *out);

/*
 * Appends the JSON object of --explain: the policy and its seed, how many of
 * the service's instances were eligible, and under "excluded" all reasons of
 * the others with counts and numbers (reason.h); with full also every candidate
 * with its reasons or the policy's terms.  To be called before the choice,
 * which changes what it is made from.
 */
void explain_append(
    const struct explain_question *question, bool full, struct buffer *out);

#endif
