/* The guard: which headers pass, and what they say of the body. */
#include "net/guard.h"

#include "check.h"

#define POST "POST /task HTTP/1.1\r\n"
#define HOST "Host: x\r\n"

static int
status_of(const char *text, size_t length)
{
	struct guard_refusal refusal = {0, NULL};
	struct guard_head head;

	return guard_check(text, length, &head, &refusal) == 0 ? 0
							       : refusal.status;
}

/* Each is a whole header, and the status it is refused with (0: it passes). */
static const struct {
	const char *text;
	int status;
} heads[] = {
    {POST HOST "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET http://x/task HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\r\n" HOST "\r\n", 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"GET / http/1.1\r\n" HOST "\r\n", 400},
    {"get / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n", 501},
    {POST "Host: x\r\nHost: x\r\n\r\n", 400},
    {POST "Host: a b\r\n\r\n", 400},
    {POST "Host:\r\n\r\n", 0},
    {POST HOST "Content-Length: 5\r\n\r\n", 0},
    {POST HOST "content-length:5 \t\r\n\r\n", 0},
    {POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {POST HOST "Content-Length: 5,5\r\n\r\n", 400},
    {POST HOST "Content-Length: +5\r\n\r\n", 400},
    {POST HOST "Content-Length: 5 5\r\n\r\n", 400},
    {POST HOST "Content-Length:\r\n\r\n", 400},
    {POST HOST "Content-Length: 99999999999999999999\r\n\r\n", 413},
    {POST HOST "Transfer-Encoding: chunked\r\n\r\n", 0},
    {POST HOST "Transfer-Encoding: CHUNKED\r\n\r\n", 0},
    {POST HOST "Transfer-Encoding: gzip\r\n\r\n", 400},
    {POST HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	       "\r\n",
	400},
    {POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {POST HOST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"HEAD / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", 400},
    {"HEAD / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0},
    {POST HOST "Content-Length : 5\r\n\r\n", 400},
    {POST HOST "X: a\r\n b\r\n\r\n", 400},
    {POST HOST "no colon\r\n\r\n", 400},
    {POST HOST ": nameless\r\n\r\n", 400},
    {POST HOST "X(: a\r\n\r\n", 400},
    {POST HOST "X: a\rb\r\n\r\n", 400},
    {POST HOST "X: \x7f\r\n\r\n", 400},
    {POST HOST "X: a\tb gr\xc3\xbcn\r\n\r\n", 0},
    {POST HOST "X: a\nY: b\r\n\r\n", 400},
    {POST HOST "Expect: 100-continue\r\n\r\n", 0},
    {POST HOST "Expect: a miracle\r\n\r\n", 417},
};

static void
each_header_passes_or_is_refused_as_the_table_says(void)
{
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (!CHECK(status_of(heads[i].text, strlen(heads[i].text)) ==
			   heads[i].status))
			printf("# row %zu: %s\n", i, heads[i].text);
}

static void
a_nul_is_refused_wherever_it_stands(void)
{
	static const char text[] =
	    POST HOST "Content-Length: 5\r\nX: yz\r\n\r\n";
	size_t length = sizeof(text) - 1, i;
	char changed[sizeof(text)];

	for (i = 0; i + 4 < length; i++) {
		memcpy(changed, text, sizeof(text));
		changed[i] = '\0';
		if (!CHECK(status_of(changed, length) != 0))
			printf("# at byte %zu\n", i);
	}
}

static void
the_shape_of_the_body_is_told(void)
{
	static const char sized[] = POST HOST "Content-Length: 17\r\n\r\n";
	static const char chunked[] =
	    POST HOST "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n"
		      "\r\n";
	struct guard_refusal refusal;
	struct guard_head head;

	CHECK(guard_check(sized, sizeof(sized) - 1, &head, &refusal) == 0);
	CHECK(head.framing == GUARD_LENGTH && head.length == 17);
	CHECK(!head.expects && head.coding_length == 0);
	CHECK(guard_check(chunked, sizeof(chunked) - 1, &head, &refusal) == 0);
	CHECK(head.framing == GUARD_CHUNKED && head.expects);
	CHECK(head.coding == strlen(POST HOST));
	CHECK(head.coding_length == strlen("Transfer-Encoding: chunked\r\n"));
}

static void
more_than_a_hundred_fields_are_refused(void)
{
	char text[8192];
	int i, length = snprintf(text, sizeof(text), POST HOST);

	for (i = 1; i < GUARD_FIELDS_MAX; i++)
		length += snprintf(
		    text + length, sizeof(text) - length, "X%d: y\r\n", i);
	memcpy(text + length, "\r\n", 2);
	CHECK(status_of(text, (size_t)length + 2) == 0);
	memcpy(text + length, "Z: y\r\n\r\n", 8);
	CHECK(status_of(text, (size_t)length + 8) == 431);
}

static void
the_end_of_a_header_is_found_byte_by_byte(void)
{
	static const char text[] = POST HOST "\r\nbody\n";
	size_t whole = strlen(POST HOST "\r\n"), scanned = 0, i;
	struct guard_refusal refusal;

	for (i = 0; i < whole; i++)
		CHECK(guard_find_end(text, i, &scanned, &refusal) == 0);
	CHECK(guard_find_end(text, whole, &scanned, &refusal) == 1);
	CHECK(scanned == whole);
	scanned = 0;
	CHECK(guard_find_end(text, sizeof(text) - 1, &scanned, &refusal) == 1);
	CHECK(scanned == whole);
}

static void
a_line_feed_alone_is_refused(void)
{
	static const char text[] = POST "Host: x\n\n";
	struct guard_refusal refusal = {0, NULL};
	size_t scanned = 0;

	CHECK(guard_find_end(text, sizeof(text) - 1, &scanned, &refusal) == -1);
	CHECK(refusal.status == 400);
}

static void
a_chunk_size_is_hexadecimal_and_nothing_else(void)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1",
	    "1;a=b", "g", "1\r", "fffffffffffffffff"};
	struct guard_refusal refusal;
	size_t size = 0, i;

	CHECK(guard_chunk_size("1aF", 3, &size, &refusal) == 0);
	CHECK(size == 0x1af);
	CHECK(guard_chunk_size("000", 3, &size, &refusal) == 0);
	CHECK(size == 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(guard_chunk_size(
			  bad[i], strlen(bad[i]), &size, &refusal) == -1);
}

int
main(void)
{
	RUN(each_header_passes_or_is_refused_as_the_table_says);
	RUN(a_nul_is_refused_wherever_it_stands);
	RUN(the_shape_of_the_body_is_told);
	RUN(more_than_a_hundred_fields_are_refused);
	RUN(the_end_of_a_header_is_found_byte_by_byte);
	RUN(a_line_feed_alone_is_refused);
	RUN(a_chunk_size_is_hexadecimal_and_nothing_else);
	return check_done();
}
