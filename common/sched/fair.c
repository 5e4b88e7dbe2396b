#include "sched/fair.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/name_table.h"

#define NOT_WAITING  UINT32_MAX
#define NO_USAGE     UINT32_MAX
#define USAGES_LEAST 64

/* How many names that nobody has are remembered. */
#define ABSENT_MAX 1024

/* The capacity that each instance has, 1 when it names none. */
#define SLOTS "slots"

/* What a group has of one resource; those of one group are a list. */
struct usage {
	double amount;
	uint32_t resource;
	uint32_t next;
};

struct fair_group {
	double weight;
	double share; /* the dominant one, divided by weight */
	uint32_t usages;
	uint32_t place; /* in the heap */
};

/*
 * Resources are named by the range of instances that a service is in the pool
 * and the name of the capacity: what one service has is nothing to another.
 */
struct fair {
	struct pool *pool;
	struct fair_group *groups;
	size_t group_count;
	uint32_t *heap; /* of waiting groups; the least share first */
	size_t heap_count;
	struct name_table resources;
	double *totals; /* a number a resource; 0: nobody has it */
	size_t total_capacity;
	size_t absent; /* resources that nobody has */
	struct usage *usages;
	size_t usage_count;
	size_t usage_capacity;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
fair_open(struct fair **opened, struct pool *pool, size_t groups,
    struct svc_error *error)
{
	struct fair *fair = calloc(1, sizeof(*fair));
	size_t i;

	*opened = NULL;
	if (fair == NULL)
		return no_memory(error);
	fair->pool = pool;
	fair->group_count = groups;
	/* one more than needed: of no groups there is an array too */
	fair->groups = calloc(groups + 1, sizeof(*fair->groups));
	fair->heap = calloc(groups + 1, sizeof(*fair->heap));
	if (fair->groups == NULL || fair->heap == NULL) {
		fair_close(fair);
		return no_memory(error);
	}
	for (i = 0; i < groups; i++)
		fair->groups[i] =
		    (struct fair_group){1, 0, NO_USAGE, NOT_WAITING};
	*opened = fair;
	return 0;
}

void
fair_close(struct fair *fair)
{
	if (fair == NULL)
		return;
	free(fair->groups);
	free(fair->heap);
	name_table_release(&fair->resources);
	free(fair->totals);
	free(fair->usages);
	free(fair);
}

static bool
comes_before(const struct fair *fair, uint32_t a, uint32_t b)
{
	double x = fair->groups[a].share, y = fair->groups[b].share;

	return x < y || (x == y && a < b);
}

static void
put(struct fair *fair, size_t place, uint32_t group)
{
	fair->heap[place] = group;
	fair->groups[group].place = (uint32_t)place;
}

static void
sift_up(struct fair *fair, size_t place)
{
	uint32_t group = fair->heap[place];

	while (place > 0) {
		size_t above = (place - 1) / 2;

		if (!comes_before(fair, group, fair->heap[above]))
			break;
		put(fair, place, fair->heap[above]);
		place = above;
	}
	put(fair, place, group);
}

static void
sift_down(struct fair *fair, size_t place)
{
	uint32_t group = fair->heap[place];
	size_t below;

	while ((below = 2 * place + 1) < fair->heap_count) {
		if (below + 1 < fair->heap_count &&
		    comes_before(
			fair, fair->heap[below + 1], fair->heap[below]))
			below++;
		if (!comes_before(fair, fair->heap[below], group))
			break;
		put(fair, place, fair->heap[below]);
		place = below;
	}
	put(fair, place, group);
}

/* The group's share has changed. */
static void
reorder(struct fair *fair, uint32_t group)
{
	if (fair->groups[group].place == NOT_WAITING)
		return;
	sift_up(fair, fair->groups[group].place);
	sift_down(fair, fair->groups[group].place);
}

void
fair_set_waiting(struct fair *fair, uint32_t group, bool waiting)
{
	size_t place = fair->groups[group].place;
	uint32_t last;

	if (waiting == (place != NOT_WAITING))
		return;
	if (waiting) {
		put(fair, fair->heap_count++, group);
		sift_up(fair, fair->heap_count - 1);
		return;
	}
	fair->groups[group].place = NOT_WAITING;
	last = fair->heap[--fair->heap_count];
	if (last == group)
		return;
	put(fair, place, last);
	reorder(fair, last);
}

int
fair_next(struct fair *fair, uint32_t *group)
{
	if (fair->heap_count == 0)
		return 0;
	*group = fair->heap[0];
	return 1;
}

/* How much of a capacity there is among those that get work. */
static int
add_up(struct fair *fair, uint32_t first, size_t count, const char *name,
    double *total)
{
	const double *values = pool_capacity(fair->pool, name);
	bool slots = strcmp(name, SLOTS) == 0;
	uint32_t i;

	if (values == NULL)
		return -1;
	*total = 0;
	for (i = first; i < first + count; i++) {
		const struct pool_member *member = pool_member(fair->pool, i);
		double value = slots ? member->slots : values[i];

		if (value > 0 && member->slots > 0 && member->speed > 0 &&
		    pool_works(fair->pool, i))
			*total += value;
	}
	return 0;
}

/* Room for the total of one more resource. */
static int
make_total_room(struct fair *fair)
{
	size_t capacity = fair->total_capacity * 2 + 16;
	double *totals;

	if (fair->resources.count < fair->total_capacity)
		return 0;
	totals = reallocarray(fair->totals, capacity, sizeof(*totals));
	if (totals == NULL)
		return -1;
	fair->totals = totals;
	fair->total_capacity = capacity;
	return 0;
}

/*
 * The number of what service has of a capacity: 1; 0: nobody has any; -1: no
 * memory.
 */
static int
find_resource(struct fair *fair, const char *service, const char *name,
    uint32_t *resource)
{
	char key[sizeof(uint32_t) + sizeof(size_t) + NAME_MAX_LENGTH];
	size_t count, length = strnlen(name, NAME_MAX_LENGTH);
	uint32_t first;
	double total;

	pool_range(fair->pool, service, &first, &count);
	memcpy(key, &first, sizeof(first));
	memcpy(key + sizeof(first), &count, sizeof(count));
	memcpy(key + sizeof(first) + sizeof(count), name, length);
	length += sizeof(first) + sizeof(count);
	*resource = name_table_find(&fair->resources, key, length);
	if (*resource != NAME_TABLE_NONE)
		return fair->totals[*resource] > 0;
	if (add_up(fair, first, count, name, &total) == -1)
		return -1;
	if (total == 0 && fair->absent++ >= ABSENT_MAX)
		return 0;
	if (make_total_room(fair) == -1 ||
	    name_table_add(&fair->resources, key, length, resource) == -1)
		return -1;
	fair->totals[*resource] = total;
	return total > 0;
}

static int
make_usage_room(struct fair *fair)
{
	size_t capacity =
	    fair->usage_capacity == 0 ? USAGES_LEAST : fair->usage_capacity * 2;
	struct usage *usages;

	if (fair->usage_count < fair->usage_capacity)
		return 0;
	if (fair->usage_count == NO_USAGE)
		return -1;
	usages = reallocarray(fair->usages, capacity, sizeof(*usages));
	if (usages == NULL)
		return -1;
	fair->usages = usages;
	fair->usage_capacity = capacity;
	return 0;
}

/* What group has of resource; NULL: no memory. */
static struct usage *
find_usage(struct fair *fair, struct fair_group *group, uint32_t resource)
{
	struct usage *usage;
	uint32_t i;

	for (i = group->usages; i != NO_USAGE; i = fair->usages[i].next)
		if (fair->usages[i].resource == resource)
			return &fair->usages[i];
	if (make_usage_room(fair) == -1)
		return NULL;
	usage = &fair->usages[fair->usage_count];
	*usage = (struct usage){0, resource, group->usages};
	group->usages = (uint32_t)fair->usage_count++;
	return usage;
}

/* Sums stay finite, so that what is taken can be given back. */
static double
bounded(double amount)
{
	return fmin(fmax(amount, -DBL_MAX), DBL_MAX);
}

static int
take(struct fair *fair, uint32_t group, const char *service, const char *name,
    double amount)
{
	struct usage *usage;
	uint32_t resource;
	int found = find_resource(fair, service, name, &resource);

	if (found != 1)
		return found;
	usage = find_usage(fair, &fair->groups[group], resource);
	if (usage == NULL)
		return -1;
	/* of sums in another order than that of what was added, a trace of less
	   than nothing may be left */
	usage->amount = fmax(0, bounded(usage->amount + bounded(amount)));
	return 0;
}

static void
update_share(struct fair *fair, uint32_t number)
{
	struct fair_group *group = &fair->groups[number];
	double share = 0;
	uint32_t i;

	for (i = group->usages; i != NO_USAGE; i = fair->usages[i].next) {
		const struct usage *usage = &fair->usages[i];

		share =
		    fmax(share, usage->amount / fair->totals[usage->resource]);
	}
	group->share = share / group->weight;
	reorder(fair, number);
}

void
fair_weigh(struct fair *fair, uint32_t group, double weight)
{
	fair->groups[group].weight = weight;
	update_share(fair, group);
}

int
fair_take(struct fair *fair, uint32_t group, const char *service,
    const struct demand *demand, double duration, struct svc_error *error)
{
	bool asks = false;
	int result = 0;
	size_t i;

	for (i = 0; i < demand->count && result != -1; i++) {
		const struct demand_number *number = &demand->numbers[i];

		if (number->amount == 0)
			continue;
		asks = true;
		result = take(fair, group, service, number->name,
		    number->amount * duration);
	}
	if (!asks)
		result = take(fair, group, service, SLOTS, duration);
	update_share(fair, group);
	return result == -1 ? no_memory(error) : 0;
}

double
fair_share_of(const struct fair *fair, uint32_t group)
{
	return fair->groups[group].share;
}
