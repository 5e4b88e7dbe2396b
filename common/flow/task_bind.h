/*
 * A task with the results that it binds in their places: what is sent.
 *
 * Bytes are copied, never printed anew: a number that no program could hold
 * arrives as it was answered.
 */
#ifndef SVCKIT_FLOW_TASK_BIND_H
#define SVCKIT_FLOW_TASK_BIND_H

#include <stdbool.h>

#include "flow/task_links.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"

/* A result as it stands on a finished line. */
struct task_result {
	struct json_value value;
	bool base64; /* a string of base64 that stands for bytes */
};

/*
 * Appends task with its bindings filled in to out.  result() finds the result
 * of an id, valid until it is called again or this returns: 0, -1 with error.
 * *base64: out is a string of base64 that stands for bytes: the task is bound
 * as a whole to a whole result that is one.  limit: bytes of what is sent; 0:
 * TASK_LENGTH_MAX.
 *
 * -1, and out is as before: EX_DATAERR, a part that the result does not have
 * ("a: no /files/0 in its result"); EX_CANTCREAT, the task would be longer than
 * limit, or nest too deeply; EX_OSERR, and whatever result() says.
 */
int task_bind(const struct task_links *links, const struct json_value *task,
    size_t limit,
    int (*result)(void *argument, const char *id, struct task_result *found,
	struct svc_error *error),
    void *argument, struct buffer *out, bool *base64, struct svc_error *error);

#endif
