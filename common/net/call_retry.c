#include "net/call_retry.h"

#include "net/call_detail.h"

static enum call_verdict
judge_status(const struct call_answer *answer, bool idempotent)
{
	long status = answer->status;

	if (status / 100 == 2)
		return VERDICT_DONE;
	if (status == 429 || (status == 503 && answer->retry_after >= 0))
		return VERDICT_BUSY;
	/* 503 says that the server could not handle it: not executed. */
	if (status == 503)
		return VERDICT_AGAIN;
	if (status / 100 == 5)
		return idempotent ? VERDICT_AGAIN : VERDICT_FAILED;
	return VERDICT_FAILED;
}

enum call_verdict
call_judge(const struct call_answer *answer, bool idempotent)
{
	bool safe = idempotent || !answer->sent;

	switch (answer->kind) {
	case ANSWER_HTTP:
		return judge_status(answer, idempotent);
	case ANSWER_REFUSED:
		return VERDICT_BUSY;
	/* Another instance may be one that may be talked to. */
	case ANSWER_FORBIDDEN:
		return VERDICT_AGAIN;
	case ANSWER_UNREACHABLE:
	case ANSWER_TLS:
	case ANSWER_RESET:
	case ANSWER_TIMEOUT:
		return safe ? VERDICT_AGAIN : VERDICT_FAILED;
	case ANSWER_TOO_LARGE:
	case ANSWER_GARBLED:
	case ANSWER_NO_MEMORY:
		break;
	}
	return VERDICT_FAILED;
}

bool
call_fault(const struct call_answer *answer)
{
	switch (answer->kind) {
	case ANSWER_HTTP:
		return answer->status / 100 == 5;
	case ANSWER_UNREACHABLE:
	case ANSWER_TLS:
	case ANSWER_TIMEOUT:
	case ANSWER_GARBLED:
		return true;
	/* Who ends a connection in order (GOAWAY) is not ill. */
	case ANSWER_RESET:
		return answer->sent;
	case ANSWER_REFUSED:
	case ANSWER_FORBIDDEN:
	case ANSWER_TOO_LARGE:
	case ANSWER_NO_MEMORY:
		break;
	}
	return false;
}

static enum task_code
code_of(const struct call_answer *answer)
{
	switch (answer->kind) {
	case ANSWER_HTTP:
		return answer->status == 429 || (answer->status == 503 &&
						    answer->retry_after >= 0)
			   ? CODE_BUSY
			   : CODE_HTTP;
	case ANSWER_REFUSED:
	case ANSWER_UNREACHABLE:
		return CODE_UNREACHABLE;
	case ANSWER_TLS:
		return CODE_TLS;
	case ANSWER_FORBIDDEN:
		return CODE_FORBIDDEN;
	case ANSWER_TIMEOUT:
		return CODE_TIMEOUT;
	case ANSWER_RESET:
		return CODE_RESET;
	case ANSWER_TOO_LARGE:
		return CODE_TOO_LARGE;
	case ANSWER_GARBLED:
	case ANSWER_NO_MEMORY:
		break;
	}
	return CODE_BAD_RESPONSE;
}

/* Only an answer that is no result is explained. */
static void
explain_status(const struct call_answer *answer, const char *service,
    const char *id, struct task_failure *failure)
{
	char detail[CALL_DETAIL_MAX + 1];
	size_t length;

	length = call_detail(answer->body, answer->body_length, detail);
	task_failure_set(failure, code_of(answer), "%s/%s: HTTP %ld%s%s",
	    service, id, answer->status, length > 0 ? ": " : "", detail);
}

void
call_explain(const struct call_answer *answer, const char *service,
    const char *id, struct task_failure *failure)
{
	enum task_code code = code_of(answer);

	if (answer->kind == ANSWER_HTTP)
		explain_status(answer, service, id, failure);
	else if (answer->kind == ANSWER_TOO_LARGE)
		task_failure_set(failure, code,
		    "%s/%s: the result is larger than the limit", service, id);
	else if (answer->kind == ANSWER_NO_MEMORY)
		task_failure_set(
		    failure, code, "%s/%s: out of memory", service, id);
	else
		task_failure_set(
		    failure, code, "%s/%s: %s", service, id, answer->detail);
	failure->status = answer->status;
	if (code == CODE_HTTP && answer->status / 100 == 5)
		failure->retryable = true;
	/* A result that was cut is of no use to anybody. */
	if (answer->status / 100 != 2) {
		failure->body = answer->body;
		failure->body_length = answer->body_length;
	}
}
