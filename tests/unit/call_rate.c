/* A bound of so many a second. */
#include "net/call_rate.h"

#include "check.h"

/* A long uptime: times have fewer digits left for fractions. */
#define START 5000000.0

/* Takes what there is each step seconds, for seconds; the most in any second
 * goes into *peak, where a second is whole steps. */
static size_t
run(double a_second, double step, double seconds, size_t *peak)
{
	static size_t taken[100000];
	size_t steps = (size_t)(seconds / step), window = (size_t)(1 / step);
	size_t i, total = 0, sum = 0;
	struct call_rate rate;

	*peak = 0;
	call_rate_init(&rate, a_second, START);
	for (i = 0; i < steps; i++) {
		taken[i] = 0;
		while (call_rate_take(&rate, START + (double)i * step))
			taken[i]++;
		total += taken[i];
		sum += taken[i];
		if (i >= window)
			sum -= taken[i - window];
		*peak = sum > *peak ? sum : *peak;
	}
	return total;
}

static void
no_rate_is_no_bound(void)
{
	struct call_rate rate;
	int i;

	call_rate_init(&rate, 0, START);
	for (i = 0; i < 100000; i++)
		CHECK(call_rate_take(&rate, START));
	CHECK(call_rate_next(&rate, START) <= START);
}

static void
the_first_goes_at_once_and_the_second_waits(void)
{
	struct call_rate rate;

	call_rate_init(&rate, 10, START);
	CHECK(call_rate_next(&rate, START) <= START);
	CHECK(call_rate_take(&rate, START));
	CHECK(!call_rate_take(&rate, START));
	CHECK(!call_rate_take(&rate, START + 0.099));
	CHECK(call_rate_take(&rate, START + 0.1001));
}

static void
no_second_has_more_than_the_rate_and_what_is_kept(void)
{
	static const double rates[] = {1, 7, 100, 333.3, 10000, 250000};
	size_t i, peak, total;
	double kept;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		total = run(rates[i], 0.001, 20, &peak);
		kept = 1 + rates[i] * 0.01;
		CHECK((double)peak <= rates[i] + kept);
		CHECK((double)total >= rates[i] * 19.99 - 1);
		CHECK((double)total <= rates[i] * 20 + kept);
	}
}

static void
a_loop_that_wakes_each_10_ms_still_reaches_the_rate(void)
{
	size_t peak, total = run(5000, 0.01, 20, &peak);

	CHECK(total >= 99900 && total <= 100051);
}

static void
what_was_not_used_is_kept_for_10_ms_only(void)
{
	struct call_rate rate;
	int count = 0;

	call_rate_init(&rate, 1000, START);
	while (call_rate_take(&rate, START + 3600))
		count++;
	CHECK(count == 11);
	call_rate_init(&rate, 2, START);
	count = 0;
	while (call_rate_take(&rate, START + 3600))
		count++;
	CHECK(count == 1);
}

/* Else the caller would set a timer of no length, again and again. */
static void
at_the_time_that_it_names_there_is_one(void)
{
	static const double rates[] = {
	    1.0 / 86400, 0.1, 1, 3, 7, 99.9, 1e3, 123456.7, 1e6};
	struct call_rate rate;
	double now, next;
	size_t i;
	int n;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		now = START;
		call_rate_init(&rate, rates[i], now);
		for (n = 0; n < 10000; n++) {
			next = call_rate_next(&rate, now);
			CHECK(next >= now);
			CHECK(next <= now + 1.001 / rates[i] + 1e-6);
			now = next;
			CHECK(call_rate_take(&rate, now));
		}
	}
}

static void
a_clock_that_seems_to_go_back_gives_nothing(void)
{
	struct call_rate rate;

	call_rate_init(&rate, 1, START);
	CHECK(call_rate_take(&rate, START));
	CHECK(!call_rate_take(&rate, START - 10));
	CHECK(!call_rate_take(&rate, START + 0.9));
	CHECK(call_rate_next(&rate, START - 10) >= START + 1);
	CHECK(call_rate_take(&rate, START + 1.001));
}

int
main(void)
{
	RUN(no_rate_is_no_bound);
	RUN(the_first_goes_at_once_and_the_second_waits);
	RUN(no_second_has_more_than_the_rate_and_what_is_kept);
	RUN(a_loop_that_wakes_each_10_ms_still_reaches_the_rate);
	RUN(what_was_not_used_is_kept_for_10_ms_only);
	RUN(at_the_time_that_it_names_there_is_one);
	RUN(a_clock_that_seems_to_go_back_gives_nothing);
	return check_done();
}
