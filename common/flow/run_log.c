#include "flow/run_log.h"

#include <string.h>

#include "line/json_write.h"
#include "line/units.h"

static const char *const names[] = {
    [RUN_TASK] = "task",
    [RUN_READY] = "ready",
    [RUN_SENT] = "sent",
    [RUN_ANSWERED] = "answered",
    [RUN_ENDED] = "ended",
    [RUN_RESTORED] = "restored",
    [RUN_PASSED] = "passed",
    [RUN_NOTE] = "note",
};

static const char *const reasons[] = {
    [CALL_FIRST] = "first",
    [CALL_RETRY] = "retry",
    [CALL_WAITED] = "waited",
    [CALL_HEDGE] = "hedge",
};

static const char *const results[] = {
    [CALL_ANSWERED] = "ok",
    [CALL_BUSY] = "busy",
    [CALL_FAILED] = "failed",
    [CALL_FORBIDDEN] = "forbidden",
    [CALL_DROPPED] = "dropped",
};

const char *
run_event_name(enum run_event_kind kind)
{
	return names[kind];
}

static void
append_member(struct buffer *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, value, strlen(value));
}

/* To the microsecond, which is more than anybody's clock keeps. */
static void
append_ms(struct buffer *out, double ms)
{
	buffer_append_string(out, ",\"ms\":");
	json_append_number(out, (double)(int64_t)(ms * 1000 + 0.5) / 1000);
}

/* Where a request went. */
static void
append_instance(struct buffer *out, const struct run_event *event)
{
	if (event->instance != NULL)
		append_member(out, "instance", event->instance->id);
	if (event->attempt > 0)
		buffer_append_format(out, ",\"attempt\":%d", event->attempt);
}

static void
append_rest(struct buffer *out, const struct run_event *event)
{
	switch (event->kind) {
	case RUN_SENT:
		append_instance(out, event);
		append_member(out, "reason", reasons[event->reason]);
		break;
	case RUN_ANSWERED:
		append_instance(out, event);
		append_member(out, "result", results[event->result]);
		append_ms(out, event->ms);
		break;
	case RUN_ENDED:
	case RUN_RESTORED:
	case RUN_PASSED:
		append_member(out, "code", task_code_name(event->code));
		break;
	case RUN_TASK:
	case RUN_READY:
	case RUN_NOTE:
		break;
	}
	append_member(out, "message", event->message);
}

void
run_log_append(const struct run_event *event, int64_t began, struct buffer *out)
{
	buffer_append_string(out, "{\"at\":\"");
	time_append(out, began + (int64_t)(event->at * 1000));
	buffer_append_string(out, "\",\"event\":");
	json_append_string(out, names[event->kind], strlen(names[event->kind]));
	append_member(out, "id", event->id);
	if (event->line > 0)
		buffer_append_format(out, ",\"line\":%lu", event->line);
	append_member(out, "service", event->service);
	append_rest(out, event);
	buffer_append_string(out, "}\n");
}
