/*
 * Choices among lists of a pool by weight: w_i = r_i / sum of all r_j, drawn at
 * random, or smooth (smooth.h).  What they are made from is kept for each set
 * of members.
 *
 *	shares_open(&shares, weights, false, &error);
 *	share = shares_find(shares, list, &error);
 *	place = share_draw(share, &random);
 *	... list->members[place] ...
 */
#ifndef SVCKIT_SCHED_SHARES_H
#define SVCKIT_SCHED_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/pool.h"
#include "sched/random.h"
#include "sched/smooth.h"

struct shares;
struct share;

/*
 * weights, one of each member of the pool, are borrowed; finite, at least 0.
 * Those of a list that are all zero are alike.  NAN: has none.  EX_OSERR.
 */
int shares_open(struct shares **shares, const double *weights, bool smooth,
    struct svc_error *error);
void shares_close(struct shares *shares);

/*
 * Weights have changed.  In a smooth order, who was about to come goes on being
 * so.
 */
void shares_reweigh(struct shares *shares);

/*
 * Those of the list, owned by shares until the next call.  NULL: EX_OSERR; or
 * EX_DATAERR, a member of the list has no weight.
 */
const struct share *shares_find(struct shares *shares,
    const struct eligible *list, struct svc_error *error);

/* Draws a place in the list; where all are alike, by random_below() alone. */
size_t share_draw(const struct share *share, struct random *random);

/*
 * The same among all but the one at taken: each in proportion to its weight.
 * The list has at least two.
 */
size_t share_draw_other(
    const struct share *share, size_t taken, struct random *random);

/* Next in the smooth order; NULL where there is none. */
struct smooth *share_smooth(const struct share *share);

/* What part of all choices somebody with this weight gets, 0 to 1. */
double share_of(const struct share *share, double weight);

#endif
