/*
 * How loaded the members of a pool are, for the policies that look at load:
 * headroom, least-loaded, p2c.  task-schedule(1), HOW LOAD IS WEIGHED, tells
 * users of it.
 *
 * A member's own load comes first: what this very process has given it, which
 * nobody needs to report.  It counts a slot.  Where the caller keeps it (an
 * array: requests outstanding by slots, or the time at which a slot becomes
 * free), members are compared by that, and what was observed decides between
 * equal ones: a report may count the same requests once more.  Where nobody
 * keeps it, what the policy has placed since the observation is counted here,
 * and as no report can contain it, it is added: observed + placed / slots.
 *
 * What was observed is the member's utilization:
 *	pinned    as it stands, whatever its age; it is never probed
 *	fresh     as it stands: told by its prober at most stale seconds ago, or
 *	          by its holder, whose report holds as long as a lease of kind
 *	          lock or ttl lasts (instance-line(5)), with none at most stale
 *	          seconds; also one that stands on a line without any time
 *	stale     told longer ago
 *	unknown   nobody said it
 * The last two count as the mean of the fresh ones among those of the service
 * that get work, 0 where there are none: who says nothing is as loaded as
 * others are, or a silent instance would look idle for ever.
 */
#ifndef SVCKIT_SCHED_MEMBER_LOAD_H
#define SVCKIT_SCHED_MEMBER_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "sched/pool.h"
#include "sched/random.h"

#define MEMBER_LOAD_STALE 15.0 /* seconds */

/*
 * This part of all choices is made regardless of what was observed, so that a
 * member that looks full goes on being tried; headroom is at least this part of
 * the slots.
 */
#define MEMBER_LOAD_FLOOR 0.03

enum member_load_source { LOAD_PINNED, LOAD_FRESH, LOAD_STALE, LOAD_UNKNOWN };

struct member_load;

/*
 * pool is borrowed; own (one number a member of the pool, or NULL) too, and the
 * caller may change it at any time.  now is in ms since 1970 (a report from
 * after it is as old as one from then), stale in seconds, 0 for
 * MEMBER_LOAD_STALE.  EX_OSERR.
 */
int member_load_open(struct member_load **load, struct pool *pool,
    const double *own, double stale, int64_t now, struct svc_error *error);
void member_load_close(struct member_load *load);

/*
 * What the pool's instances say of themselves has changed, or time has passed:
 * it is read again, and what was placed before is forgotten, for the reports
 * contain it.
 */
void member_load_observe(struct member_load *load, int64_t now);

/* What counts as the member's observed load; at least 0. */
double member_load_observed(const struct member_load *load, uint32_t member);
enum member_load_source member_load_source(
    const struct member_load *load, uint32_t member);

/*
 * Whether that is above the mean of the fresh ones of its service; no, where
 * there are none.
 */
bool member_load_above(const struct member_load *load, uint32_t member);

/* slots x max(floor, 1 - observed); of a pinned one the floor is 0. */
double member_load_headroom(const struct member_load *load, uint32_t member);

/*
 * The policy has chosen member; a task that it was chosen for has ended.  Of no
 * effect where the caller keeps own.
 */
void member_load_placed(struct member_load *load, uint32_t member);
void member_load_ended(struct member_load *load, uint32_t member);

/*
 * What members are compared by first, one number each: own, or observed +
 * placed / slots.  Borrowed, and changes with them.
 */
const double *member_load_values(const struct member_load *load);
/* Likewise, what decides between those whose value is the same. */
const double *member_load_ties(const struct member_load *load);

/*
 * Never the same again once a number of member_load_values() has become less:
 * under one version they only grow.  Of no meaning where the caller keeps own.
 */
uint64_t member_load_version(const struct member_load *load);

/* Less than, equal to, or more than 0: a is less, as much, more loaded. */
int member_load_compare(const struct member_load *load, uint32_t a, uint32_t b);

/*
 * Whether this choice is a probe, made regardless of what was observed: in
 * MEMBER_LOAD_FLOOR of them, as random has it, one of list is drawn and stands
 * in *member.  It is no probe where that one is pinned or unknown, so that
 * there is nothing to find out, or where the caller keeps own and another of
 * list has less of it.
 */
bool member_load_probe(const struct member_load *load, struct random *random,
    const struct eligible *list, uint32_t *member);

/*
 * Appends ,"own":2,"observed":0.4,"source":"fresh" of a member; own is placed /
 * slots where it is counted here.
 */
void member_load_explain(
    const struct member_load *load, uint32_t member, struct buffer *out);

#endif
