#include "sched/capacity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/buffer.h"

int
capacities_init(struct capacities *capacities, const struct instance *instances,
    size_t count)
{
	size_t i;

	memset(capacities, 0, sizeof(*capacities));
	capacities->instances = instances;
	capacities->instance_count = count;
	/* one more than needed: of no instances there is an array too */
	capacities->none = calloc(count + 1, sizeof(*capacities->none));
	if (capacities->none == NULL)
		return -1;
	for (i = 0; i < count; i++)
		capacities->none[i] = NAN;
	return 0;
}

void
capacities_release(struct capacities *capacities)
{
	size_t i;

	for (i = 0; i < capacities->count; i++) {
		free(capacities->items[i].name);
		free(capacities->items[i].values);
	}
	free(capacities->items);
	free(capacities->none);
	memset(capacities, 0, sizeof(*capacities));
}

/* Fills values; returns how many instances have such a number. */
static size_t
read_column(
    const struct capacities *capacities, const char *path, double *values)
{
	size_t i, found = 0;

	for (i = 0; i < capacities->instance_count; i++) {
		if (instance_number(
			&capacities->instances[i], path, &values[i]) == 1)
			found++;
		else
			values[i] = NAN;
	}
	return found;
}

static double *
add_column(struct capacities *capacities, const char *name, double *values)
{
	struct capacity *items;
	char *copy;

	items = reallocarray(
	    capacities->items, capacities->count + 1, sizeof(*items));
	if (items == NULL)
		return NULL;
	capacities->items = items;
	copy = strdup(name);
	if (copy == NULL)
		return NULL;
	items[capacities->count].name = copy;
	items[capacities->count].values = values;
	capacities->count++;
	return values;
}

const double *
capacities_find(struct capacities *capacities, const char *name)
{
	struct buffer buffer = BUFFER_INIT;
	const char *path;
	double *values = NULL;
	const double *column = NULL;
	size_t i;

	for (i = 0; i < capacities->count; i++)
		if (strcmp(capacities->items[i].name, name) == 0)
			return capacities->items[i].values;
	buffer_append_string(&buffer, "capacity.");
	buffer_append_string(&buffer, name);
	path = buffer_string(&buffer);
	if (path == NULL)
		goto out;
	values = calloc(capacities->instance_count + 1, sizeof(*values));
	if (values == NULL)
		goto out;
	/* not kept: tasks may ask for any number of names that nobody has */
	if (read_column(capacities, path, values) == 0)
		column = capacities->none;
	else
		column = add_column(capacities, name, values);
out:
	if (column != values)
		free(values);
	buffer_release(&buffer);
	return column;
}
