/* Numbers with units, times and names: what is taken, and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "check.h"
#include "line/units.h"

#define KIBI 1024.0
#define NOW  INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */

typedef int parse_number(
    const char *text, double *number, struct svc_error *error);

struct number_row {
	const char *text;
	double number;
};

static void
check_numbers(parse_number *parse, const struct number_row *rows, size_t count)
{
	struct svc_error error;
	double number;
	size_t i;

	for (i = 0; i < count; i++) {
		number = -1;
		if (!CHECK(parse(rows[i].text, &number, &error) == 0 &&
			   fabs(number - rows[i].number) <=
			       1e-12 * fabs(rows[i].number)))
			printf("# %s: %.17g\n", rows[i].text, number);
	}
}

/* Each is EX_USAGE, leaves the result alone, and quotes the value. */
static void
check_refused(
    parse_number *parse, const char *const *texts, const char *example)
{
	struct svc_error error;
	char quoted[64];
	double number;

	for (; *texts != NULL; texts++) {
		number = 42;
		snprintf(quoted, sizeof(quoted), "'%s'", *texts);
		if (!CHECK(parse(*texts, &number, &error) == -1 &&
			   number == 42 && error.code == EX_USAGE &&
			   strstr(error.message, quoted) != NULL &&
			   strstr(error.message, example) != NULL))
			printf("# %s: %g\n", *texts, number);
		CHECK(parse(*texts, &number, NULL) == -1);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
durations_are_seconds_unless_they_say_otherwise(void)
{
	static const struct number_row rows[] = {{"30", 30}, {"0", 0},
	    {"250ms", 0.25}, {"30s", 30}, {"5m", 300}, {"2h", 7200},
	    {"1d", 86400}, {"1.5h", 5400}, {"0.1", 0.1}, {"007", 7},
	    {"1e3ms", 1}, {"36500d", DURATION_MAX}};

	check_numbers(duration_parse, rows, COUNT(rows));
}

static void
what_is_no_duration_is_refused_with_an_example(void)
{
	static const char *const texts[] = {"", "x", "5x", "s", "5 s", " 5",
	    "5 ", "+5", "-5", "-0", "1h30m", "5S", "5MS", "0x10", "0x1p3",
	    "inf", "nan", "infinity", "1e400", "1.", ".5", "1.s", "1,5", "1e",
	    "1e+", NULL};
	static const char *const late[] = {"36501d", "1e300", NULL};

	check_refused(duration_parse, texts, "(say 250ms, 30s, 5m, 2h or 1d)");
	check_refused(duration_parse, late, "at most 36500d");
}

static void
a_refusal_reads_as_one_sentence(void)
{
	struct svc_error error;
	long long integer;
	double number;

	duration_parse("5x", &number, &error);
	CHECK_STRING(error.message,
	    "not a duration: '5x' (say 250ms, 30s, 5m, 2h or 1d)");
	integer_parse("1.5", 1, 64, &integer, &error);
	CHECK_STRING(
	    error.message, "not a whole number: '1.5' (say one from 1 to 64)");
}

/* What is a number, a time, a rate or a size is not called none. */
static void
what_is_too_small_or_too_large_is_out_of_range(void)
{
	static const char *const integers[] = {
	    "0", "-1", "65", "99999999999999999999", NULL};
	struct svc_error error;
	long long integer;
	double number;
	size_t i, bytes;
	char want[96];

	for (i = 0; integers[i] != NULL; i++) {
		CHECK(
		    integer_parse(integers[i], 1, 64, &integer, &error) == -1);
		snprintf(want, sizeof(want),
		    "out of range: '%s' (say one from 1 to 64)", integers[i]);
		CHECK_STRING(error.message, want);
	}
	CHECK(duration_parse("36501d", &number, &error) == -1);
	CHECK_STRING(error.message, "out of range: '36501d' (at most 36500d)");
	CHECK(rate_parse("0", &number, &error) == -1);
	CHECK_STRING(error.message,
	    "out of range: '0' (from one a day, 0.05/h, to 1000000/s)");
	CHECK(size_parse_within("0", 1 << 20, &bytes, &error) == -1);
	CHECK_STRING(error.message, "out of range: '0' (say one from 1 to 1M)");
	CHECK(size_parse_within("x", 1 << 20, &bytes, &error) == -1);
	CHECK_STRING(
	    error.message, "not a size: 'x' (say 512, 512K, 512M, 2G or 1.5G)");
}

static void
a_long_or_hostile_value_is_cut_and_made_harmless(void)
{
	char text[1000] = "\033[2J\n";
	struct svc_error error;
	double number;

	memset(text + 5, 'x', 94);
	memcpy(text + 99, "\xc3\xa4\xc3\xa4", 5);
	CHECK(duration_parse(text, &number, &error) == -1);
	CHECK(strncmp(error.message, "not a duration: '?[2J?xxx", 25) == 0);
	CHECK(strstr(error.message, "xxx...' (say 250ms") != NULL);
}

static void
durations_are_printed_in_the_largest_unit_that_fits(void)
{
	static const struct {
		double seconds;
		const char *text;
	} rows[] = {{0, "0s"}, {-1, "0s"}, {0.25, "250ms"}, {0.0123, "12ms"},
	    {0.0012, "1.2ms"}, {3.5, "3.5s"}, {0.9999, "1s"}, {59.7, "1m"},
	    {240, "4m"}, {272, "4.5m"}, {3599, "1h"}, {7200, "2h"},
	    {86399, "1d"}, {259200, "3d"}, {1.5 * 86400, "1.5d"},
	    {400 * 86400.0, "400d"}, {12, "12s"}};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buffer_clear(&out);
		duration_append(&out, rows[i].seconds);
		CHECK_STRING(buffer_string(&out), rows[i].text);
	}
	buffer_release(&out);
}

static void
rates_are_a_second_s_unless_they_say_otherwise(void)
{
	static const struct number_row rows[] = {{"100", 100}, {"100/s", 100},
	    {"6/m", 0.1}, {"5000/h", 5000.0 / 3600}, {"2.5/s", 2.5},
	    {"0.5/m", 0.5 / 60}, {"1/h", 1.0 / 3600}, {"0.05/h", 0.05 / 3600},
	    {"1000000", RATE_MAX}, {"60000000/m", RATE_MAX}, {"1e3/s", 1000}};

	check_numbers(rate_parse, rows, COUNT(rows));
}

static void
what_is_no_rate_is_refused_with_an_example(void)
{
	static const char *const texts[] = {"", "x", "/s", "s", "10 /s", "-1",
	    "+1", "10s", "10/", "10/d", "10/S", "10/sec", "10/1s", "10/s/s",
	    "10//s", "inf", "nan/s", "0x10", ".5/s", "5./s", NULL};
	static const char *const bounds[] = {
	    "0", "0/s", "0.04/h", "1e-9", "1000001", "1e300/h", NULL};

	check_refused(rate_parse, texts, "(say 100, 100/s, 6/m or 5000/h)");
	check_refused(
	    rate_parse, bounds, "(from one a day, 0.05/h, to 1000000/s)");
}

static void
sizes_are_binary(void)
{
	static const struct number_row rows[] = {{"512", 512}, {"0", 0},
	    {"512K", 512 * KIBI}, {"2G", 2 * KIBI * KIBI * KIBI},
	    {"1.5G", 1.5 * KIBI * KIBI * KIBI},
	    {"2GiB", 2 * KIBI * KIBI * KIBI}, {"2GB", 2 * KIBI * KIBI * KIBI},
	    {"2Gi", 2 * KIBI * KIBI * KIBI}, {"512B", 512}, {"1M", KIBI * KIBI},
	    {"1T", KIBI * KIBI * KIBI * KIBI},
	    {"1P", KIBI * KIBI * KIBI * KIBI * KIBI}, {"0.5", 0.5},
	    {"1e3", 1000}};

	check_numbers(size_parse, rows, COUNT(rows));
}

static void
what_is_no_size_is_refused_with_an_example(void)
{
	static const char *const texts[] = {"", "G", "5m", "5g", "5k", "5X",
	    "5i", "5iB", "5BB", "5GG", "5GiBs", "5 G", " 5G", "+5G", "-5G",
	    "0x10", "inf", "nan", "1e308P", "1e400", "1.G", "1.5.5", "1e",
	    NULL};

	check_refused(size_parse, texts, "(say 512, 512K, 512M, 2G or 1.5G)");
	check_refused(quantity_parse, texts, "(say 4, 0.5, 512M or 2G)");
}

static void
a_size_is_within_its_bounds(void)
{
	struct svc_error error = {0, ""};
	size_t bytes = 0;

	CHECK(size_parse_within("2M", 2UL << 20, &bytes, &error) == 0);
	CHECK(bytes == 2UL << 20);
	CHECK(size_parse_within("2.1M", 2UL << 20, &bytes, &error) == -1);
	CHECK_STRING(
	    error.message, "out of range: '2.1M' (say one from 1 to 2M)");
	CHECK(size_parse_within("0", 2UL << 20, &bytes, &error) == -1);
	CHECK(bytes == 2UL << 20);
}

static void
a_name_is_refused_with_its_article(void)
{
	struct svc_error error = {0, ""};

	CHECK(name_check("instance", "", &error) == -1);
	CHECK(strstr(error.message, "not the name of an instance: ''") != NULL);
}

static void
plain_numbers_may_be_negative(void)
{
	static const struct number_row rows[] = {{"0.42", 0.42}, {"-3", -3},
	    {"1e6", 1e6}, {"2E-2", 0.02}, {"-0", 0}};

	check_numbers(number_parse, rows, COUNT(rows));
}

static void
what_is_no_number_is_refused(void)
{
	static const char *const texts[] = {"", "-", "+1", "--1", " 1", "1 ",
	    "1x", "0x1", "inf", "-inf", "nan", "1e999", ".5", "5.", "1e", "- 1",
	    NULL};

	check_refused(number_parse, texts, "(say 4, 0.5 or 1e6)");
}

static void
whole_numbers_keep_their_range(void)
{
	static const char *const texts[] = {"0", "65", "", "-", "+1", " 1",
	    "1 ", "1.0", "1e1", "0x1", "-1", "99999999999999999999", "1x"};
	long long integer = 42;
	struct svc_error error;
	size_t i;

	CHECK(integer_parse("64", 1, 64, &integer, &error) == 0);
	CHECK(integer == 64);
	CHECK(integer_parse("-5", -5, 5, &integer, &error) == 0);
	CHECK(integer == -5);
	for (i = 0; i < COUNT(texts); i++)
		if (!CHECK(integer_parse(texts[i], 1, 64, &integer, &error) ==
			       -1 &&
			   error.code == EX_USAGE && integer == -5))
			printf("# %s\n", texts[i]);
}

static void
times_are_those_of_RFC_3339(void)
{
	static const struct {
		const char *text;
		int64_t milliseconds;
	} rows[] = {
	    {"2026-11-22T10:00:00Z", NOW},
	    {"2026-11-22t10:00:00z", NOW},
	    {"2026-11-22T10:00:00.25Z", NOW + 250},
	    {"2026-11-22T10:00:00.0019999Z", NOW + 1},
	    {"2026-11-22T11:30:00+01:30", NOW},
	    {"2026-11-22T00:00:00-10:00", NOW},
	    {"2026-11-22T10:00:00-00:00", NOW},
	    {"1970-01-01T00:00:00Z", 0},
	    {"1969-12-31T23:59:59.999Z", -1},
	    {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
	    {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
	    {"2017-01-01T00:59:60+01:00", INT64_C(1483228800000)},
	    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
	    {"0000-03-01T00:00:00Z", INT64_C(-62162035200000)},
	    {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
	    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
	    {"now", NOW},
	    {"+5m", NOW + 300000},
	    {"+250ms", NOW + 250},
	};
	struct svc_error error;
	int64_t milliseconds;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (!CHECK(time_parse(
			       rows[i].text, NOW, &milliseconds, &error) == 0 &&
			   milliseconds == rows[i].milliseconds))
			printf("# %s: %lld\n", rows[i].text,
			    (long long)milliseconds);
}

static void
what_is_no_time_is_refused_with_an_example(void)
{
	static const char *const texts[] = {"", "tomorow", "2026-11-22",
	    "2026-11-22T10:00:00", "2026-11-22 10:00:00Z", "2026-11-22T10:00Z",
	    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
	    "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
	    "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
	    "2026-01-32T00:00:00Z", "2026-11-22T24:00:00Z",
	    "2026-11-22T10:60:00Z", "2026-11-22T10:00:61Z",
	    "2026-11-22T10:00:60Z", "2026-11-22T10:00:00.Z",
	    "2026-11-22T10:00:00+1:00", "2026-11-22T10:00:00+24:00",
	    "2026-11-22T10:00:00+01:60", "2026-11-22T10:00:00+0100",
	    "2026-11-22T10:00:00ZZ", " 2026-11-22T10:00:00Z",
	    "2026-11-22T10:00:00Z ", "26-11-22T10:00:00Z",
	    "+2026-11-22T10:00:00Z", "2026-1-22T10:00:00Z", "1795341600", "+",
	    "+-5m", "-5m", "NOW", "2026-11-22T10:00:0xZ",
	    "2026-11-22T+1:00:00Z"};
	struct svc_error error;
	int64_t milliseconds;
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		if (!CHECK(
			time_parse(texts[i], NOW, &milliseconds, &error) ==
			    -1 &&
			error.code == EX_USAGE &&
			strstr(error.message, "2026-11-22T10:00:00Z") != NULL))
			printf("# %s\n", texts[i]);
}

static void
each_day_from_1600_to_2400_is_read_as_timegm_has_it(void)
{
	struct svc_error error;
	int64_t milliseconds;
	struct tm tm, back;
	char text[64];
	time_t day;

	memset(&tm, 0, sizeof(tm));
	tm.tm_year = -300;
	tm.tm_mday = 1;
	for (day = timegm(&tm);; day += 86400) {
		gmtime_r(&day, &back);
		if (back.tm_year > 500)
			break;
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &back);
		if (time_parse(text, 0, &milliseconds, &error) != 0 ||
		    milliseconds != (int64_t)day * 1000)
			CHECK(!"another day");
	}
}

static void
printed_times_read_back(void)
{
	static const struct {
		int64_t milliseconds;
		const char *text;
	} rows[] = {
	    {NOW + 250, "2026-11-22T10:00:00.250Z"},
	    {0, "1970-01-01T00:00:00.000Z"},
	    {-1, "1969-12-31T23:59:59.999Z"},
	    {INT64_MIN, "0000-01-01T00:00:00.000Z"},
	    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
	};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buffer_clear(&out);
		time_append(&out, rows[i].milliseconds);
		CHECK_STRING(buffer_string(&out), rows[i].text);
	}
	buffer_release(&out);
}

static void
the_clocks_run(void)
{
	double before = time_monotonic();

	CHECK(time_now() > NOW - INT64_C(86400000) * 3650);
	CHECK(time_monotonic() >= before);
}

static void
names_are_safe_as_file_names(void)
{
	static const char *const right[] = {
	    "a", "web1-8081", "A.b_c-d", "0", "a..b"};
	static const char *const wrong[] = {"", ".", "..", ".a", "-a", "_a",
	    "a/b", "a b", "a\n", "\xc3\xa4", "a%", "a:b", "a\\"};
	char longest[NAME_MAX_LENGTH + 2];
	struct svc_error error;
	size_t i;

	for (i = 0; i < COUNT(right); i++)
		CHECK(name_check("service", right[i], &error) == 0);
	for (i = 0; i < COUNT(wrong); i++)
		if (!CHECK(name_check("service", wrong[i], &error) == -1 &&
			   error.code == EX_USAGE &&
			   strstr(error.message, "service") != NULL &&
			   strstr(error.message, "web1-8081") != NULL))
			printf("# %s\n", wrong[i]);
	CHECK(!name_valid("a\0b", 3));
	memset(longest, 'a', sizeof(longest));
	CHECK(name_valid(longest, NAME_MAX_LENGTH));
	CHECK(!name_valid(longest, NAME_MAX_LENGTH + 1));
}

static void
pairs_are_split_at_the_first_equals_sign(void)
{
	static const char *const wrong[] = {
	    "", "=", "=v", "k", "k v=1", "-k=v", "k:k=v", "\xc3\xa4=1"};
	struct svc_error error;
	const char *value;
	size_t length, i;

	CHECK(pair_parse("zone=eu=1", &length, &value, &error) == 0);
	CHECK(length == 4);
	CHECK_STRING(value, "eu=1");
	CHECK(pair_parse("example.org/gpu=", &length, &value, &error) == 0);
	CHECK(length == 15);
	CHECK_STRING(value, "");
	for (i = 0; i < COUNT(wrong); i++)
		if (!CHECK(
			pair_parse(wrong[i], &length, &value, &error) == -1 &&
			error.code == EX_USAGE))
			printf("# %s\n", wrong[i]);
}

static void
a_timer_is_never_early(void)
{
	static const struct {
		double seconds;
		long whole, micro;
	} rows[] = {
	    {0, 0, 0},
	    {-3, 0, 0},
	    {(double)NAN, 0, 0},
	    {1, 1, 0},
	    {0.25, 0, 250000},
	    {1e-9, 0, 1},
	    {1.9999999, 2, 0},
	    {(double)INFINITY, 1000000000, 0},
	};
	struct timeval time;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		time = duration_timeval(rows[i].seconds);
		CHECK(time.tv_sec == rows[i].whole);
		CHECK(time.tv_usec == rows[i].micro);
	}
}

int
main(void)
{
	RUN(durations_are_seconds_unless_they_say_otherwise);
	RUN(what_is_no_duration_is_refused_with_an_example);
	RUN(a_refusal_reads_as_one_sentence);
	RUN(what_is_too_small_or_too_large_is_out_of_range);
	RUN(a_long_or_hostile_value_is_cut_and_made_harmless);
	RUN(durations_are_printed_in_the_largest_unit_that_fits);
	RUN(rates_are_a_second_s_unless_they_say_otherwise);
	RUN(what_is_no_rate_is_refused_with_an_example);
	RUN(sizes_are_binary);
	RUN(what_is_no_size_is_refused_with_an_example);
	RUN(a_size_is_within_its_bounds);
	RUN(a_name_is_refused_with_its_article);
	RUN(plain_numbers_may_be_negative);
	RUN(what_is_no_number_is_refused);
	RUN(whole_numbers_keep_their_range);
	RUN(times_are_those_of_RFC_3339);
	RUN(what_is_no_time_is_refused_with_an_example);
	RUN(each_day_from_1600_to_2400_is_read_as_timegm_has_it);
	RUN(printed_times_read_back);
	RUN(the_clocks_run);
	RUN(names_are_safe_as_file_names);
	RUN(pairs_are_split_at_the_first_equals_sign);
	RUN(a_timer_is_never_early);
	return check_done();
}
