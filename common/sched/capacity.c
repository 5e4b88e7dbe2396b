#include "sched/capacity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/buffer.h"
#include "line/json.h"
#include "line/units.h"

static int
add_name(struct capacities *capacities, const struct json_member *member)
{
	char name[NAME_MAX_LENGTH + 1];
	struct json_value quoted;
	uint32_t number;
	int length;

	quoted.span.data = member->name.data - 1;
	quoted.span.length = member->name.length + 2;
	quoted.type = JSON_STRING;
	quoted.escaped = member->escaped;
	length = json_string(&quoted, name, sizeof(name));
	if (length == -1) /* no task can ask for it */
		return 0;
	return name_table_add(
	    &capacities->names, name, (size_t)length, &number);
}

static int
add_names(struct capacities *capacities, const struct instance *instance,
    struct buffer *scratch)
{
	struct json_member member;
	struct json_value value;
	const char *cursor;

	if (instance_member(instance, "capacity", scratch, &value) != 1 ||
	    value.type != JSON_OBJECT)
		return 0;
	cursor = value.span.data;
	while (json_next_member(value.span, &cursor, &member) == 1)
		if (add_name(capacities, &member) == -1)
			return -1;
	return 0;
}

int
capacities_init(struct capacities *capacities, const struct instance *instances,
    size_t count)
{
	static const struct name_table empty = NAME_TABLE_INIT;
	struct buffer scratch = BUFFER_INIT;
	int result = 0;
	size_t i;

	memset(capacities, 0, sizeof(*capacities));
	capacities->names = empty;
	capacities->instances = instances;
	capacities->instance_count = count;
	for (i = 0; i < count && result == 0; i++)
		result = add_names(capacities, &instances[i], &scratch);
	buffer_release(&scratch);
	/* one more than needed: of none there is an array too */
	capacities->columns =
	    calloc(capacities->names.count + 1, sizeof(*capacities->columns));
	capacities->none = calloc(count + 1, sizeof(*capacities->none));
	if (result == -1 || capacities->columns == NULL ||
	    capacities->none == NULL)
		return -1;
	for (i = 0; i < count; i++)
		capacities->none[i] = NAN;
	return 0;
}

void
capacities_release(struct capacities *capacities)
{
	size_t i;

	for (i = 0; capacities->columns != NULL && i < capacities->names.count;
	     i++) {
		free(capacities->columns[i].values);
		free(capacities->columns[i].sorted);
	}
	free(capacities->columns);
	free(capacities->none);
	name_table_release(&capacities->names);
	memset(capacities, 0, sizeof(*capacities));
}

static int
compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
fill_column(const struct capacities *capacities, const char *path,
    struct capacity_column *column)
{
	size_t i;

	for (i = 0; i < capacities->instance_count; i++) {
		if (instance_number(&capacities->instances[i], path,
			&column->values[i]) == 1)
			column->sorted[column->sorted_count++] =
			    column->values[i];
		else
			column->values[i] = NAN;
	}
	qsort(column->sorted, column->sorted_count, sizeof(*column->sorted),
	    compare_values);
}

/* The column of a name that somebody has; NULL: no memory. */
static const struct capacity_column *
read_column(struct capacities *capacities, uint32_t number, const char *name)
{
	struct capacity_column *column = &capacities->columns[number];
	size_t size = (capacities->instance_count + 1) * sizeof(double);
	struct buffer path = BUFFER_INIT;

	if (column->values != NULL)
		return column;
	buffer_append_string(&path, "capacity.");
	buffer_append_string(&path, name);
	column->values = malloc(size);
	column->sorted = malloc(size);
	if (buffer_string(&path) == NULL || column->values == NULL ||
	    column->sorted == NULL) {
		free(column->values);
		free(column->sorted);
		column->values = column->sorted = NULL;
		column = NULL;
	} else {
		fill_column(capacities, buffer_string(&path), column);
	}
	buffer_release(&path);
	return column;
}

bool
capacities_named(const struct capacities *capacities, const char *name)
{
	return name_table_find(&capacities->names, name, strlen(name)) !=
	       NAME_TABLE_NONE;
}

const double *
capacities_find(struct capacities *capacities, const char *name)
{
	const struct capacity_column *column;
	uint32_t number =
	    name_table_find(&capacities->names, name, strlen(name));

	if (number == NAME_TABLE_NONE)
		return capacities->none;
	column = read_column(capacities, number, name);
	return column == NULL ? NULL : column->values;
}

/* How many values of column are below amount. */
static size_t
count_below(const struct capacity_column *column, double amount)
{
	size_t low = 0, high = column->sorted_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (column->sorted[middle] < amount)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
capacities_around(struct capacities *capacities, const char *name,
    double amount, double *below, double *above)
{
	const struct capacity_column *column;
	uint32_t number =
	    name_table_find(&capacities->names, name, strlen(name));
	size_t place;

	*below = -INFINITY;
	*above = INFINITY;
	if (number == NAME_TABLE_NONE)
		return 0;
	column = read_column(capacities, number, name);
	if (column == NULL)
		return -1;
	place = count_below(column, amount);
	if (place > 0)
		*below = column->sorted[place - 1];
	if (place < column->sorted_count)
		*above = column->sorted[place];
	return 0;
}
