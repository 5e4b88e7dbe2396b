/*
 * What happens in a run, as it happens: for -v, the chart, the progress.
 */
#ifndef SVCKIT_FLOW_RUN_EVENT_H
#define SVCKIT_FLOW_RUN_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "line/task_failure.h"
#include "net/call.h"

enum run_event_kind {
	RUN_TASK, /* a line has come in: id, service */
	RUN_READY, /* what it waits for has ended; or it waits for nothing */
	RUN_SENT, /* instance, reason, attempt */
	RUN_ANSWERED, /* that request: instance, result, ms */
	RUN_ENDED, /* the task: code, message; CODE_NONE with a result */
	RUN_RESTORED, /* the same, but an earlier run did it */
	RUN_PASSED, /* the same, but the line came in like that */
	RUN_NOTE /* message, about nobody in particular */
};

struct run_event {
	enum run_event_kind kind;
	double at; /* seconds since the run began */
	uint32_t task; /* number of the task; UINT32_MAX: none */
	const char *id; /* "" where there is none */
	bool made; /* the id was made here */
	unsigned long line; /* of the input; 0: none */
	const char *service; /* "" where the task names none */
	const struct call_instance *instance; /* or NULL */
	enum call_reason reason;
	enum call_result result;
	int attempt;
	double ms;
	enum task_code code;
	const char *message; /* or NULL */
};

/* All strings live while it is called. */
typedef void (*run_event_fn)(void *argument, const struct run_event *event);

#endif
