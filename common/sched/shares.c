#include "sched/shares.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/alias.h"

/*
 * So often somebody is drawn in the hope for another one, before the others are
 * gone through: for who has half of all weight, once in 65,536 times.
 */
#define TRIES 16

/* What is kept for one set of members. */
struct share {
	uint64_t serial;
	uint64_t version; /* of the weights */
	size_t count;
	bool alike;
	double largest; /* weight */
	double total; /* of all weights, each by the largest: finite */
	double *weights; /* by place */
	struct alias *alias; /* unless they are alike, or smooth */
	struct smooth *smooth;
};

struct shares {
	const double *weights; /* of each member of the pool */
	bool smooth;
	uint64_t version; /* of the weights, from 1 on */
	struct share sets[POOL_SETS_MAX]; /* by slot */
};

int
shares_open(struct shares **opened, const double *weights, bool smooth,
    struct svc_error *error)
{
	struct shares *shares = *opened = calloc(1, sizeof(*shares));

	if (shares == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	shares->weights = weights;
	shares->smooth = smooth;
	shares->version = 1;
	return 0;
}

static void
share_clear(struct share *share)
{
	alias_free(share->alias);
	smooth_free(share->smooth);
	free(share->weights);
	memset(share, 0, sizeof(*share));
}

void
shares_close(struct shares *shares)
{
	size_t i;

	if (shares == NULL)
		return;
	for (i = 0; i < POOL_SETS_MAX; i++)
		share_clear(&shares->sets[i]);
	free(shares);
}

void
shares_reweigh(struct shares *shares)
{
	shares->version++;
}

/* Makes the alias table, or gives the smooth order its new weights. */
static int
share_weigh(struct share *share, const double *weights,
    const struct eligible *list, struct svc_error *error)
{
	size_t i;

	if (share->weights == NULL)
		share->weights = calloc(list->count, sizeof(*share->weights));
	if (share->weights == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	share->count = list->count;
	share->alike = true;
	share->largest = share->total = 0;
	for (i = 0; i < list->count; i++) {
		double weight = share->weights[i] = weights[list->members[i]];

		if (isnan(weight))
			return svc_error_set(error, EX_DATAERR,
			    "a member of the list has no weight");
		share->largest = fmax(share->largest, weight);
		share->alike &= weight == share->weights[0];
	}
	for (i = 0; i < list->count; i++)
		share->total +=
		    share->largest > 0 ? share->weights[i] / share->largest : 1;
	return 0;
}

/* Makes the alias table, or gives the smooth order its new weights. */
static int
share_prepare(struct share *share, bool smooth, struct svc_error *error)
{
	if (share->smooth != NULL) {
		smooth_reweigh(share->smooth, share->weights);
		return 0;
	}
	if (smooth) {
		share->smooth = smooth_new(share->weights, share->count, error);
		return share->smooth == NULL ? -1 : 0;
	}
	alias_free(share->alias);
	share->alias = NULL;
	if (share->alike)
		return 0;
	share->alias = alias_new(share->weights, share->count, error);
	return share->alias == NULL ? -1 : 0;
}

const struct share *
shares_find(
    struct shares *shares, const struct eligible *list, struct svc_error *error)
{
	struct share *share = &shares->sets[list->slot];

	if (share->serial == list->serial && share->version == shares->version)
		return share;
	if (share->serial != list->serial)
		share_clear(share);
	if (share_weigh(share, shares->weights, list, error) == -1 ||
	    share_prepare(share, shares->smooth, error) == -1) {
		share_clear(share);
		return NULL;
	}
	share->serial = list->serial;
	share->version = shares->version;
	return share;
}

size_t
share_draw(const struct share *share, struct random *random)
{
	if (share->alike)
		return (size_t)random_below(random, share->count);
	return alias_draw(share->alias, random);
}

/* Goes through all but taken; the weights, each by the largest, are rest. */
static size_t
walk(
    const struct share *share, size_t taken, double rest, struct random *random)
{
	double left = random_unit(random) * rest;
	size_t i, last = taken;

	for (i = 0; i < share->count; i++) {
		if (i == taken || share->weights[i] == 0)
			continue;
		last = i;
		left -= share->weights[i] / share->largest;
		if (left < 0)
			break;
	}
	return last;
}

size_t
share_draw_other(const struct share *share, size_t taken, struct random *random)
{
	double rest = 0;
	size_t i, place;
	int try;

	for (try = 0; try < TRIES && !share->alike; try++) {
		place = alias_draw(share->alias, random);
		if (place != taken)
			return place;
	}
	for (i = 0; i < share->count && !share->alike; i++)
		if (i != taken)
			rest += share->weights[i] / share->largest;
	if (rest > 0)
		return walk(share, taken, rest, random);
	place = (size_t)random_below(random, share->count - 1);
	return place < taken ? place : place + 1;
}

struct smooth *
share_smooth(const struct share *share)
{
	return share->smooth;
}

double
share_of(const struct share *share, double weight)
{
	return (share->largest > 0 ? weight / share->largest : 1) /
	       share->total;
}
