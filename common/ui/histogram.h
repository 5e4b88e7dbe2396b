/*
 * A histogram of durations with a bounded relative error: the counts of
 * intervals that grow with their values.  Gil Tene's HdrHistogram is the model:
 * each power of two of microseconds is cut into equal parts.
 *
 * It has memory for the powers of two between its least and its greatest value
 * alone, 4 bytes a part: latencies of 1 to 100 ms in 16 parts take 448 bytes.
 * Adding is a few instructions, and two histograms can be added up.
 *
 * Adding never fails at the call, as appending to a buffer does not (buffer.h):
 * histogram_failed() tells whether all that was added is there.
 */
#ifndef SVCKIT_UI_HISTOGRAM_H
#define SVCKIT_UI_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts of a power of two: quantiles are right to 1/64, under 1.6 %. */
#define HISTOGRAM_FINE 64
/* For those of which there are thousands: to 1/16, 6.25 %. */
#define HISTOGRAM_COARSE 16

struct histogram;

/* parts: a power of two, 2 to 256.  NULL: no memory. */
struct histogram *histogram_new(unsigned parts);
/* NULL is allowed. */
void histogram_free(struct histogram *histogram);

/*
 * A value in seconds, counted to the microsecond; what is negative or no number
 * counts as 0, and what is over 12 days as the maximum.  When a part has
 * counted four billion values, all that was counted weighs half from then on.
 */
void histogram_add(struct histogram *histogram, double seconds);
/* Adds what other has, which must have as many parts. */
void histogram_merge(
    struct histogram *histogram, const struct histogram *other);

/* Whether values were lost for want of memory. */
bool histogram_failed(const struct histogram *histogram);

/* How many values came; 0: of NULL, too. */
uint64_t histogram_count(const struct histogram *histogram);
/* The greatest, exactly, in seconds; 0 when empty. */
double histogram_max(const struct histogram *histogram);

/*
 * What the part rank (0 to 1) of all values do not exceed, by nearest rank, in
 * seconds: the upper end of the interval in which that value lies, so at most
 * 1/parts of it or 1 us too much and never too little; never over the maximum.
 * 0 when empty.
 */
double histogram_quantile(const struct histogram *histogram, double rank);

#endif
