/* Whose turn it is by weight: draws, and draws of another one. */
#include "sched/shares.h"

#include <math.h>

#include "check.h"
#include "pool_fixture.h"

#define DRAWS 1000000
#define MANY  101

/* Of a pool of count instances with these weights; the list of all. */
struct table {
	struct fixture fixture;
	const struct eligible *list;
	struct shares *shares;
	const struct share *share;
	struct random random;
};

static void
table_open(struct table *table, const double *weights, size_t count)
{
	struct svc_error error;
	char id[32];
	size_t i;

	memset(table, 0, sizeof(*table));
	for (i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "i%04zu", i);
		fixture_add(&table->fixture, "s", id, "");
	}
	fixture_open(&table->fixture);
	table->list = fixture_list(&table->fixture, NULL, "", &error);
	CHECK(shares_open(&table->shares, weights, false, &error) == 0);
	table->share = shares_find(table->shares, table->list, &error);
	CHECK(table->share != NULL);
	random_seed(&table->random, 20261122);
}

static void
table_close(struct table *table)
{
	shares_close(table->shares);
	fixture_close(&table->fixture);
}

/* Of DRAWS; INFINITY where one came that cannot. */
static double
chi_square(
    const double *counts, const double *weights, size_t count, size_t taken)
{
	double total = 0, sum = 0, expected;
	size_t i;

	for (i = 0; i < count; i++)
		total += i == taken ? 0 : weights[i];
	for (i = 0; i < count; i++) {
		expected = i == taken ? 0 : weights[i] / total * DRAWS;
		if (expected > 0)
			sum += pow(counts[i] - expected, 2) / expected;
		else if (counts[i] > 0)
			return INFINITY;
	}
	return sum;
}

static void
draws_follow_the_weights(void)
{
	static const double weights[] = {1, 2, 4, 8, 0.5, 3, 1, 1, 16, 2};
	double counts[10] = {0};
	struct table table;
	int i;

	table_open(&table, weights, 10);
	for (i = 0; i < DRAWS; i++)
		counts[share_draw(table.share, &table.random)]++;
	/* 9 degrees of freedom, p = 0.001 */
	CHECK(chi_square(counts, weights, 10, SIZE_MAX) < 27.88);
	CHECK(fabs(share_of(table.share, 8) - 8 / 38.5) < 1e-15);
	table_close(&table);
}

/* Also where nearly every draw is of the one that is taken. */
static void
another_one_is_never_the_one_that_is_taken(void)
{
	static const double giants[] = {1, 100, 1e9};
	double weights[MANY], counts[MANY];
	struct table table;
	size_t row, i;

	for (row = 0; row < 3; row++) {
		for (i = 0; i < MANY; i++)
			weights[i] = 1 + (double)(i % 2);
		weights[7] = giants[row];
		memset(counts, 0, sizeof(counts));
		table_open(&table, weights, MANY);
		for (i = 0; i < DRAWS; i++)
			counts[share_draw_other(
			    table.share, 7, &table.random)]++;
		CHECK(counts[7] == 0);
		/* 99 degrees of freedom, p = 0.001 */
		CHECK(chi_square(counts, weights, MANY, 7) < 148.23);
		table_close(&table);
	}
}

static void
another_one_is_found_where_only_one_has_weight(void)
{
	static const double weights[] = {0, 5, 0};
	double counts[3] = {0}, ones[] = {1, 1, 1};
	struct table table;
	int i;

	table_open(&table, weights, 3);
	for (i = 0; i < DRAWS; i++)
		counts[share_draw_other(table.share, 1, &table.random)]++;
	/* 1 degree of freedom, p = 0.001 */
	CHECK(chi_square(counts, ones, 3, 1) < 10.83);
	table_close(&table);
}

/* What is alike is drawn by the plain random numbers, one a draw. */
static void
alike_ones_take_one_random_number_each(void)
{
	static const double weights[] = {4, 4, 4, 4, 4};
	size_t i, first, other, expected, wrong = 0;
	struct random plain;
	struct table table;

	table_open(&table, weights, 5);
	plain = table.random;
	for (i = 0; i < 10000; i++) {
		first = share_draw(table.share, &table.random);
		wrong += first != random_below(&plain, 5);
		other = share_draw_other(table.share, first, &table.random);
		expected = random_below(&plain, 4);
		wrong += other != (expected < first ? expected : expected + 1);
	}
	CHECK(wrong == 0);
	table_close(&table);
}

static void
weights_that_change_count_once_they_are_told(void)
{
	double weights[] = {0, 1};
	const struct share *share;
	struct svc_error error;
	struct table table;

	table_open(&table, weights, 2);
	weights[0] = 1;
	weights[1] = 0;
	share = shares_find(table.shares, table.list, &error);
	CHECK(share_draw(share, &table.random) == 1);
	shares_reweigh(table.shares);
	share = shares_find(table.shares, table.list, &error);
	CHECK(share_draw(share, &table.random) == 0);
	weights[1] = NAN;
	shares_reweigh(table.shares);
	CHECK(shares_find(table.shares, table.list, &error) == NULL);
	CHECK(error.code == 65);
	table_close(&table);
}

int
main(void)
{
	RUN(draws_follow_the_weights);
	RUN(another_one_is_never_the_one_that_is_taken);
	RUN(another_one_is_found_where_only_one_has_weight);
	RUN(alike_ones_take_one_random_number_each);
	RUN(weights_that_change_count_once_they_are_told);
	return check_done();
}
