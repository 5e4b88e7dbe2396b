/*
 * Why a task has no result: the member "error" of a task line.  The codes are
 * a closed list; task-line(5), ERROR CODES, has it in the same order.
 */
#ifndef SVCKIT_LINE_TASK_FAILURE_H
#define SVCKIT_LINE_TASK_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

#define ERROR_BODY_MAX 4096

enum task_code {
	CODE_NONE, /* it did not fail */
	CODE_INVALID, /* the line cannot be read */
	CODE_TOO_LARGE, /* task or result over the limit */
	CODE_NO_TARGET, /* neither line nor option says where it goes */
	CODE_NO_SERVICE, /* several services, and the task names none */
	CODE_NO_INSTANCES, /* the list of instances is empty */
	CODE_UNPLACEABLE, /* instances, but none that fits or takes work */
	CODE_DEADLINE, /* it cannot end before its deadline: not started */
	CODE_TIMEOUT, /* given up after its timeout or deadline */
	CODE_BUSY, /* waited for a free slot until its timeout */
	CODE_UNREACHABLE, /* no connection could be made */
	CODE_RESET, /* the connection ended before the answer did */
	CODE_TLS, /* certificate or handshake refused */
	CODE_FORBIDDEN, /* the caller's own rules forbid the connection */
	CODE_HTTP, /* an answer that is not 2xx */
	CODE_BAD_RESPONSE, /* a 2xx answer that cannot be read as a result */
	CODE_EXIT, /* a command did not end with status 0 */
	CODE_UNKNOWN_TASK, /* it waits for a task that has not come before */
	CODE_UNBOUND, /* a result lacks the part that the task binds */
	CODE_SKIPPED, /* what it waits for did not end as it must have */
	CODE_LOST, /* three who had claimed it in the queue have died */
	CODE_CANCELLED, /* by a signal, or because the run was halted */
	CODE_COUNT
};

/* "too-large"; "" of CODE_NONE. */
const char *task_code_name(enum task_code code);

/*
 * Whether sending the same task again may help.  Of CODE_HTTP it depends on
 * the status (408, 425, 429 and 5xx but 501), which task_failure_append() looks
 * at; this says no.
 */
bool task_code_retryable(enum task_code code);

struct task_failure {
	enum task_code code;
	char message[512];
	int attempts; /* 0: was never sent */
	bool retryable;
	long status; /* HTTP's, or CODE_EXIT's; 0: none */
	const char *body; /* what the server said, UTF-8 or not; borrowed */
	size_t body_length; /* the first ERROR_BODY_MAX bytes are printed */
};

/* Fills code, message and retryable (from the code); the rest is zeroed. */
void task_failure_set(struct task_failure *failure, enum task_code code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Appends ,"error":{"code","message","attempts","retryable","status","body"};
 * attempts, status and body only where there are any.
 */
void task_failure_append(
    const struct task_failure *failure, struct buffer *out);

#endif
