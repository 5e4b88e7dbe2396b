/* HTTP answers, whole, in pieces and broken. */
#include "net/http_answer.h"

#include <stdlib.h>

#include "check.h"

struct row {
	const char *data;
	enum http_answer_state took; /* after all has come */
	enum http_answer_state ended; /* and when no more will */
	int status;
	const char *body;
};
#define PART   HTTP_ANSWER_PART
#define WHOLE  HTTP_ANSWER_WHOLE
#define CUT    HTTP_ANSWER_CUT
#define LARGE  HTTP_ANSWER_LARGE
#define BROKEN HTTP_ANSWER_BROKEN

static const struct row rows[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrest", WHOLE, WHOLE, 200,
	"ok"},
    {"HTTP/1.1 503\r\ncontent-length:0\r\n\r\n", WHOLE, WHOLE, 503, ""},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", WHOLE, WHOLE, 204,
	""},
    {"HTTP/1.1 304 Not Modified\r\n\r\n", WHOLE, WHOLE, 304, ""},
    {"HTTP/1.0 503\nServer: x\n\nbusy", PART, WHOLE, 503, "busy"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
	WHOLE, WHOLE, 200, "abc0123456789"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
     "\r\n3\r\nabc\r\n",
	PART, CUT, 200, "abc"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
     "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 1\r\n\r\nx",
	WHOLE, WHOLE, 200, "x"},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", PART, WHOLE, 200, "until the end"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nless", PART, CUT, 200,
	"less"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx", LARGE,
	LARGE, 200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff"
     "\r\n",
	LARGE, LARGE, 200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", BROKEN,
	BROKEN, 200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", BROKEN,
	BROKEN, 200, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
	BROKEN, BROKEN, 200, "a"},
    {"HTTP/1.1 200 OK\r\nContent-Le", PART, CUT, 0, ""},
    {"HTT", PART, CUT, 0, ""},
    {"", PART, CUT, 0, ""},
    {"SSH-2.0-OpenSSH\r\n", BROKEN, BROKEN, 0, ""},
    {"HX", BROKEN, BROKEN, 0, ""},
    {"\n", BROKEN, BROKEN, 0, ""},
    {"HTTP/1.1 20", PART, CUT, 0, ""},
    {"HTTP/1.1 999 Odd\r\n\r\n", BROKEN, BROKEN, 0, ""},
    {"HTTP/1.1 2000 Odd\r\n\r\n", BROKEN, BROKEN, 0, ""},
    {"HTTP/2 200\r\n\r\n", BROKEN, BROKEN, 0, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", BROKEN, BROKEN, 0, ""},
};

/*
 * Gives text in pieces of size bytes, each on the heap by itself, so that a
 * read past its end is seen by the sanitizer.
 */
static enum http_answer_state
give(struct http_answer *answer, const char *text, size_t length, size_t size)
{
	enum http_answer_state state = HTTP_ANSWER_PART;
	size_t part;

	for (; length > 0; text += part, length -= part) {
		char *copy;

		part = size < length ? size : length;
		if (!CHECK((copy = malloc(part)) != NULL))
			return state;
		memcpy(copy, text, part);
		state = http_answer_take(answer, copy, part);
		free(copy);
	}
	return state;
}

static void
check_row(const struct row *row, size_t size)
{
	struct http_answer answer = HTTP_ANSWER_INIT;

	if (!CHECK(give(&answer, row->data, strlen(row->data), size) ==
		   row->took) ||
	    !CHECK(http_answer_end(&answer) == row->ended) ||
	    !CHECK(answer.status == row->status) ||
	    !CHECK_STRING(buffer_string(&answer.body), row->body))
		printf(
		    "# row %td by %zu: %d\n", row - rows, size, answer.status);
	http_answer_release(&answer);
}

static void
each_answer_is_read_as_it_should_in_whatever_pieces(void)
{
	static const size_t sizes[] = {10000, 1, 2, 3, 7};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
			check_row(&rows[i], sizes[k]);
	}
}

/* head and then fill without end, in pieces of size bytes. */
static void
give_endless(
    struct http_answer *answer, const char *head, const char *fill, size_t size)
{
	size_t i;

	(void)give(answer, head, strlen(head), size);
	for (i = 0; i < 2 * ANSWER_MAX / strlen(fill); i++)
		(void)give(answer, fill, strlen(fill), size);
	CHECK(answer->state == HTTP_ANSWER_LARGE);
	CHECK(answer->body.length <= ANSWER_MAX);
	CHECK(http_answer_end(answer) == HTTP_ANSWER_LARGE);
	http_answer_release(answer);
}

static void
an_endless_body_leaves_its_status(void)
{
	struct http_answer answer = HTTP_ANSWER_INIT;
	struct http_answer chunked = HTTP_ANSWER_INIT;

	give_endless(&answer, "HTTP/1.1 200 OK\r\n\r\n", "and so on, ", 1);
	CHECK(answer.status == 200);
	give_endless(&chunked,
	    "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "4\r\nso, \r\n", 5);
	CHECK(chunked.status == 500);
}

static void
an_endless_header_has_no_status_and_no_memory(void)
{
	static const char *const fills[] = {
	    "and so on, ", "X-Y: z\r\n", "\r\r\r"};
	size_t i;

	for (i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		struct http_answer answer = HTTP_ANSWER_INIT;

		give_endless(&answer, "HTTP/1.1 200 OK\r\nX-Y: ", fills[i], 3);
		CHECK(answer.status == 0 && answer.body.capacity == 0);
	}
}

static void
endless_interim_answers_come_to_an_end(void)
{
	struct http_answer answer = HTTP_ANSWER_INIT;

	give_endless(&answer, "", "HTTP/1.1 100 Continue\r\n\r\n", 1000);
	CHECK(answer.status == 0);
}

static void
a_long_header_line_is_read_by_its_start(void)
{
	struct http_answer answer = HTTP_ANSWER_INIT;
	struct buffer text = BUFFER_INIT;

	buffer_append_string(&text, "HTTP/1.1 200 OK\r\nX: ");
	while (text.length < 3UL * ANSWER_LINE_MAX)
		buffer_append_string(&text, "long ");
	buffer_append_string(&text, "\r\nContent-Length: 2\r\n\r\nok");
	CHECK(give(&answer, text.data, text.length, 11) == HTTP_ANSWER_WHOLE);
	CHECK_STRING(buffer_string(&answer.body), "ok");
	http_answer_release(&answer);
	buffer_release(&text);
}

int
main(void)
{
	RUN(each_answer_is_read_as_it_should_in_whatever_pieces);
	RUN(an_endless_body_leaves_its_status);
	RUN(an_endless_header_has_no_status_and_no_memory);
	RUN(endless_interim_answers_come_to_an_end);
	RUN(a_long_header_line_is_read_by_its_start);
	return check_done();
}
