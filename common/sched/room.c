#include "sched/room.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "line/json.h"

int
room_init(struct room *room, struct pool *pool)
{
	memset(room, 0, sizeof(*room));
	room->pool = pool;
	room->tasks = calloc(pool_count(pool) + 1, sizeof(*room->tasks));
	return room->tasks == NULL ? -1 : 0;
}

static void
release_column(struct room_column *column)
{
	free(column->used);
	free(column->free);
	free(column->inverse);
}

void
room_release(struct room *room)
{
	size_t i;

	for (i = 0; i < room->count; i++)
		release_column(&room->columns[i]);
	free(room->columns);
	free(room->tasks);
}

static struct room_column *
find_column(const struct room *room, const char *name)
{
	size_t i;

	for (i = 0; i < room->count; i++)
		if (strcmp(room->columns[i].name, name) == 0)
			return &room->columns[i];
	return NULL;
}

static int
fill_column(struct room_column *column, struct pool *pool, const char *name)
{
	size_t count = pool_count(pool), i;

	memset(column, 0, sizeof(*column));
	memcpy(column->name, name, strlen(name) + 1);
	column->total = pool_capacity(pool, name);
	column->used = calloc(count + 1, sizeof(*column->used));
	column->free = calloc(count + 1, sizeof(*column->free));
	column->inverse = calloc(count + 1, sizeof(*column->inverse));
	if (column->total == NULL || column->used == NULL ||
	    column->free == NULL || column->inverse == NULL)
		return -1;
	for (i = 0; i < count; i++) {
		column->free[i] = column->total[i];
		/* of nothing at all, nothing is free, or far too little */
		column->inverse[i] = fmin(1 / column->total[i], DBL_MAX);
	}
	return 0;
}

static struct room_column *
add_column(struct room *room, const char *name)
{
	struct room_column *columns, *column;

	columns =
	    reallocarray(room->columns, room->count + 1, sizeof(*columns));
	if (columns == NULL)
		return NULL;
	room->columns = columns;
	column = &columns[room->count];
	if (fill_column(column, room->pool, name) == -1) {
		release_column(column);
		return NULL;
	}
	room->count++;
	return column;
}

/* Whether amount may be more than a total below it by rounding alone. */
static bool
is_close(double below, double amount)
{
	return amount <= below * (1 + 2 * ROOM_ROUNDING) ||
	       (below >= 0 && amount < DBL_MIN);
}

int
room_find(struct room *room, const struct demand *demand,
    struct room_number numbers[DEMAND_NUMBERS_MAX])
{
	struct room_column *column;
	double below, above;
	size_t k;

	for (k = 0; k < demand->count; k++) {
		const struct demand_number *number = &demand->numbers[k];

		column = find_column(room, number->name);
		if (column == NULL && !pool_names(room->pool, number->name))
			return 0;
		if (column == NULL)
			column = add_column(room, number->name);
		if (column == NULL || pool_around(room->pool, number->name,
					  number->amount, &below, &above) == -1)
			return -1;
		numbers[k].total = column->total;
		numbers[k].free = column->free;
		numbers[k].inverse = column->inverse;
		numbers[k].amount = number->amount;
		numbers[k].close = is_close(below, number->amount);
	}
	return 1;
}

static void
set_used(struct room_column *column, uint32_t member, double used)
{
	column->used[member] = used;
	column->free[member] = column->total[member] - used;
}

void
room_take(struct room *room, const struct demand *demand, uint32_t member)
{
	struct room_column *column;
	size_t k;

	room->tasks[member]++;
	for (k = 0; k < demand->count; k++) {
		column = find_column(room, demand->numbers[k].name);
		set_used(column, member,
		    column->used[member] + demand->numbers[k].amount);
	}
}

void
room_give_back(struct room *room, const struct demand *demand, uint32_t member)
{
	struct room_column *column;
	size_t k;

	room->tasks[member]--;
	for (k = 0; k < demand->count; k++) {
		column = find_column(room, demand->numbers[k].name);
		set_used(column, member,
		    fmax(0, column->used[member] - demand->numbers[k].amount));
	}
	/* what rounding has left of sums and differences goes here */
	for (k = 0; room->tasks[member] == 0 && k < room->count; k++)
		set_used(&room->columns[k], member, 0);
}

const double *
room_left(const struct room *room, const char *name)
{
	const struct room_column *column = find_column(room, name);

	return column == NULL ? NULL : column->free;
}

static void
append_name(struct buffer *out, const char *comma, const char *name)
{
	buffer_append_string(out, comma);
	json_append_string(out, name, strlen(name));
	buffer_append_char(out, ':');
}

/* Returns the part of the number that would be used. */
static double
append_number(const struct room *room, const struct demand_number *number,
    const char *comma, uint32_t member, struct buffer *out)
{
	const struct room_column *column = find_column(room, number->name);
	double total = column->total[member], used = column->used[member];

	append_name(out, comma, number->name);
	buffer_append_string(out, "{\"used\":");
	json_append_number(out, used);
	buffer_append_string(out, ",\"of\":");
	json_append_number(out, total);
	buffer_append_string(out, ",\"after\":");
	json_append_number(out, used + number->amount);
	buffer_append_char(out, '}');
	return total == 0 ? 1 : (used + number->amount) / total;
}

static void
append_left(const struct room *room, uint32_t member, struct buffer *out)
{
	const char *comma = "";
	size_t i;

	buffer_append_string(out, ",\"left\":{");
	for (i = 0; i < room->count; i++) {
		const struct room_column *column = &room->columns[i];

		if (isnan(column->total[member]))
			continue;
		append_name(out, comma, column->name);
		json_append_number(out, fmax(0, column->free[member]));
		comma = ",";
	}
	buffer_append_char(out, '}');
}

void
room_explain(struct room *room, const struct demand *demand, uint32_t member,
    struct buffer *out)
{
	struct room_number numbers[DEMAND_NUMBERS_MAX];
	double sum = 0;
	size_t k;
	int found = room_find(room, demand, numbers);

	if (found == -1)
		out->failed = true;
	if (found == 1 && demand->count > 0) {
		buffer_append_string(out, ",\"room\":{");
		for (k = 0; k < demand->count; k++)
			sum += append_number(room, &demand->numbers[k],
			    k > 0 ? "," : "", member, out);
		buffer_append_string(out, "},\"score\":");
		json_append_number(out, sum / (double)demand->count);
	}
	append_left(room, member, out);
}
