/* What an answer means: the table in svc-call(1), RETRIES. */
#include "net/call_retry.h"

#include "check.h"

struct row {
	enum answer_kind kind;
	long status;
	double retry_after; /* negative: not said */
	bool sent;
	enum call_verdict plain;
	enum call_verdict idempotent;
	bool fault;
	enum task_code code;
};

static const struct row rows[] = {
    {ANSWER_HTTP, 200, -1, true, VERDICT_DONE, VERDICT_DONE, false, CODE_NONE},
    {ANSWER_HTTP, 204, -1, true, VERDICT_DONE, VERDICT_DONE, false, CODE_NONE},
    {ANSWER_HTTP, 429, -1, true, VERDICT_BUSY, VERDICT_BUSY, false, CODE_BUSY},
    {ANSWER_HTTP, 429, 9, true, VERDICT_BUSY, VERDICT_BUSY, false, CODE_BUSY},
    {ANSWER_HTTP, 503, 0, true, VERDICT_BUSY, VERDICT_BUSY, false, CODE_BUSY},
    {ANSWER_REFUSED, 0, -1, false, VERDICT_BUSY, VERDICT_BUSY, false,
	CODE_UNREACHABLE},
    {ANSWER_HTTP, 503, -1, true, VERDICT_AGAIN, VERDICT_AGAIN, true, CODE_HTTP},
    {ANSWER_UNREACHABLE, 0, -1, false, VERDICT_AGAIN, VERDICT_AGAIN, true,
	CODE_UNREACHABLE},
    {ANSWER_TLS, 0, -1, false, VERDICT_AGAIN, VERDICT_AGAIN, true, CODE_TLS},
    {ANSWER_FORBIDDEN, 0, -1, false, VERDICT_AGAIN, VERDICT_AGAIN, false,
	CODE_FORBIDDEN},
    {ANSWER_HTTP, 500, -1, true, VERDICT_FAILED, VERDICT_AGAIN, true,
	CODE_HTTP},
    {ANSWER_HTTP, 504, 5, true, VERDICT_FAILED, VERDICT_AGAIN, true, CODE_HTTP},
    {ANSWER_RESET, 0, -1, true, VERDICT_FAILED, VERDICT_AGAIN, true,
	CODE_RESET},
    {ANSWER_RESET, 0, -1, false, VERDICT_AGAIN, VERDICT_AGAIN, false,
	CODE_RESET},
    {ANSWER_TIMEOUT, 0, -1, true, VERDICT_FAILED, VERDICT_AGAIN, true,
	CODE_TIMEOUT},
    {ANSWER_HTTP, 404, -1, true, VERDICT_FAILED, VERDICT_FAILED, false,
	CODE_HTTP},
    {ANSWER_HTTP, 302, -1, true, VERDICT_FAILED, VERDICT_FAILED, false,
	CODE_HTTP},
    {ANSWER_TOO_LARGE, 200, -1, true, VERDICT_FAILED, VERDICT_FAILED, false,
	CODE_TOO_LARGE},
    {ANSWER_GARBLED, 0, -1, true, VERDICT_FAILED, VERDICT_FAILED, true,
	CODE_BAD_RESPONSE},
    {ANSWER_NO_MEMORY, 0, -1, true, VERDICT_FAILED, VERDICT_FAILED, false,
	CODE_BAD_RESPONSE},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct call_answer
answer_of(const struct row *row)
{
	struct call_answer answer = {
	    .kind = row->kind,
	    .sent = row->sent,
	    .status = row->status,
	    .retry_after = row->retry_after,
	    .body = "{\"detail\":\"disk full\"}",
	    .body_length = 22,
	    .detail = "words of libcurl",
	};

	return answer;
}

static void
each_answer_has_its_verdict(void)
{
	struct call_answer answer;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		answer = answer_of(&rows[i]);
		if (!CHECK(call_judge(&answer, false) == rows[i].plain) ||
		    !CHECK(call_judge(&answer, true) == rows[i].idempotent))
			printf("# row %zu\n", i);
	}
}

static void
only_what_speaks_against_the_instance_counts_for_ejection(void)
{
	struct call_answer answer;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		answer = answer_of(&rows[i]);
		if (rows[i].plain != VERDICT_DONE &&
		    rows[i].plain != VERDICT_BUSY &&
		    !CHECK(call_fault(&answer) == rows[i].fault))
			printf("# row %zu\n", i);
	}
}

static void
each_failure_has_its_code_and_names_the_instance(void)
{
	struct task_failure failure;
	struct call_answer answer;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].code == CODE_NONE)
			continue;
		answer = answer_of(&rows[i]);
		call_explain(&answer, "w", "a", &failure);
		if (!CHECK(failure.code == rows[i].code) ||
		    !CHECK(strncmp(failure.message, "w/a: ", 5) == 0))
			printf("# row %zu\n", i);
	}
}

static void
the_message_has_the_status_and_what_the_body_says(void)
{
	struct row row = {.kind = ANSWER_HTTP, .status = 500, .sent = true};
	struct call_answer answer = answer_of(&row);
	struct task_failure failure;

	call_explain(&answer, "render", "web1", &failure);
	CHECK_STRING(failure.message, "render/web1: HTTP 500: disk full");
	CHECK(failure.status == 500 && failure.retryable);
	CHECK(failure.body == answer.body && failure.body_length == 22);
	answer.body_length = 5;
	call_explain(&answer, "render", "web1", &failure);
	CHECK_STRING(failure.message, "render/web1: HTTP 500");
}

int
main(void)
{
	RUN(each_answer_has_its_verdict);
	RUN(only_what_speaks_against_the_instance_counts_for_ejection);
	RUN(each_failure_has_its_code_and_names_the_instance);
	RUN(the_message_has_the_status_and_what_the_body_says);
	return check_done();
}
