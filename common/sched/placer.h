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
#include "sched/chooser.h"

struct placer {
	struct chooser *chooser; /* borrowed */
	const char *pointer; /* of --hash; NULL: the line's key */
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

/*
 * The service that the line of envelope goes to: its own, else that of the
 * instance that it was planned for (written into planned), else
 * placer->chooser's, else NULL.  -1: the line's instance cannot be read;
 * placer->failure.
 */
int placer_service(struct placer *placer, const struct envelope *envelope,
    struct task_instance *planned, const char **service);

/*
 * Appends the line with the instance, or with failure; and why, if it is not
 * empty.  more (may be NULL) is what else goes in, as JSON members with a comma
 * in front; drop (MEMBER_BITs) names them.
 */
void placer_append(const struct placer *placer, const struct envelope *envelope,
    uint32_t member, const struct buffer *why, const struct buffer *more,
    unsigned long drop, struct buffer *out);
void placer_append_failed(const struct envelope *envelope,
    const struct task_failure *failure, const struct buffer *why,
    struct buffer *out);

#endif
