/*
 * Placing one task: its line comes in, the same line with an instance, or with
 * the reason why there is none, goes out.  No I/O.
 */
#ifndef SVCKIT_SCHED_PLACER_H
#define SVCKIT_SCHED_PLACER_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task.h"
#include "sched/policy.h"
#include "sched/pool.h"

enum placer_explain { EXPLAIN_NO, EXPLAIN_COUNTS, EXPLAIN_FULL };

struct placer {
	struct pool *pool; /* all borrowed */
	struct policy *policy;
	const char *service; /* of lines that name none; or NULL */
	const char *empty; /* why the pool is empty, as a sentence; or NULL */
	enum placer_explain explain;
	/* what became of the last task; code CODE_NONE: placed */
	struct task_failure failure;
};

/*
 * Appends the line of a READY envelope to out, LF included.  An instance that
 * it came with is replaced, but names the service where the line does not.
 * 1: placed; 0: not, and placer->failure says why; -1: error.
 */
int placer_task(struct placer *placer, const struct envelope *envelope,
    struct buffer *out, struct svc_error *error);

/*
 * Chooses one instance for no task in particular and appends its line.  As
 * above.
 */
int placer_any(
    struct placer *placer, struct buffer *out, struct svc_error *error);

#endif
