/*
 * Choosing for one task: filter (pool.h), constrain (constraints.h), choose
 * (policy.h), explain (explain.h).  No lines, no I/O: placer.h places lines as
 * they come, plan.h in time.
 */
#ifndef SVCKIT_SCHED_CHOOSER_H
#define SVCKIT_SCHED_CHOOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"
#include "line/task_failure.h"
#include "sched/constraints.h"
#include "sched/policy.h"
#include "sched/pool.h"

enum chooser_explain { EXPLAIN_NO, EXPLAIN_COUNTS, EXPLAIN_FULL };

struct chooser {
	struct pool *pool; /* all borrowed */
	struct policy *policy;
	struct constraints *constraints;
	const char *service; /* of tasks that name none; or NULL */
	const char *empty; /* why the pool is empty, as a sentence; or NULL */
	enum chooser_explain explain;
};

struct chooser_task {
	const char *service; /* NULL: chooser->service */
	const struct json_value *requires; /* NULL, absent, null: nothing */
	struct constrained_task constrained;
	struct policy_task policy;
};

/*
 * Chooses, and counts the choice.  1: *member, and *list what it was chosen
 * from, until the next call; 0: failure says why there is none; -1: EX_OSERR.
 * Unless chooser->explain is EXPLAIN_NO, an object is appended to why (may
 * then not be NULL) wherever there were instances to look at.
 *
 * Too late for its deadline on every instance that fits is CODE_DEADLINE.
 */
int chooser_choose(struct chooser *chooser, const struct chooser_task *task,
    uint32_t *member, const struct eligible **list, struct buffer *why,
    struct task_failure *failure, struct svc_error *error);

/*
 * Choosing among some only: keep is a byte a member of the pool.  As above; 0
 * without failure where none of those can take it.  For plan.h, which knows
 * who has become free.
 */
int chooser_choose_among(struct chooser *chooser,
    const struct chooser_task *task, const unsigned char *keep,
    uint32_t *member, const struct eligible **list, struct svc_error *error);

/* A task that was placed on member has ended: what it took is given back. */
void chooser_ended(struct chooser *chooser, const struct chooser_task *task,
    const struct eligible *list, uint32_t member);

#endif
