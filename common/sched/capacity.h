/*
 * Capacities as columns: what each of many instances has of "cpu" stands in
 * one array, read from the records once.
 */
#ifndef SVCKIT_SCHED_CAPACITY_H
#define SVCKIT_SCHED_CAPACITY_H

#include <stddef.h>

#include "line/instance.h"

struct capacity {
	char *name;
	double *values;
};

struct capacities {
	const struct instance *instances; /* borrowed */
	size_t instance_count;
	struct capacity *items; /* those that somebody has */
	size_t count;
	double *none; /* the column of a name that nobody has */
};

/* -1: no memory. */
int capacities_init(struct capacities *capacities,
    const struct instance *instances, size_t count);
void capacities_release(struct capacities *capacities);

/*
 * The column of name, one number an instance, NAN where it has no such number;
 * owned by capacities until its release.  NULL: no memory.
 */
const double *capacities_find(struct capacities *capacities, const char *name);

#endif
