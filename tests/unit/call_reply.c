/*
 * The header of an answer, line by line, as libcurl gives it.
 */
#include "net/call_reply.h"

#include "check.h"

static bool
take(struct call_reply *reply, const char *line)
{
	return call_reply_line(reply, line, strlen(line));
}

static void
take_all(struct call_reply *reply, const char *const *lines)
{
	call_reply_reset(reply);
	for (; *lines != NULL; lines++)
		CHECK(take(reply, *lines));
}

static void
retry_after_is_read_in_any_case_without_the_space_around_it(void)
{
	static const char *const lines[] = {
	    "HTTP/1.1 503 Busy\r\n", "rEtRy-AfTeR:  \t 7 \t\r\n", "\r\n", NULL};
	struct call_reply reply;

	take_all(&reply, lines);
	CHECK(reply.retry_after == 7);
}

static void
what_cannot_be_read_is_as_if_it_had_not_been_said(void)
{
	static const char *const lines[] = {"HTTP/1.1 503 Busy\r\n",
	    "Retry-After: soon\r\n", "Retry-After:\r\n",
	    "Retry-Afterwards: 3\r\n", "X: Retry-After: 3\r\n", "\r\n", NULL};
	struct call_reply reply;

	take_all(&reply, lines);
	CHECK(reply.retry_after < 0);
}

static void
of_several_the_longest_wait_counts(void)
{
	static const char *const lines[] = {"HTTP/1.1 503 Busy\r\n",
	    "Retry-After: 3\r\n", "Retry-After: x\r\n", "Retry-After: 9\r\n",
	    "Retry-After: 5\r\n", "\r\n", NULL};
	struct call_reply reply;

	take_all(&reply, lines);
	CHECK(reply.retry_after == 9);
}

static void
interim_answers_and_trailers_do_not_count(void)
{
	static const char *const interim[] = {"HTTP/1.1 103 Early\r\n",
	    "Retry-After: 5\r\n", "\r\n", "HTTP/1.1 503 Busy\r\n", "\r\n",
	    NULL};
	static const char *const trailer[] = {"HTTP/2 503\r\n",
	    "content-type: text/plain\r\n", "\r\n", "Retry-After: 5\r\n", NULL};
	struct call_reply reply;

	take_all(&reply, interim);
	CHECK(reply.retry_after < 0);
	take_all(&reply, trailer);
	CHECK(reply.retry_after < 0);
}

static void
an_encoding_is_kept_in_printable_characters(void)
{
	static const char *const gzip[] = {"HTTP/1.1 103 Early\r\n",
	    "Content-Encoding: br\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
	    "content-encoding: g\x1bzip\r\n", "\r\n", NULL};
	static const char *const none[] = {"HTTP/1.1 103 Early\r\n",
	    "Content-Encoding: br\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
	    "Content-Encoding: Identity\r\n", "\r\n", NULL};
	static const char *const large[] = {"HTTP/1.1 200 OK\r\n",
	    "Content-Encoding: aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde\r\n",
	    "\r\n", NULL};
	struct call_reply reply;

	take_all(&reply, gzip);
	CHECK_STRING(reply.coding, "g zip");
	take_all(&reply, none);
	CHECK_STRING(reply.coding, "");
	take_all(&reply, large);
	CHECK(strlen(reply.coding) == CALL_CODING_MAX);
}

static void
all_lines_together_are_bounded(void)
{
	struct call_reply reply;
	size_t taken = 0;

	call_reply_reset(&reply);
	while (take(&reply, "HTTP/1.1 100 Continue\r\n") &&
	       taken <= CALL_REPLY_MAX)
		taken += strlen("HTTP/1.1 100 Continue\r\n");
	CHECK(reply.wrong != NULL);
	CHECK(taken <= CALL_REPLY_MAX && taken > CALL_REPLY_MAX - 64);
	call_reply_reset(&reply);
	CHECK(reply.wrong == NULL && take(&reply, "HTTP/1.1 200 OK\r\n"));
}

static void
where_the_body_ends_is_said_once(void)
{
	static const struct {
		const char *lines[5];
		bool right;
	} rows[] = {
	    {{"Content-Length: 18", "content-length:18\t"}, true},
	    {{"Content-Length: 0"}, true},
	    {{"Content-Length: 999999999999999999"}, true},
	    {{"Transfer-Encoding: Chunked "}, true},
	    {{"X-Content-Length: x", "Content-Lengths: x"}, true},
	    {{"Content-Length: 18", "Content-Length: 19"}, false},
	    {{"Content-Length: 18, 18"}, false},
	    {{"Content-Length: -1"}, false},
	    {{"Content-Length: +1"}, false},
	    {{"Content-Length: 1000000000000000000"}, false},
	    {{"Content-Length:"}, false},
	    {{"Content-Length: 1", "Transfer-Encoding: chunked"}, false},
	    {{"Transfer-Encoding: chunked", "Content-Length: 1"}, false},
	    {{"Transfer-Encoding: gzip, chunked"}, false},
	    {{"Transfer-Encoding: chunke"}, false},
	    {{"Transfer-Encoding:"}, false},
	    {{"Transfer-Encoding: chunked", "transfer-encoding: chunked"},
		false},
	    {{"HTTP/1.1 200 OK", "Content-Length: 1", "HTTP/x: y",
		 "Content-Length: 2"},
		false},
	};
	struct call_reply reply;
	char line[128];
	size_t i, j;
	bool right;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		call_reply_reset(&reply);
		right = take(&reply, "HTTP/1.1 200 OK\r\n");
		for (j = 0; j < 5 && rows[i].lines[j] != NULL; j++) {
			snprintf(
			    line, sizeof(line), "%s\r\n", rows[i].lines[j]);
			right = take(&reply, line) && right;
		}
		if (!CHECK(right == rows[i].right))
			printf("# %s\n", rows[i].lines[0]);
	}
}

static void
an_interim_answer_or_a_trailer_has_a_length_of_its_own(void)
{
	static const char *const lines[] = {"HTTP/1.1 103 Early\r\n",
	    "Content-Length: 5\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
	    "Transfer-Encoding: chunked\r\n", "\r\n", "Content-Length: 6\r\n",
	    NULL};
	struct call_reply reply;

	take_all(&reply, lines);
	CHECK(reply.wrong == NULL && !reply.open);
}

int
main(void)
{
	RUN(retry_after_is_read_in_any_case_without_the_space_around_it);
	RUN(what_cannot_be_read_is_as_if_it_had_not_been_said);
	RUN(of_several_the_longest_wait_counts);
	RUN(interim_answers_and_trailers_do_not_count);
	RUN(an_encoding_is_kept_in_printable_characters);
	RUN(all_lines_together_are_bounded);
	RUN(where_the_body_ends_is_said_once);
	RUN(an_interim_answer_or_a_trailer_has_a_length_of_its_own);
	return check_done();
}
