/*
 * What libcurl's texts say of a request on a connection of HTTP/2.
 */
#include "net/call_stream.h"

#include "check.h"

static enum call_stream_event
say(struct call_stream *stream, const char *text, uint32_t *last)
{
	return call_stream_text(stream, text, strlen(text), last);
}

/* A request with a stream of this id, on the connection of a local port. */
static void
begin(struct call_stream *stream, const char *id, int local_port)
{
	char text[80];
	uint32_t last;

	call_stream_reset(stream);
	call_stream_begin(stream, "192.0.2.1", 443, local_port);
	snprintf(text, sizeof(text),
	    "Using Stream ID: %s (easy handle 0x5555)\n", id);
	CHECK(say(stream, text, &last) == STREAM_NOTHING);
}

static void
die(struct call_stream *stream)
{
	uint32_t last;

	CHECK(say(stream,
		  "Connection died, retrying a fresh connect (retry count: "
		  "1)\n",
		  &last) == STREAM_NOTHING);
}

static void
streams_behind_the_last_of_a_goaway_are_refused(void)
{
	struct call_stream done, open;
	uint32_t last = 0;

	begin(&done, "99", 4711);
	begin(&open, "101", 4711);
	CHECK(say(&done, "recveived GOAWAY, error=0, last_stream=99\n",
		  &last) == STREAM_GOAWAY);
	CHECK(last == 99);
	call_stream_goaway(&done, &done, last);
	call_stream_goaway(&open, &done, last);
	CHECK(!done.beyond && open.beyond);
	die(&done);
	die(&open);
	CHECK(!done.refused && open.refused);
}

static void
a_goaway_is_about_its_own_connection(void)
{
	struct call_stream teller, other, elsewhere;

	begin(&teller, "1", 4711);
	begin(&other, "101", 4712);
	begin(&elsewhere, "101", 4711);
	call_stream_begin(&elsewhere, "192.0.2.2", 443, 4711);
	elsewhere.id = 101;
	call_stream_goaway(&other, &teller, 1);
	call_stream_goaway(&elsewhere, &teller, 1);
	CHECK(!other.beyond && !elsewhere.beyond);
}

static void
a_connection_that_dies_says_nothing_of_what_was_executed(void)
{
	struct call_stream stream;

	begin(&stream, "1", 4711);
	die(&stream);
	CHECK(!stream.refused);
	/* HTTP/1.1: there are no streams. */
	call_stream_reset(&stream);
	call_stream_begin(&stream, "192.0.2.1", 443, 4711);
	call_stream_goaway(&stream, &stream, 0);
	die(&stream);
	CHECK(!stream.refused);
}

static void
a_refused_stream_is_refused(void)
{
	struct call_stream stream;
	uint32_t last;

	begin(&stream, "1", 4711);
	(void)say(&stream, "REFUSED_STREAM, retrying a fresh connect\n", &last);
	/* libcurl says both. */
	die(&stream);
	CHECK(stream.refused);
}

static void
what_idle_connections_say_in_the_search_for_one_is_not_its_own(void)
{
	struct call_stream stream;
	uint32_t last;

	begin(&stream, "101", 4711);
	die(&stream);
	CHECK(say(&stream, "recveived GOAWAY, error=0, last_stream=1\n",
		  &last) == STREAM_NOTHING);
	CHECK(!stream.refused && !stream.beyond);
}

static void
other_texts_and_odd_ones_are_passed_over(void)
{
	static const char *const texts[] = {"", "\n", "R", "U",
	    "Using Stream ID: ", "Using Stream ID: x",
	    "recveived GOAWAY, error=0",
	    "recveived GOAWAY, error=0, last_stream=99999999999999999999",
	    "Connection #0 to host a left intact\n",
	    "Re-using existing "
	    "connection #0"};
	struct call_stream stream;
	uint32_t last;
	size_t i;

	begin(&stream, "7", 4711);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(say(&stream, texts[i], &last) == STREAM_NOTHING);
	CHECK(stream.id == 7 && !stream.beyond && !stream.refused);
}

int
main(void)
{
	RUN(streams_behind_the_last_of_a_goaway_are_refused);
	RUN(a_goaway_is_about_its_own_connection);
	RUN(a_connection_that_dies_says_nothing_of_what_was_executed);
	RUN(a_refused_stream_is_refused);
	RUN(what_idle_connections_say_in_the_search_for_one_is_not_its_own);
	RUN(other_texts_and_odd_ones_are_passed_over);
	return check_done();
}
