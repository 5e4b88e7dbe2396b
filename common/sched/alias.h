/*
 * The alias method: draws from a discrete distribution in constant time.
 *
 * Walker (1977); the table is built in linear time as in Vose, "A linear
 * algorithm for generating random numbers with a given distribution", IEEE
 * Transactions on Software Engineering 17(9), 1991.
 */
#ifndef SVCKIT_SCHED_ALIAS_H
#define SVCKIT_SCHED_ALIAS_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/random.h"

struct alias;

/*
 * A table of count (1 to UINT32_MAX) weights: finite, at least 0; all zero
 * means that all are alike.  One that is zero among others is never drawn.
 * NULL: EX_OSERR.
 */
struct alias *alias_new(
    const double *weights, size_t count, struct svc_error *error);
void alias_free(struct alias *alias);

/* Draws an index. */
size_t alias_draw(const struct alias *alias, struct random *random);

#endif
