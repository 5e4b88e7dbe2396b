/*
 * Spread: how even tasks lie over the domains of labels (domains.h), as
 * constraints.h describes it.
 *
 * For a task: spread_begin(); for each label spread_weigh() with the domains
 * of those that fit it otherwise; then what is allowed, and why.  Once it is
 * placed, spread_placed().
 */
#ifndef SVCKIT_SCHED_SPREAD_H
#define SVCKIT_SCHED_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/demand.h"
#include "sched/domains.h"
#include "sched/pool.h"
#include "sched/reason.h"
#include "sched/spread_counts.h"

/* Where a task stands with one label. */
struct gauge {
	const char *label; /* of the demand */
	struct domain_column column;
	const uint64_t *counts; /* of each domain; NULL: all are 0 */
	double skew;
	double floor; /* tasks in the domain that has the fewest */
	unsigned char *open; /* of each domain, owned; see spread_weigh() */
	size_t open_size;
};

struct spread {
	struct domains domains;
	struct spread_counts counts;
	struct gauge gauges[DEMAND_SPREADS_MAX]; /* of the task that is asked
						    about */
	size_t count;
};

/* pool is borrowed.  -1: EX_OSERR; it needs release all the same. */
int spread_init(
    struct spread *spread, struct pool *pool, struct svc_error *error);
void spread_release(struct spread *spread);

/*
 * Asks about a task of demand (borrowed) that is counted with key.  -1:
 * EX_OSERR.
 */
int spread_begin(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, struct svc_error *error);

/* It asks about a task without spread. */
void spread_begin_none(struct spread *spread);

/*
 * Weighs domains (count of them) of the label numbered k, of which the first
 * few are those compared, and appends a byte to key for each domain that there
 * is: 1 where it is among these and not too far ahead.  *all: all of them are
 * not.  -1: no memory, for which key may have failed, too.
 */
int spread_weigh(struct spread *spread, size_t k, const uint32_t *domains,
    size_t count, size_t compared, struct buffer *key, bool *all);

/*
 * Copies those of members (count of them) to allowed whose domains were weighed
 * and are not too far ahead, and returns how many.  All domains of members must
 * have been weighed.
 */
size_t spread_allow(const struct spread *spread, const uint32_t *members,
    size_t count, uint32_t *allowed);

/* Why any member would be ruled out; room for DEMAND_SPREADS_MAX. */
size_t spread_reasons(
    const struct spread *spread, uint32_t member, struct reason *reasons);

/*
 * Drops from members (*count of them, ascending) those that would be ruled out,
 * and counts each in tally for the first of spread_reasons().
 */
void spread_sieve(const struct spread *spread, uint32_t *members, size_t *count,
    struct reason_tally *tally);

/* Counts a task.  -1: EX_OSERR. */
int spread_placed(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member, struct svc_error *error);

/* One that was counted is not any more. */
void spread_ended(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member);

#endif
