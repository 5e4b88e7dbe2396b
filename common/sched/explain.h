/*
 * Why an instance was chosen, or none: as a sentence and as data.
 *
 * A reason is "insufficient cpu", "no cpu" (its capacity names none), "label
 * zone", or a status that gets no work.
 */
#ifndef SVCKIT_SCHED_EXPLAIN_H
#define SVCKIT_SCHED_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/json.h"
#include "sched/policy.h"
#include "sched/pool.h"

/*
 * Appends the one sentence for a task that no instance of service can take,
 * each instance counted once, for the first of its status, labels, numbers:
 * "0 of 12 instances: 7 insufficient cpu (need 4, most free 2), 3 label zone,
 * 2 critical".  policy (may be NULL) knows what is left of a capacity.
 */
void explain_none(struct pool *pool, const struct policy *policy,
    const char *service, const struct json_value *requires, struct buffer *out);

/*
 * Appends the JSON object of --explain: the policy, how many of the service's
 * instances were eligible, and counts of all reasons of the others; with full
 * also every candidate with its reasons or the policy's terms.
 */
void explain_append(struct pool *pool, const struct policy *policy,
    const char *service, const struct json_value *requires, bool full,
    struct buffer *out);

#endif
