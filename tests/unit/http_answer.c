/* HTTP answers, whole, in pieces and broken. */
#include "net/http_answer.h"

#include <stdlib.h>

#include "check.h"

struct row {
	const char *data;
	bool ended;
	int whole;
	int status;
	const char *body;
};

static const struct row rows[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrest", false, 1, 200, "ok"},
    {"HTTP/1.1 204 No Content\r\ncontent-length:0\r\n\r\n", false, 1, 204, ""},
    {"HTTP/1.0 503\nServer: x\n\nbusy", true, 1, 503, "busy"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
	false, 1, 200, "abc0123456789"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 1\r\n\r\nx",
	false, 1, 200, "x"},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", false, 0, 200, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nless", false, 0, 200, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx", false,
	0, 200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, -1,
	200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", false,
	-1, 200, ""},
    {"HTTP/1.1 200 OK\r\nContent-Le", false, 0, 0, ""},
    {"HTT", false, 0, 0, ""},
    {"SSH-2.0-OpenSSH\r\n", false, -1, 0, ""},
    {"HTTP/1.1 20", true, 0, 0, ""},
    {"HTTP/1.1 999 Odd\r\n\r\n", true, -1, 0, ""},
    {"HTTP/1.1 2000 Odd\r\n\r\n", true, -1, 0, ""},
    {"HTTP/2 200\r\n\r\n", true, -1, 0, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", true, -1, 0, ""},
};

static void
each_answer_is_read_as_it_should(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer body = BUFFER_INIT;
		struct http_answer answer;
		int whole = http_answer_read(&answer, rows[i].data,
		    strlen(rows[i].data), rows[i].ended, &body);

		if (!CHECK(whole == rows[i].whole) ||
		    !CHECK(answer.status == rows[i].status) ||
		    !CHECK_STRING(buffer_string(&body), rows[i].body))
			printf("# row %zu: %d %d\n", i, whole, answer.status);
		buffer_release(&body);
	}
}

/* On the heap, so that a read past the end is seen by the sanitizer. */
static void
every_prefix_is_unfinished_and_read_no_further(void)
{
	const char *text = rows[3].data;
	size_t length;

	for (length = 1; length < strlen(text) - 2; length++) {
		struct buffer body = BUFFER_INIT;
		struct http_answer answer;
		char *copy = malloc(length);

		if (!CHECK(copy != NULL))
			return;
		memcpy(copy, text, length);
		if (!CHECK(http_answer_read(
			       &answer, copy, length, false, &body) == 0))
			printf("# after %zu bytes\n", length);
		CHECK(body.length == 0);
		buffer_release(&body);
		free(copy);
	}
}

static void
an_endless_answer_has_a_status_and_no_body(void)
{
	struct buffer text = BUFFER_INIT, body = BUFFER_INIT;
	struct http_answer answer;

	buffer_append_string(&text, "HTTP/1.1 200 OK\r\n\r\n");
	while (text.length <= ANSWER_MAX)
		buffer_append_string(&text, "and so on, ");
	CHECK(http_answer_read(&answer, text.data, text.length, false, &body) ==
	      -1);
	CHECK(answer.status == 200 && body.length == 0);
	buffer_clear(&text);
	buffer_append_string(&text, "HTTP/1.1 200 OK\r\nX-Y: ");
	while (text.length <= ANSWER_MAX)
		buffer_append_string(&text, "and so on, ");
	CHECK(http_answer_read(&answer, text.data, text.length, false, &body) ==
	      -1);
	CHECK(answer.status == 0);
	buffer_release(&text);
	buffer_release(&body);
}

int
main(void)
{
	RUN(each_answer_is_read_as_it_should);
	RUN(every_prefix_is_unfinished_and_read_no_further);
	RUN(an_endless_answer_has_a_status_and_no_body);
	return check_done();
}
