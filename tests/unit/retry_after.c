/*
 * What servers say in Retry-After.
 */
#include "net/retry_after.h"

#include "check.h"
#include "line/units.h"

/* Sunday, 2026-11-22T10:00:00Z */
#define NOW INT64_C(1795341600000)

static double
parse(const char *text)
{
	return retry_after_parse(text, strlen(text), NOW);
}

static void
a_number_is_seconds_however_large(void)
{
	CHECK(parse("0") == 0);
	CHECK(parse("7") == 7);
	CHECK(parse("0120") == 120);
	CHECK(parse("1000000000") == 1e9);
	CHECK(parse("99999999999999999999999999999999999999999") >= 1e12);
}

static void
a_date_is_the_time_until_then_in_each_of_three_forms(void)
{
	CHECK(parse("Sun, 22 Nov 2026 10:00:30 GMT") == 30);
	CHECK(parse("Sunday, 22-Nov-26 10:01:00 GMT") == 60);
	CHECK(parse("Sun Nov 22 10:00:01 2026") == 1);
	CHECK(parse("Tue Dec  1 10:00:00 2026") == 9 * 86400.0);
	CHECK(parse("Mon, 22 Nov 2027 10:00:00 GMT") == 365 * 86400.0);
}

static void
a_date_that_is_past_is_now(void)
{
	CHECK(parse("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
	CHECK(parse("Sun, 22 Nov 2026 09:59:59 GMT") == 0);
	/* 94 is not 2094: that would be more than 50 years ahead. */
	CHECK(parse("Sunday, 06-Nov-94 08:49:37 GMT") == 0);
	CHECK(parse("Thu, 01 Jan 0001 00:00:00 GMT") == 0);
}

static void
a_year_of_two_digits_may_be_ahead(void)
{
	CHECK(parse("Monday, 22-Nov-27 10:00:00 GMT") == 365 * 86400.0);
}

static void
anything_else_is_as_if_nothing_had_been_said(void)
{
	static const char *const texts[] = {"", " ", "-1", "+5", "1.5", "5s",
	    "5 ", "0x10", "1e3", "soon", "Sun, 22 Nov 2026 10:00:30",
	    "Sun, 22 Nov 2026 10:00:30 UTC", "Sun, 22 Nov 2026 10:00:30 GMT ",
	    "Sun, 22 nov 2026 10:00:30 GMT", "Sun 22 Nov 2026 10:00:30 GMT",
	    "Sun, 2 Nov 2026 10:00:30 GMT", "Sun, 31 Feb 2027 10:00:30 GMT",
	    "Sun, 00 Feb 2027 10:00:30 GMT", "Sun, 22 Nov 2026 24:00:30 GMT",
	    "Sun, 22 Nov 2026 10:60:30 GMT", "Sun, 22 Nov 2026 10:00:61 GMT",
	    "Xyz, 22 Nov 2026 10:00:30 GMT", "2026-11-22T10:00:30Z"};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK(parse(texts[i]) < 0))
			printf("# of '%s'\n", texts[i]);
}

static void
only_as_many_bytes_count_as_are_given(void)
{
	CHECK(retry_after_parse("30\r\n", 2, NOW) == 30);
	CHECK(retry_after_parse("305", 2, NOW) == 30);
}

int
main(void)
{
	RUN(a_number_is_seconds_however_large);
	RUN(a_date_is_the_time_until_then_in_each_of_three_forms);
	RUN(a_date_that_is_past_is_now);
	RUN(a_year_of_two_digits_may_be_ahead);
	RUN(anything_else_is_as_if_nothing_had_been_said);
	RUN(only_as_many_bytes_count_as_are_given);
	return check_done();
}
