#include "sched/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "sched/listing.h"
#include "sched/subsets.h"

#define SERVICES_SHOWN 5

struct service {
	const char *name;
	uint32_t first;
	size_t count;
};

struct pool {
	const struct instance *instances;
	struct pool_member *members;
	size_t count;
	struct buffer references;
	struct service *services;
	size_t service_count;
	struct listing listing;
	struct subsets subsets;
	struct unlisted_cache unlisted;
	uint64_t number; /* the last one that was given */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
make_references(struct pool *pool, struct svc_error *error)
{
	const char *text;
	size_t i;

	for (i = 0; i < pool->count; i++) {
		size_t start = pool->references.length;

		pool->members[i].instance = &pool->instances[i];
		instance_print_reference(
		    &pool->instances[i], &pool->references);
		pool->members[i].reference_length =
		    pool->references.length - start;
	}
	if (buffer_failed(&pool->references))
		return no_memory(error);
	/* only when it has grown to its end does it stay where it is */
	text = pool->references.data;
	for (i = 0; i < pool->count; i++) {
		pool->members[i].reference = text;
		text += pool->members[i].reference_length;
	}
	return 0;
}

static void
find_services(struct pool *pool)
{
	struct service *service = NULL;
	size_t i;

	for (i = 0; i < pool->count; i++) {
		const char *name = pool->instances[i].service;

		if (service == NULL || strcmp(service->name, name) != 0) {
			service = &pool->services[pool->service_count++];
			service->name = name;
			service->first = (uint32_t)i;
		}
		service->count++;
	}
}

/* What the instance has of a capacity, 1 when it names none. */
static double
read_power(const struct instance *instance, const char *path)
{
	double number;

	return instance_number(instance, path, &number) == 1 ? number : 1;
}

static void
read_powers(struct pool *pool)
{
	size_t i;

	for (i = 0; i < pool->count; i++) {
		struct pool_member *member = &pool->members[i];

		member->slots = read_power(member->instance, "capacity.slots");
		member->speed = read_power(member->instance, "capacity.speed");
		pool->listing.filter.idle[i] =
		    !(member->slots > 0 && member->speed > 0);
	}
}

int
pool_open(struct pool **opened, const struct instance *instances, size_t count,
    struct svc_error *error)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	*opened = NULL;
	if (pool == NULL)
		return no_memory(error);
	pool->instances = instances;
	pool->count = count;
	subsets_init(&pool->subsets, &pool->listing.filter, count);
	unlisted_cache_init(&pool->unlisted, &pool->listing.filter);
	/* one more than needed: of no instances there is an array too */
	pool->members = calloc(count + 1, sizeof(*pool->members));
	pool->services = calloc(count + 1, sizeof(*pool->services));
	if (listing_init(&pool->listing, instances, count) == -1 ||
	    pool->members == NULL || pool->services == NULL) {
		pool_close(pool);
		return no_memory(error);
	}
	if (make_references(pool, error) == -1) {
		pool_close(pool);
		return -1;
	}
	read_powers(pool);
	find_services(pool);
	*opened = pool;
	return 0;
}

void
pool_close(struct pool *pool)
{
	if (pool == NULL)
		return;
	unlisted_cache_release(&pool->unlisted);
	subsets_release(&pool->subsets);
	listing_release(&pool->listing);
	free(pool->services);
	buffer_release(&pool->references);
	free(pool->members);
	free(pool);
}

void
pool_set_all(struct pool *pool, bool all)
{
	pool->listing.filter.all = all;
}

void
pool_exclude(struct pool *pool, uint32_t index, const char *field)
{
	pool->members[index].unweighed = field;
	pool->listing.filter.idle[index] = 1;
}

size_t
pool_count(const struct pool *pool)
{
	return pool->count;
}

const struct pool_member *
pool_member(const struct pool *pool, uint32_t index)
{
	return &pool->members[index];
}

size_t
pool_services(const struct pool *pool)
{
	return pool->service_count;
}

bool
pool_works(const struct pool *pool, uint32_t index)
{
	return filter_works(&pool->listing.filter, index);
}

/* The index of service, service_count when nobody belongs to it. */
static size_t
service_index(const struct pool *pool, const char *name)
{
	size_t low = 0, high = pool->service_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(pool->services[middle].name, name);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return pool->service_count;
}

void
pool_list_services(const struct pool *pool, struct buffer *out)
{
	size_t i;

	for (i = 0; i < pool->service_count && i < SERVICES_SHOWN; i++) {
		buffer_append_string(out, i > 0 ? ", " : "");
		buffer_append_string(out, pool->services[i].name);
	}
	if (pool->service_count > SERVICES_SHOWN)
		buffer_append_string(out, ", ...");
}

void
pool_range(const struct pool *pool, const char *service, uint32_t *first,
    size_t *count)
{
	size_t i;

	*first = 0;
	*count = pool->count;
	if (service == NULL || *service == '\0')
		return;
	i = service_index(pool, service);
	*first = i < pool->service_count ? pool->services[i].first : 0;
	*count = i < pool->service_count ? pool->services[i].count : 0;
}

const double *
pool_capacity(struct pool *pool, const char *name)
{
	return capacities_find(&pool->listing.filter.capacities, name);
}

bool
pool_names(const struct pool *pool, const char *name)
{
	return capacities_named(&pool->listing.filter.capacities, name);
}

int
pool_around(struct pool *pool, const char *name, double amount, double *below,
    double *above)
{
	return capacities_around(
	    &pool->listing.filter.capacities, name, amount, below, above);
}

static int
find_list(struct pool *pool, const char *name,
    const struct json_value *requires, bool labelled,
    const struct eligible **list, struct svc_error *error)
{
	struct listing_range range = {.service = ""};

	if (name != NULL && *name != '\0')
		range.topic = service_index(pool, name);
	else if (pool->service_count > 1)
		return svc_error_set(
		    error, EX_DATAERR, "several services, and none named");
	if (range.topic < pool->service_count) {
		const struct service *service = &pool->services[range.topic];

		range.service = service->name;
		range.first = service->first;
		range.count = service->count;
	}
	return listing_find(
	    &pool->listing, &range, requires, labelled, list, error);
}

int
pool_eligible(struct pool *pool, const char *service,
    const struct json_value *requires, const struct eligible **list,
    struct svc_error *error)
{
	return find_list(pool, service, requires, false, list, error);
}

int
pool_labelled(struct pool *pool, const char *service,
    const struct json_value *requires, const struct eligible **list,
    bool *mixed, struct svc_error *error)
{
	if (find_list(pool, service, requires, true, list, error) == -1)
		return -1;
	if (mixed != NULL)
		*mixed = (*list)->mixed;
	return 0;
}

int
pool_subset(struct pool *pool, const struct eligible *list,
    const unsigned char *keep, const struct eligible **subset,
    struct svc_error *error)
{
	return subsets_mark(&pool->subsets, list, keep, subset, error);
}

int
pool_keep(struct pool *pool, const struct eligible *list,
    const uint32_t *members, size_t count, const char *key, size_t length,
    const struct eligible **subset, struct svc_error *error)
{
	return subsets_keep(
	    &pool->subsets, list, members, count, key, length, subset, error);
}

uint64_t
pool_number(struct pool *pool)
{
	return ++pool->number;
}

int
pool_recall(struct pool *pool, const struct eligible *list, const char *key,
    size_t length, const struct eligible **subset)
{
	return subsets_recall(&pool->subsets, list, key, length, subset);
}

const struct unlisted *
pool_unlisted(
    struct pool *pool, const char *service, const struct demand *demand)
{
	uint32_t first;
	size_t count;

	pool_range(pool, service, &first, &count);
	return unlisted_find(&pool->unlisted, first, count, demand);
}
