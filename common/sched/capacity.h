/*
 * Capacities as columns: what each of many instances has of "cpu" stands in
 * one array, read from the records when it is first asked for.
 */
#ifndef SVCKIT_SCHED_CAPACITY_H
#define SVCKIT_SCHED_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>

#include "line/instance.h"
#include "sched/name_table.h"

struct capacity_column {
	double *values; /* of each instance; NULL: not yet read */
	double *sorted; /* those that are numbers, ascending */
	size_t sorted_count;
};

struct capacities {
	const struct instance *instances; /* borrowed */
	size_t instance_count;
	struct name_table names; /* of what somebody has */
	struct capacity_column *columns; /* by the number of the name */
	double *none; /* the values of a name that nobody has */
};

/* -1: no memory; release it all the same. */
int capacities_init(struct capacities *capacities,
    const struct instance *instances, size_t count);
void capacities_release(struct capacities *capacities);

/*
 * The column of name, one number an instance, NAN where it has no such number;
 * owned by capacities until its release.  NULL: no memory.
 */
const double *capacities_find(struct capacities *capacities, const char *name);

/*
 * Whether somebody has such a capacity: tasks may ask for any number of names
 * that nobody has.
 */
bool capacities_named(const struct capacities *capacities, const char *name);

/*
 * The greatest value of name below amount, and the least that is not; -INFINITY
 * and INFINITY where there is none.  -1: no memory.
 */
int capacities_around(struct capacities *capacities, const char *name,
    double amount, double *below, double *above);

#endif
