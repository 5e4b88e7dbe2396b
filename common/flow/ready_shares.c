#include "flow/ready_shares.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "sched/name_table.h"

#define CAPACITY_LEAST 16
#define NO_USAGE       UINT32_MAX

/* So much more may have been taken of a resource than its parts are of. */
#define GROWTH 1.125

/* What a group has taken of a resource. */
struct share_usage {
	double amount;
	uint32_t group;
	uint32_t resource;
	uint32_t next_of_group;
	uint32_t next_of_resource;
};

struct share_group {
	double weight;
	double share;
	uint32_t usages;
};

struct share_resource {
	double total;
	double reckoned; /* what parts are of: the total of some time ago */
	uint32_t usages;
};

/* Of each array the numbers are those of the names beside it. */
struct ready_shares {
	const struct group_shares *weights;
	struct name_table group_names;
	struct share_group *groups;
	size_t group_capacity;
	struct name_table resource_names;
	struct share_resource *resources;
	size_t resource_capacity;
	struct name_table pairs; /* of a group and a resource */
	struct share_usage *usages;
	size_t usage_capacity;
	struct buffer scratch;
	uint64_t epoch;
};

int
ready_shares_open(struct ready_shares **opened,
    const struct group_shares *weights, struct svc_error *error)
{
	struct ready_shares *shares = calloc(1, sizeof(*shares));
	uint32_t none;

	*opened = NULL;
	if (shares != NULL)
		shares->weights = weights;
	if (shares == NULL || ready_shares_group(shares, "", 0, &none) == -1) {
		ready_shares_close(shares);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	*opened = shares;
	return 0;
}

void
ready_shares_close(struct ready_shares *shares)
{
	if (shares == NULL)
		return;
	name_table_release(&shares->group_names);
	name_table_release(&shares->resource_names);
	name_table_release(&shares->pairs);
	free(shares->groups);
	free(shares->resources);
	free(shares->usages);
	buffer_release(&shares->scratch);
	free(shares);
}

/* Room for one more, of size bytes, behind count of them; NULL: no memory. */
static void *
make_room(void *items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity == 0 ? CAPACITY_LEAST : *capacity * 2;
	void *grown;

	if (count < *capacity)
		return items;
	grown = reallocarray(items, wanted, size);
	if (grown != NULL)
		*capacity = wanted;
	return grown;
}

static double
weight_of(const struct ready_shares *shares, const char *name, size_t length)
{
	const struct group_shares *weights = shares->weights;
	size_t i;

	for (i = 0; weights != NULL && i < weights->count; i++)
		if (strlen(weights->items[i].group) == length &&
		    memcmp(weights->items[i].group, name, length) == 0)
			return weights->items[i].weight;
	return 1;
}

int
ready_shares_group(struct ready_shares *shares, const char *name, size_t length,
    uint32_t *group)
{
	size_t count = shares->group_names.count;
	struct share_group *groups = make_room(
	    shares->groups, count, &shares->group_capacity, sizeof(*groups));

	if (groups == NULL)
		return -1;
	shares->groups = groups;
	if (name_table_add(&shares->group_names, name, length, group) == -1)
		return -1;
	if (*group == count)
		groups[count] = (struct share_group){
		    weight_of(shares, name, length), 0, NO_USAGE};
	return 0;
}

int
ready_shares_resource(struct ready_shares *shares, const char *service,
    const char *capacity, uint32_t *resource)
{
	size_t count = shares->resource_names.count;
	struct share_resource *resources = make_room(shares->resources, count,
	    &shares->resource_capacity, sizeof(*resources));
	struct buffer *key = &shares->scratch;

	if (resources == NULL)
		return -1;
	shares->resources = resources;
	buffer_clear(key);
	buffer_append(key, service, strlen(service) + 1);
	buffer_append_string(key, capacity);
	if (buffer_failed(key) || name_table_add(&shares->resource_names,
				      key->data, key->length, resource) == -1)
		return -1;
	if (*resource == count)
		resources[count] = (struct share_resource){0, 0, NO_USAGE};
	return 0;
}

int
ready_shares_join(
    struct ready_shares *shares, uint32_t group, uint32_t resource)
{
	const uint32_t pair[2] = {group, resource};
	size_t count = shares->pairs.count;
	struct share_usage *usages = make_room(
	    shares->usages, count, &shares->usage_capacity, sizeof(*usages));
	uint32_t number;

	if (usages == NULL)
		return -1;
	shares->usages = usages;
	if (name_table_add(&shares->pairs, (const char *)pair, sizeof(pair),
		&number) == -1)
		return -1;
	if (number < count)
		return 0;
	usages[number] = (struct share_usage){0, group, resource,
	    shares->groups[group].usages, shares->resources[resource].usages};
	shares->groups[group].usages = number;
	shares->resources[resource].usages = number;
	return 0;
}

/* Divided by the group's weight. */
static double
part_of(const struct ready_shares *shares, const struct share_usage *usage)
{
	double of = shares->resources[usage->resource].reckoned;

	if (usage->amount == 0)
		return 0;
	return usage->amount / of / shares->groups[usage->group].weight;
}

static double
work_out(const struct ready_shares *shares, uint32_t group)
{
	uint32_t i = shares->groups[group].usages;
	double share = 0;

	for (; i != NO_USAGE; i = shares->usages[i].next_of_group)
		share = fmax(share, part_of(shares, &shares->usages[i]));
	return share;
}

/* The shares of all who use it, now that more of it has been taken. */
static void
reckon(struct ready_shares *shares, struct share_resource *resource)
{
	uint32_t i = resource->usages;
	bool less = false;

	resource->reckoned = resource->total;
	for (; i != NO_USAGE; i = shares->usages[i].next_of_resource) {
		uint32_t group = shares->usages[i].group;
		double share = work_out(shares, group);

		less = less || share < shares->groups[group].share;
		shares->groups[group].share = share;
	}
	shares->epoch += less;
}

void
ready_shares_take(struct ready_shares *shares, uint32_t group,
    uint32_t resource, double amount)
{
	const uint32_t pair[2] = {group, resource};
	struct share_resource *taken = &shares->resources[resource];
	struct share_usage *usage = &shares->usages[name_table_find(
	    &shares->pairs, (const char *)pair, sizeof(pair))];
	double *share = &shares->groups[group].share;

	/* Sums stay finite, however long it goes on. */
	usage->amount = fmin(usage->amount + amount, DBL_MAX);
	taken->total = fmin(taken->total + amount, DBL_MAX);
	if (taken->total > taken->reckoned * GROWTH)
		reckon(shares, taken);
	else
		*share = fmax(*share, part_of(shares, usage));
}

double
ready_shares_of(const struct ready_shares *shares, uint32_t group)
{
	return shares->groups[group].share;
}

uint64_t
ready_shares_epoch(const struct ready_shares *shares)
{
	return shares->epoch;
}
