#include "line/task_failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "line/json.h"
#include "line/text.h"

static const char *const code_names[CODE_COUNT] = {
    [CODE_NONE] = "",
    [CODE_INVALID] = "invalid",
    [CODE_TOO_LARGE] = "too-large",
    [CODE_NO_TARGET] = "no-target",
    [CODE_NO_SERVICE] = "no-service",
    [CODE_NO_INSTANCES] = "no-instances",
    [CODE_UNPLACEABLE] = "unplaceable",
    [CODE_DEADLINE] = "deadline",
    [CODE_TIMEOUT] = "timeout",
    [CODE_BUSY] = "busy",
    [CODE_UNREACHABLE] = "unreachable",
    [CODE_RESET] = "reset",
    [CODE_TLS] = "tls",
    [CODE_FORBIDDEN] = "forbidden",
    [CODE_HTTP] = "http",
    [CODE_BAD_RESPONSE] = "bad-response",
    [CODE_EXIT] = "exit",
    [CODE_UNKNOWN_TASK] = "unknown-task",
    [CODE_UNBOUND] = "unbound",
    [CODE_SKIPPED] = "skipped",
    [CODE_LOST] = "lost",
    [CODE_CANCELLED] = "cancelled",
};

const char *
task_code_name(enum task_code code)
{
	return code_names[code];
}

bool
task_code_retryable(enum task_code code)
{
	switch (code) {
	case CODE_NO_INSTANCES:
	case CODE_UNPLACEABLE:
	case CODE_TIMEOUT:
	case CODE_BUSY:
	case CODE_UNREACHABLE:
	case CODE_RESET:
	case CODE_EXIT:
	case CODE_LOST:
	case CODE_CANCELLED:
		return true;
	default:
		return false;
	}
}

void
task_failure_set(
    struct task_failure *failure, enum task_code code, const char *format, ...)
{
	va_list arguments;

	memset(failure, 0, sizeof(*failure));
	failure->code = code;
	failure->retryable = task_code_retryable(code);
	va_start(arguments, format);
	vsnprintf(
	    failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
}

/* An overload or a fault of the server passes; a refusal of the task stays. */
static bool
may_help(const struct task_failure *failure)
{
	if (failure->code != CODE_HTTP)
		return failure->retryable;
	return failure->retryable || failure->status == 408 ||
	       failure->status == 425 || failure->status == 429 ||
	       (failure->status >= 500 && failure->status != 501);
}

void
task_failure_append(const struct task_failure *failure, struct buffer *out)
{
	buffer_append_string(out, ",\"error\":{\"code\":\"");
	buffer_append_string(out, task_code_name(failure->code));
	buffer_append_string(out, "\",\"message\":");
	json_append_string(out, failure->message, strlen(failure->message));
	if (failure->attempts > 0)
		buffer_append_format(
		    out, ",\"attempts\":%d", failure->attempts);
	buffer_append_string(out,
	    may_help(failure) ? ",\"retryable\":true" : ",\"retryable\":false");
	if (failure->status > 0)
		buffer_append_format(out, ",\"status\":%ld", failure->status);
	if (failure->body_length > 0) {
		buffer_append_string(out, ",\"body\":");
		json_append_string(out, failure->body,
		    text_cut(
			failure->body, failure->body_length, ERROR_BODY_MAX));
	}
	buffer_append_char(out, '}');
}
