/*
 * The key of a task: what --hash goes by.
 *
 * It is the member "key" of the line, else its id; or, with a JSON Pointer
 * (RFC 6901), the value in "task" that it names.  A string is taken decoded,
 * everything else by its bytes: "17" and 17 are one key, 1 and 1.0 two.
 */
#ifndef SVCKIT_SCHED_TASK_KEY_H
#define SVCKIT_SCHED_TASK_KEY_H

#include <stdint.h>

#include "line/error.h"
#include "line/task.h"

/*
 * The stable_hash() of a READY envelope's key: the same on every machine and in
 * every version.  pointer: NULL, or one that json_pointer_check() accepts.
 * -1: EX_DATAERR, pointer names nothing in the task; EX_OSERR.
 */
int task_key(const struct envelope *envelope, const char *pointer,
    uint64_t *key, struct svc_error *error);

#endif
