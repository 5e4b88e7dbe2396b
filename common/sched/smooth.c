#include "sched/smooth.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>

#define LENGTH_MIN 16 /* of blocks */
#define TOTAL_MAX  0x1p52
#define DECIMALS   9
#define ROUNDING   1e-12 /* relative: of weights that are meant to be whole */

struct member {
	int64_t gain;
	int64_t credit; /* after the step of its block */
	size_t index;
};

/* What is known of a run of members without a look at them. */
struct block {
	int64_t bound; /* at least the most credit in it */
	int64_t growth; /* the largest gain */
	size_t first; /* at most the index of who has the bound */
	size_t least; /* the least index in it */
	uint64_t step; /* of the last look */
	struct member *best; /* who had the most then */
	struct member *members;
	size_t count;
};

struct smooth {
	size_t count;
	size_t length; /* of each block but the last: about sqrt(count) */
	size_t block_count;
	uint64_t step; /* choices made */
	int64_t total; /* of the gains */
	double scale; /* a credit is so many times one in weights */
	struct member *members; /* of like gains side by side: tight bounds */
	struct block *blocks;
};

/* Whether all weights are whole when scaled so, and their sum is exact. */
static bool
whole(const double *weights, size_t count, double scale)
{
	double total = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		double scaled = weights[i] * scale;

		total += scaled;
		if (!(total < TOTAL_MAX) ||
		    fabs(scaled - nearbyint(scaled)) > ROUNDING * scaled)
			return false;
	}
	return true;
}

/* The power of ten that makes all of them whole; 0: there is none. */
static double
whole_scale(const double *weights, size_t count)
{
	double scale = 1;
	int i;

	for (i = 0; i <= DECIMALS; i++, scale *= 10)
		if (whole(weights, count, scale))
			return scale;
	return 0;
}

/*
 * By the largest first, so that the sum of huge weights stays finite; those
 * that are all zero are alike.  scale 0: as fine as can be.
 */
static void
set_gains(struct smooth *smooth, const double *weights, double scale)
{
	double largest = 0, sum = 0, finest;
	size_t i;

	for (i = 0; i < smooth->count; i++)
		largest = fmax(largest, weights[i]);
	for (i = 0; i < smooth->count; i++)
		sum += largest > 0 ? weights[i] / largest : 1;
	finest = TOTAL_MAX / sum;
	smooth->scale = largest <= 0 ? 1 : scale > 0 ? scale : finest / largest;
	smooth->total = 0;
	for (i = 0; i < smooth->count; i++) {
		struct member *member = &smooth->members[i];
		double weight = weights[member->index];
		double gain = largest <= 0 ? 1
			      : scale > 0  ? weight * scale
					   : weight / largest * finest;

		member->gain = (int64_t)nearbyint(gain);
		smooth->total += member->gain;
	}
}

static int
compare(const void *a, const void *b)
{
	const struct member *one = a, *two = b;

	if (one->gain != two->gain)
		return one->gain > two->gain ? -1 : 1;
	return one->index < two->index ? -1 : one->index > two->index;
}

/* Brings the credits of a block up to date, and its bound to what they are. */
static void
look(const struct smooth *smooth, struct block *block)
{
	int64_t steps = (int64_t)(smooth->step - block->step);
	struct member *best = block->members;
	size_t i;

	for (i = 0; i < block->count; i++) {
		struct member *member = &block->members[i];

		member->credit += steps * member->gain;
		if (member->credit > best->credit ||
		    (member->credit == best->credit &&
			member->index < best->index))
			best = member;
	}
	block->step = smooth->step;
	block->best = best;
	block->bound = best->credit;
	block->first = best->index;
}

/* After gains have changed; all blocks were up to date. */
static void
set_blocks(struct smooth *smooth)
{
	size_t i, k;

	qsort(
	    smooth->members, smooth->count, sizeof(*smooth->members), compare);
	for (i = 0; i < smooth->block_count; i++) {
		struct block *block = &smooth->blocks[i];

		block->members = smooth->members + i * smooth->length;
		block->count = smooth->count - i * smooth->length;
		if (block->count > smooth->length)
			block->count = smooth->length;
		block->growth = block->members[0].gain;
		block->least = block->members[0].index;
		for (k = 1; k < block->count; k++)
			if (block->members[k].index < block->least)
				block->least = block->members[k].index;
		look(smooth, block);
	}
}

struct smooth *
smooth_new(const double *weights, size_t count, struct svc_error *error)
{
	struct smooth *smooth = calloc(1, sizeof(*smooth));
	size_t i;

	if (smooth != NULL) {
		smooth->count = count;
		smooth->length = (size_t)fmax(LENGTH_MIN, sqrt((double)count));
		smooth->block_count =
		    (count + smooth->length - 1) / smooth->length;
		smooth->members = calloc(count, sizeof(*smooth->members));
		smooth->blocks =
		    calloc(smooth->block_count, sizeof(*smooth->blocks));
	}
	if (smooth == NULL || smooth->members == NULL ||
	    smooth->blocks == NULL) {
		smooth_free(smooth);
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	for (i = 0; i < count; i++)
		smooth->members[i].index = i;
	set_gains(smooth, weights, whole_scale(weights, count));
	set_blocks(smooth);
	return smooth;
}

void
smooth_free(struct smooth *smooth)
{
	if (smooth == NULL)
		return;
	free(smooth->blocks);
	free(smooth->members);
	free(smooth);
}

/*
 * In small whole units the credits would lose too much by rounding: the finest
 * ones are taken.
 */
void
smooth_reweigh(struct smooth *smooth, const double *weights)
{
	double before = (double)smooth->total, ratio;
	size_t i;

	for (i = 0; i < smooth->block_count; i++)
		look(smooth, &smooth->blocks[i]);
	set_gains(smooth, weights, 0);
	ratio = (double)smooth->total / before;
	for (i = 0; i < smooth->count; i++) {
		struct member *member = &smooth->members[i];

		member->credit =
		    (int64_t)nearbyint((double)member->credit * ratio);
	}
	set_blocks(smooth);
}

/* The block with the greatest bound, of equal ones that with the first. */
static struct block *
best_block(const struct smooth *smooth)
{
	struct block *best = smooth->blocks, *block = best + 1;
	const struct block *end = best + smooth->block_count;

	for (; block < end; block++)
		if (block->bound > best->bound ||
		    (block->bound == best->bound && block->first < best->first))
			best = block;
	return best;
}

/*
 * Once a block has been looked at its bound is the credit of one in it, so that
 * if it is the best one even then, nobody elsewhere comes before.
 */
size_t
smooth_next(struct smooth *smooth)
{
	struct block *block;
	size_t i, index;

	smooth->step++;
	for (i = 0; i < smooth->block_count; i++) {
		block = &smooth->blocks[i];
		block->bound += block->growth;
		block->first = block->least;
	}
	while ((block = best_block(smooth))->step != smooth->step)
		look(smooth, block);
	index = block->best->index;
	block->best->credit -= smooth->total;
	look(smooth, block);
	return index;
}

double
smooth_credit(const struct smooth *smooth, size_t index)
{
	size_t i;

	for (i = 0; smooth->members[i].index != index; i++)
		continue;
	return (double)(smooth->members[i].credit +
			(int64_t)(smooth->step + 1 -
				  smooth->blocks[i / smooth->length].step) *
			    smooth->members[i].gain) /
	       smooth->scale;
}
