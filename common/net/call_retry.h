/*
 * Inside the call engine: what an answer means.
 *
 * svc-call(1) has this as a table.
 */
#ifndef SVCKIT_NET_CALL_RETRY_H
#define SVCKIT_NET_CALL_RETRY_H

#include <stdbool.h>

#include "line/task.h"
#include "net/call_http.h"

enum call_verdict {
	VERDICT_DONE, /* 2xx */
	VERDICT_BUSY, /* wait and send again, free of charge */
	VERDICT_AGAIN, /* a failure; sending again is safe */
	VERDICT_FAILED /* a failure, and sending again is not safe, or vain */
};

/* idempotent: the caller says that executing a task twice is harmless. */
enum call_verdict call_judge(const struct call_answer *answer, bool idempotent);

/*
 * Whether an answer that is not VERDICT_DONE says that the instance, not the
 * task, is ill: it counts for its ejection.
 */
bool call_fault(const struct call_answer *answer);

/*
 * Fills failure for an answer that is not VERDICT_DONE: code, message (naming
 * SERVICE/ID, and what the body says), status, and the body, which is borrowed
 * from answer.
 */
void call_explain(const struct call_answer *answer, const char *service,
    const char *id, struct task_failure *failure);

#endif
