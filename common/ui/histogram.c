#include "ui/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Counters stand in rows of `parts`.  Row 0 has the microseconds below parts,
 * one each; row r those from parts << (r - 1) to the double of it, in intervals
 * of 1 << (r - 1).
 */
#define VALUE_BITS 40 /* of microseconds: 12 days and 17 hours */
#define VALUE_MAX  ((UINT64_C(1) << VALUE_BITS) - 1)

struct histogram {
	unsigned bits; /* there are 1 << bits parts */
	unsigned first; /* row that counts begins with */
	unsigned rows; /* that counts has */
	uint32_t *counts;
	uint64_t count;
	double max;
	bool failed;
};

/* Where a value is counted. */
struct spot {
	unsigned row;
	unsigned part;
};

struct histogram *
histogram_new(unsigned parts)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	if (histogram != NULL)
		histogram->bits = (unsigned)__builtin_ctz(parts);
	return histogram;
}

void
histogram_free(struct histogram *histogram)
{
	if (histogram == NULL)
		return;
	free(histogram->counts);
	free(histogram);
}

static struct spot
spot_of(const struct histogram *histogram, double seconds)
{
	double microseconds = seconds * 1e6;
	uint64_t value = VALUE_MAX;
	unsigned shift;

	if (!(microseconds > 0))
		value = 0;
	else if (microseconds < (double)VALUE_MAX)
		value = (uint64_t)microseconds;
	if (value >> histogram->bits == 0)
		return (struct spot){0, (unsigned)value};
	shift = 63 - (unsigned)__builtin_clzll(value) - histogram->bits;
	return (struct spot){
	    shift + 1, (unsigned)(value >> shift) - (1U << histogram->bits)};
}

/* The upper end of the n-th interval of those that counts has, in seconds. */
static double
upper_end(const struct histogram *histogram, size_t n)
{
	unsigned row = histogram->first + (unsigned)(n >> histogram->bits);
	uint64_t parts = UINT64_C(1) << histogram->bits;
	uint64_t end = (n & (parts - 1)) + 1;

	if (row > 0)
		end = (end + parts) << (row - 1);
	/* The last interval has no end. */
	return end > VALUE_MAX ? INFINITY : (double)end / 1e6;
}

static size_t
length_of(const struct histogram *histogram)
{
	return (size_t)histogram->rows << histogram->bits;
}

/* Makes counts have the rows from first to last, besides those it has. */
static bool
cover(struct histogram *histogram, unsigned first, unsigned last)
{
	unsigned end = histogram->first + histogram->rows;
	size_t old = length_of(histogram), length, before;
	uint32_t *grown;

	if (histogram->rows > 0 && first >= histogram->first && last < end)
		return true;
	if (histogram->rows > 0) {
		first = first < histogram->first ? first : histogram->first;
		last = last < end ? end - 1 : last;
	}
	length = (size_t)(last - first + 1) << histogram->bits;
	grown = calloc(length, sizeof(*grown));
	if (grown == NULL) {
		histogram->failed = true;
		return false;
	}
	before = (size_t)(histogram->first - first) << histogram->bits;
	if (old > 0)
		memcpy(grown + before, histogram->counts, old * sizeof(*grown));
	free(histogram->counts);
	histogram->counts = grown;
	histogram->first = first;
	histogram->rows = last - first + 1;
	return true;
}

/* The rare ones stay: they are the tail. */
static uint32_t
half(uint32_t count)
{
	return count / 2 + count % 2;
}

static void
halve(struct histogram *histogram)
{
	size_t i, length = length_of(histogram);

	for (i = 0; i < length; i++)
		histogram->counts[i] = half(histogram->counts[i]);
}

static void
raise_max(struct histogram *histogram, double seconds)
{
	if (seconds > histogram->max)
		histogram->max = seconds;
}

void
histogram_add(struct histogram *histogram, double seconds)
{
	struct spot spot = spot_of(histogram, seconds);
	uint32_t *count;

	if (!cover(histogram, spot.row, spot.row))
		return;
	count = &histogram->counts[((size_t)(spot.row - histogram->first)
				       << histogram->bits) +
				   spot.part];
	if (++*count == UINT32_MAX)
		halve(histogram);
	histogram->count++;
	raise_max(histogram, seconds);
}

/* Whether a sum would not be less than UINT32_MAX, as all counts are. */
static bool
overflows(const uint32_t *counts, const uint32_t *others, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (counts[i] >= UINT32_MAX - others[i])
			return true;
	return false;
}

void
histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	size_t i, length = length_of(other);
	uint32_t *counts;
	bool full;

	histogram->failed = histogram->failed || other->failed;
	if (other->rows == 0 ||
	    !cover(histogram, other->first, other->first + other->rows - 1))
		return;
	counts = histogram->counts +
		 ((size_t)(other->first - histogram->first) << histogram->bits);
	full = overflows(counts, other->counts, length);
	if (full)
		halve(histogram);
	for (i = 0; i < length; i++)
		counts[i] += full ? half(other->counts[i]) : other->counts[i];
	histogram->count += other->count;
	raise_max(histogram, other->max);
}

bool
histogram_failed(const struct histogram *histogram)
{
	return histogram->failed;
}

uint64_t
histogram_count(const struct histogram *histogram)
{
	return histogram == NULL ? 0 : histogram->count;
}

double
histogram_max(const struct histogram *histogram)
{
	return histogram->max;
}

/* Not histogram->count: what was halved is fewer. */
static uint64_t
weight_of_all(const struct histogram *histogram)
{
	size_t i, length = length_of(histogram);
	uint64_t sum = 0;

	for (i = 0; i < length; i++)
		sum += histogram->counts[i];
	return sum;
}

double
histogram_quantile(const struct histogram *histogram, double rank)
{
	uint64_t all = weight_of_all(histogram), seen = 0;
	double wanted = ceil(rank * (double)all);
	size_t i, length = length_of(histogram);

	for (i = 0; i < length; i++) {
		seen += histogram->counts[i];
		if (seen > 0 && (double)seen >= wanted)
			return fmin(upper_end(histogram, i), histogram->max);
	}
	return histogram->max;
}
