/* Quantiles of durations, against those of the sorted values. */
#include "ui/histogram.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "sched/random.h"

#define MANY 20000

static const double ranks[] = {0, 0.01, 0.5, 0.9, 0.99, 0.999, 1};
#define RANKS (sizeof(ranks) / sizeof(ranks[0]))

static int
compare(const void *a, const void *b)
{
	const double *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

static double
nearest_rank(const double *sorted, size_t count, double rank)
{
	double place = ceil(rank * (double)count);

	return sorted[place < 1 ? 0 : (size_t)place - 1];
}

/* Never too little, and too much by 1/parts or a microsecond at most. */
static void
check_quantiles(
    struct histogram *histogram, unsigned parts, double *values, size_t count)
{
	double exact, got;
	size_t i;

	qsort(values, count, sizeof(*values), compare);
	CHECK(histogram_count(histogram) == count);
	CHECK(!histogram_failed(histogram));
	CHECK(histogram_max(histogram) == values[count - 1]);
	for (i = 0; i < RANKS; i++) {
		exact = nearest_rank(values, count, ranks[i]);
		got = histogram_quantile(histogram, ranks[i]);
		if (!CHECK(got >= exact &&
			   got <= exact + fmax(exact / parts, 1e-6) + 1e-12))
			printf("# of %u parts, rank %g: %.9g, exactly %.9g\n",
			    parts, ranks[i], got, exact);
	}
	CHECK(histogram_quantile(histogram, 1) == values[count - 1]);
}

/* From low to high, each power of ten as often as the others. */
static void
draw(double *values, size_t count, double low, double high)
{
	struct random random;
	size_t i;

	random_seed(&random, 20261122);
	for (i = 0; i < count; i++)
		values[i] = low * pow(high / low, random_unit(&random));
}

static void
quantiles_are_within_a_part_of_the_exact_ones(void)
{
	static const unsigned parts[] = {
	    2, HISTOGRAM_COARSE, HISTOGRAM_FINE, 256};
	static const double ranges[][2] = {
	    {1e-7, 1e-4}, {1e-3, 0.1}, {1e-6, 36000}, {0.02, 0.0200001}};
	double *values = calloc(MANY, sizeof(*values));
	struct histogram *histogram;
	size_t i, j, k;

	for (i = 0; i < 4; i++)
		for (j = 0; j < 4; j++) {
			histogram = histogram_new(parts[i]);
			draw(values, MANY, ranges[j][0], ranges[j][1]);
			for (k = 0; k < MANY; k++)
				histogram_add(histogram, values[k]);
			check_quantiles(histogram, parts[i], values, MANY);
			histogram_free(histogram);
		}
	free(values);
}

static void
the_edges_of_powers_of_two_are_right_too(void)
{
	struct histogram *histogram;
	double values[3];
	unsigned power;

	for (power = 0; power < 40; power++) {
		histogram = histogram_new(HISTOGRAM_FINE);
		values[0] = (ldexp(1, (int)power) - 0.5) / 1e6;
		values[1] = ldexp(1, (int)power) / 1e6;
		values[2] = (ldexp(1, (int)power) + 0.5) / 1e6;
		histogram_add(histogram, values[1]);
		histogram_add(histogram, values[0]);
		histogram_add(histogram, values[2]);
		check_quantiles(histogram, HISTOGRAM_FINE, values, 3);
		histogram_free(histogram);
	}
}

static void
an_empty_one_has_only_zeros(void)
{
	struct histogram *histogram = histogram_new(HISTOGRAM_FINE);
	struct histogram *other = histogram_new(HISTOGRAM_FINE);

	histogram_merge(histogram, other);
	CHECK(histogram_count(histogram) == 0);
	CHECK(histogram_count(NULL) == 0);
	CHECK(histogram_max(histogram) == 0);
	CHECK(histogram_quantile(histogram, 0.99) == 0);
	histogram_free(other);
	histogram_free(histogram);
	histogram_free(NULL);
}

static void
values_that_are_none_count_as_0_and_huge_ones_as_the_maximum(void)
{
	struct histogram *histogram = histogram_new(HISTOGRAM_FINE);

	histogram_add(histogram, -1);
	histogram_add(histogram, NAN);
	histogram_add(histogram, 0);
	CHECK(histogram_count(histogram) == 3);
	CHECK(histogram_max(histogram) == 0);
	CHECK(histogram_quantile(histogram, 1) == 0);
	histogram_add(histogram, 2e6);
	histogram_add(histogram, 3e9);
	CHECK(histogram_max(histogram) == 3e9);
	CHECK(histogram_quantile(histogram, 0.6) <= 1e-6);
	CHECK(histogram_quantile(histogram, 0.8) == 3e9);
	CHECK(!histogram_failed(histogram));
	histogram_free(histogram);
}

/* Whichever of the two has the smaller values, or more of them. */
static void
merged_ones_are_as_if_all_had_gone_into_one(void)
{
	static const double ranges[2][2] = {{1e-5, 1e-3}, {0.5, 90}};
	double *values = calloc(2 * MANY, sizeof(*values));
	struct histogram *into, *from;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		into = histogram_new(HISTOGRAM_FINE);
		from = histogram_new(HISTOGRAM_FINE);
		draw(values, MANY, ranges[i][0], ranges[i][1]);
		draw(values + MANY, MANY / 2, ranges[1 - i][0],
		    ranges[1 - i][1]);
		for (k = 0; k < MANY + MANY / 2; k++)
			histogram_add(k < MANY ? into : from, values[k]);
		histogram_merge(into, from);
		CHECK(histogram_count(from) == MANY / 2);
		check_quantiles(into, HISTOGRAM_FINE, values, MANY + MANY / 2);
		histogram_free(from);
		histogram_free(into);
	}
	free(values);
}

/* Doubled until its counters of 32 bits are long full. */
static void
counts_beyond_four_billion_keep_their_proportions(void)
{
	struct histogram *histogram = histogram_new(HISTOGRAM_FINE);
	struct histogram *twin;
	int i;

	for (i = 0; i < 100; i++)
		histogram_add(histogram, i < 95 ? 0.001 : 1);
	for (i = 0; i < 40; i++) {
		twin = histogram_new(HISTOGRAM_FINE);
		histogram_merge(twin, histogram);
		histogram_merge(histogram, twin);
		histogram_free(twin);
	}
	CHECK(histogram_count(histogram) == UINT64_C(100) << 40);
	CHECK(histogram_quantile(histogram, 0.949) < 0.00102);
	CHECK(histogram_quantile(histogram, 0.951) == 1);
	CHECK(histogram_max(histogram) == 1);
	histogram_free(histogram);
}

static void
one_more_than_a_counter_holds_halves_all(void)
{
	struct histogram *histogram = histogram_new(HISTOGRAM_FINE);
	struct histogram *power;
	uint64_t left;

	/* Powers of two up to 2^31 sum up to the greatest counter less one. */
	power = histogram_new(HISTOGRAM_FINE);
	histogram_add(power, 0.001);
	histogram_add(histogram, 1);
	for (left = UINT32_MAX - 1; left > 0; left >>= 1) {
		struct histogram *twin = histogram_new(HISTOGRAM_FINE);

		if (left % 2 == 1)
			histogram_merge(histogram, power);
		histogram_merge(twin, power);
		histogram_merge(power, twin);
		histogram_free(twin);
	}
	CHECK(histogram_count(histogram) == UINT32_MAX);
	histogram_add(histogram, 0.001);
	histogram_add(histogram, 1);
	/* Half of four billion, and the two rare ones are still there. */
	CHECK(histogram_quantile(histogram, 1 - 1.5 / 2147483649.0) == 1);
	CHECK(histogram_quantile(histogram, 1 - 3.0 / 2147483649.0) < 0.00102);
	CHECK(histogram_count(histogram) == UINT64_C(4294967297));
	histogram_free(power);
	histogram_free(histogram);
}

int
main(void)
{
	RUN(quantiles_are_within_a_part_of_the_exact_ones);
	RUN(the_edges_of_powers_of_two_are_right_too);
	RUN(an_empty_one_has_only_zeros);
	RUN(values_that_are_none_count_as_0_and_huge_ones_as_the_maximum);
	RUN(merged_ones_are_as_if_all_had_gone_into_one);
	RUN(counts_beyond_four_billion_keep_their_proportions);
	RUN(one_more_than_a_counter_holds_halves_all);
	return check_done();
}
