/*
 * What happens in a run, as lines of JSON, each for itself:
 *
 *	{"at":"2026-11-23T10:00:00.123Z","event":"sent","id":"t1","line":1,
 *	 "service":"render","instance":"web1","attempt":1,"reason":"first"}
 *
 * Members that say nothing are left out.  task-run(1), EVENTS, describes them.
 */
#ifndef SVCKIT_FLOW_RUN_LOG_H
#define SVCKIT_FLOW_RUN_LOG_H

#include <stdint.h>

#include "flow/run_event.h"
#include "line/buffer.h"

/* "task", "ready", ...; a word of its own for each kind. */
const char *run_event_name(enum run_event_kind kind);

/* Appends the line, with LF.  began: when the run did, ms since 1970. */
void run_log_append(
    const struct run_event *event, int64_t began, struct buffer *out);

#endif
