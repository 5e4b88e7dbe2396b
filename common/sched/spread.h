/*
 * Spread: how even tasks lie over the domains of labels (domains.h), as
 * constraints.h describes it.
 *
 * For a task: spread_begin(); spread_lower() with each member that fits it
 * otherwise; then spread_allows() and spread_reasons() of any member.  Once it
 * is placed, spread_placed().
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

/* Whether member has all labels. */
bool spread_covers(const struct spread *spread, uint32_t member);

/* The domains of member, which has all labels, are among those compared. */
void spread_lower(struct spread *spread, uint32_t member);

/* Whether member, which has all labels, is not too far ahead. */
bool spread_allows(const struct spread *spread, uint32_t member);

/* Why any member would be ruled out; room for DEMAND_SPREADS_MAX. */
size_t spread_reasons(
    const struct spread *spread, uint32_t member, struct reason *reasons);

/* Counts a task.  -1: EX_OSERR. */
int spread_placed(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member, struct svc_error *error);

/* One that was counted is not any more. */
void spread_ended(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member);

#endif
