/*
 * The filter in front of every policy: which instances of a service may take a
 * task at all, by what does not change while tasks are placed: status, labels,
 * whole capacities.
 *
 * It works on one list in place: filter_labelled() fills it, the others drop
 * from it.  The list is in the order of the instances.
 */
#ifndef SVCKIT_SCHED_FILTER_H
#define SVCKIT_SCHED_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/instance.h"
#include "sched/capacity.h"
#include "sched/demand.h"
#include "sched/selector_cache.h"

struct filter {
	const struct instance *instances; /* borrowed */
	bool all; /* statuses do not count */
	unsigned char
	    *idle; /* the caller's: 1: on no list, whatever its status */
	struct capacities capacities;
	struct selector_cache selections;
	uint32_t *list; /* indices of instances; room for all of them */
	size_t count; /* of the list */
};

/*
 * instances (count) are borrowed until the release.  -1: no memory; release it
 * all the same.
 */
int filter_init(
    struct filter *filter, const struct instance *instances, size_t count);
void filter_release(struct filter *filter);

/* Whether the instance's status lets it get work. */
bool filter_works(const struct filter *filter, uint32_t index);

/*
 * Lists those of count instances from first on that work and have the labels
 * that demand asks for.  -1: no memory.
 */
int filter_labelled(struct filter *filter, size_t first, size_t count,
    const struct demand *demand);

/*
 * Drops who has less than demand asks for, whatever is left of it.  -1: no
 * memory.
 */
int filter_numbers(struct filter *filter, const struct demand *demand);

/*
 * Whether there are such that pass and such that do not on a list of instances,
 * and the former count alone: not with all, nor in a panic.
 */
bool filter_mixed(
    const struct filter *filter, const uint32_t *list, size_t count);

/* Drops who does not pass. */
void filter_passing(struct filter *filter);

#endif
