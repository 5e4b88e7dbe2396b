/*
 * Smooth weighted round-robin: who is next, as evenly interleaved as the
 * weights allow.
 *
 * The sequence is that of nginx 1.3.1 (2012): each time everybody gains its
 * weight as credit, whoever then has the most is chosen, the first one of equal
 * ones, and pays the sum of all weights.  Here the credits stand in blocks, and
 * a block is looked at only when its bound, the credit that none of it can
 * exceed, is the greatest of all: some sqrt(n) steps instead of n.
 *
 * Credits are whole numbers, so that nothing drifts: weights with up to nine
 * decimals are scaled to be whole, others rounded to some 2^-52 of their sum.
 */
#ifndef SVCKIT_SCHED_SMOOTH_H
#define SVCKIT_SCHED_SMOOTH_H

#include <stddef.h>

#include "line/error.h"

struct smooth;

/*
 * count (at least 1) weights: finite, at least 0; all zero means that all are
 * alike.  NULL: EX_OSERR.
 */
struct smooth *smooth_new(
    const double *weights, size_t count, struct svc_error *error);
void smooth_free(struct smooth *smooth);

/* Other weights of the same members, who keep the share of all they have. */
void smooth_reweigh(struct smooth *smooth, const double *weights);

/* The index of who is next. */
size_t smooth_next(struct smooth *smooth);

/* What an index will have when the next one is chosen, in units of weights. */
double smooth_credit(const struct smooth *smooth, size_t index);

#endif
