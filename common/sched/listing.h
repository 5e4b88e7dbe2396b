/*
 * Listing: who fits the requirements of tasks, worked out once for all that
 * come to the same.
 *
 * It remembers twice.  By the bytes of "requires": a task that asks for what an
 * earlier one asked for costs a hash and a comparison.  And, where the bytes
 * are others, by what they come to: the selector, and for each number the least
 * capacity that is enough for it, of which there are as few as there are kinds
 * of instances.
 */
#ifndef SVCKIT_SCHED_LISTING_H
#define SVCKIT_SCHED_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"
#include "sched/filter.h"
#include "sched/member_sets.h"
#include "sched/memo.h"
#include "sched/pool.h"

struct listing {
	struct filter filter;
	struct memo requirements; /* by the bytes of "requires" */
	struct memo lists; /* by what they come to */
	struct member_sets sets;
	struct buffer key; /* scratch */
};

/* The instances that are listed from: those of one service, or none. */
struct listing_range {
	size_t topic; /* the service's number */
	const char *service;
	uint32_t first;
	size_t count;
};

/* As filter_init(). */
int listing_init(
    struct listing *listing, const struct instance *instances, size_t count);
void listing_release(struct listing *listing);

/*
 * The list for requires of those in range: with labelled as pool_labelled(),
 * else as pool_eligible() describes it, and until the next call.
 */
int listing_find(struct listing *listing, const struct listing_range *range,
    const struct json_value *requires, bool labelled,
    const struct eligible **list, struct svc_error *error);

#endif
