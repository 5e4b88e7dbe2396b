/* Smooth weighted round-robin against nginx's, as slow and exact as can be. */
#include "sched/smooth.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "sched/random.h"

#define COUNT_MAX 300
#define STEPS	  1500

struct twin {
	size_t count;
	__int128 gains[COUNT_MAX];
	__int128 credits[COUNT_MAX];
};

static size_t
twin_next(struct twin *twin)
{
	__int128 total = 0;
	size_t i, best = 0;

	for (i = 0; i < twin->count; i++) {
		total += twin->gains[i];
		twin->credits[i] += twin->gains[i];
		if (twin->credits[i] > twin->credits[best])
			best = i;
	}
	twin->credits[best] -= total;
	return best;
}

/*
 * How often both differ.  The weights are whole numbers under limit, the k-th
 * part of them 0, divided by divisor.
 */
static size_t
differences(uint64_t seed, uint64_t limit, uint64_t k, double divisor)
{
	struct twin twin = {.count = 0};
	double weights[COUNT_MAX];
	struct smooth *smooth;
	struct random random;
	size_t i, wrong = 0;

	random_seed(&random, seed);
	twin.count = 1 + (size_t)random_below(&random, COUNT_MAX);
	for (i = 0; i < twin.count; i++) {
		uint64_t gain = 1 + random_below(&random, limit);

		if (i > 0 && random_below(&random, k) == 0)
			gain = 0;
		twin.gains[i] = gain;
		weights[i] = (double)gain / divisor;
	}
	smooth = smooth_new(weights, twin.count, NULL);
	for (i = 0; i < STEPS; i++)
		wrong += smooth_next(smooth) != twin_next(&twin);
	smooth_free(smooth);
	return wrong;
}

static void
whole_weights_have_the_sequence_of_nginx(void)
{
	static const uint64_t limits[] = {
	    1, 2, 5, 100, 1000003, UINT64_C(1) << 43};
	uint64_t seed;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		for (seed = 0; seed < 8; seed++)
			CHECK(differences(seed, limits[i], 7, 1) == 0);
}

static void
decimals_go_as_whole_numbers_do(void)
{
	uint64_t seed;

	for (seed = 0; seed < 8; seed++) {
		CHECK(differences(seed, 9, 7, 10) == 0);
		CHECK(differences(seed, 1000, 7, 1000) == 0);
		CHECK(differences(seed, 1000000, 7, 1e9) == 0);
	}
}

static void
any_fraction_has_the_sequence_of_nginx(void)
{
	uint64_t seed;

	for (seed = 0; seed < 8; seed++) {
		CHECK(differences(seed, UINT64_C(1) << 53, 7, 0x1p53) == 0);
		CHECK(differences(seed, UINT64_C(1) << 53, 7, 0x1p-900) == 0);
	}
}

static void
credits_are_in_units_of_weights(void)
{
	static const double weights[] = {0.5, 0.25, 0.25};
	struct smooth *smooth = smooth_new(weights, 3, NULL);

	CHECK(smooth_credit(smooth, 0) == 0.5);
	CHECK(smooth_next(smooth) == 0);
	CHECK(smooth_credit(smooth, 0) == 0);
	CHECK(smooth_credit(smooth, 1) == 0.5);
	CHECK(smooth_credit(smooth, 2) == 0.5);
	CHECK(smooth_next(smooth) == 1);
	smooth_free(smooth);
}

static void
huge_and_tiny_weights_do_no_harm(void)
{
	static const double rows[][3] = {{1e308, 1e308, 1e308},
	    {5e-324, 5e-324, 5e-324}, {0, 0, 0}, {1e308, 1e-300, 0}};
	size_t row, i;

	for (row = 0; row < 4; row++) {
		struct smooth *smooth = smooth_new(rows[row], 3, NULL);

		for (i = 0; i < 99; i++)
			CHECK(smooth_next(smooth) == (row == 3 ? 0 : i % 3));
		smooth_free(smooth);
	}
}

/* The weights change often: shares are those of the weights all the same. */
static void
other_weights_take_effect_and_starve_nobody(void)
{
	struct random random;
	double weights[40], due[40] = {0}, total;
	struct smooth *smooth;
	size_t i, round, wrong = 0;

	random_seed(&random, 6);
	for (i = 0; i < 40; i++)
		weights[i] = (double)(1 + random_below(&random, 4));
	smooth = smooth_new(weights, 40, NULL);
	for (round = 0; round < 5000; round++) {
		for (i = 0, total = 0; i < 40; i++)
			total += weights[i];
		for (i = 0; i < 40; i++)
			due[i] += weights[i] / total;
		due[smooth_next(smooth)]--;
		for (i = 0; i < 40; i++) {
			wrong += fabs(due[i]) > 3;
			weights[i] *= 0.9 + 0.2 * random_unit(&random);
		}
		smooth_reweigh(smooth, weights);
	}
	CHECK(wrong == 0);
	smooth_free(smooth);
}

int
main(void)
{
	RUN(whole_weights_have_the_sequence_of_nginx);
	RUN(decimals_go_as_whole_numbers_do);
	RUN(any_fraction_has_the_sequence_of_nginx);
	RUN(credits_are_in_units_of_weights);
	RUN(huge_and_tiny_weights_do_no_harm);
	RUN(other_weights_take_effect_and_starve_nobody);
	return check_done();
}
