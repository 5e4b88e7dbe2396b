#include "sched/room_scan.h"

#include <math.h>

/* Scores that stay in the first-level cache from one number to the next. */
#define BLOCK 1024
#define LANES 16

/* Built for each of these, and chosen from when the program starts. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef CLONES
#define CLONES
#endif

/* Adds a number's part; the instances stand side by side from first on. */
CLONES static void
add_run(const struct room_number *number, uint32_t first, size_t count,
    double sign, double *restrict scores)
{
	const double *available = number->free + first;
	const double *inverse = number->inverse + first;
	double amount = number->amount;
	size_t i;

#pragma omp simd
	for (i = 0; i < count; i++) {
		double part = (available[i] - amount) * inverse[i];
		double score = scores[i] + sign * part;

		scores[i] = part >= -ROOM_ROUNDING ? score : -INFINITY;
	}
}

/* The same for instances here and there. */
CLONES static void
add_scattered(const struct room_number *number, const uint32_t *members,
    size_t count, double sign, double *restrict scores)
{
	const double *available = number->free;
	const double *inverse = number->inverse;
	double amount = number->amount;
	size_t i;

#pragma omp simd
	for (i = 0; i < count; i++) {
		int32_t m = (int32_t)members[i];
		double part = (available[m] - amount) * inverse[m];
		double score = scores[i] + sign * part;

		scores[i] = part >= -ROOM_ROUNDING ? score : -INFINITY;
	}
}

/* Drops who has less in total. */
static void
compare_totals(const struct room_number *number, const uint32_t *members,
    size_t count, double *scores)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!(number->total[members[i]] >= number->amount))
			scores[i] = -INFINITY;
}

/* Fills scores with those of count members. */
static void
score(const struct room_number *numbers, size_t number_count,
    const uint32_t *members, size_t count, double sign, double *scores)
{
	bool run = members[count - 1] - members[0] == count - 1;
	size_t i, k;

	for (i = 0; i < count; i++)
		scores[i] = 0;
	for (k = 0; k < number_count; k++) {
		if (run)
			add_run(&numbers[k], members[0], count, sign, scores);
		else
			add_scattered(
			    &numbers[k], members, count, sign, scores);
		if (numbers[k].close)
			compare_totals(&numbers[k], members, count, scores);
	}
}

/*
 * In as many lanes as the widest registers have, twice over: a reduction to a
 * single one is not reordered by every compiler.
 */
CLONES static double
greatest(const double *scores, size_t count)
{
	double lanes[LANES], best = -INFINITY;
	size_t i, k;

	for (k = 0; k < LANES; k++)
		lanes[k] = -INFINITY;
	for (i = 0; i + LANES <= count; i += LANES) {
#pragma omp simd
		for (k = 0; k < LANES; k++)
			lanes[k] =
			    scores[i + k] > lanes[k] ? scores[i + k] : lanes[k];
	}
	for (k = 0; k < LANES; k++)
		best = lanes[k] > best ? lanes[k] : best;
	for (; i < count; i++)
		best = scores[i] > best ? scores[i] : best;
	return best;
}

/* The place of the first one that is at least bound; there is one. */
CLONES static size_t
first_from(const double *scores, size_t count, double bound)
{
	size_t i, k;
	int found = 0;

	for (i = 0; i + LANES <= count; i += LANES) {
#pragma omp simd reduction(| : found)
		for (k = 0; k < LANES; k++)
			found |= scores[i + k] >= bound;
		if (found)
			break;
	}
	while (i < count && !(scores[i] >= bound))
		i++;
	return i;
}

size_t
room_scan(const struct room_number *numbers, size_t number_count,
    const uint32_t *members, size_t count, double sign, double *scores)
{
	double best = -INFINITY, most;
	size_t start, length;

	for (start = 0; start < count; start += length) {
		length = count - start < BLOCK ? count - start : BLOCK;
		score(numbers, number_count, members + start, length, sign,
		    scores + start);
		most = greatest(scores + start, length);
		best = most > best ? most : best;
	}
	if (best == -INFINITY)
		return count;
	return first_from(scores, count, best - ROOM_ROUNDING);
}
