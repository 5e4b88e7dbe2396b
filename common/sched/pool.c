#include "sched/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "sched/listing.h"

#define SERVICES_SHOWN 5

/* Subsets that are valid at the same time. */
#define SUBSETS 4

struct service {
	const char *name;
	uint32_t first;
	size_t count;
};

/* A list as pool_subset() hands it out. */
struct subset {
	struct eligible list;
	uint32_t *members; /* room for all of the pool; NULL: never needed */
};

struct pool {
	const struct instance *instances;
	struct pool_member *members;
	size_t count;
	struct buffer references;
	struct service *services;
	size_t service_count;
	struct listing listing;
	struct member_sets subset_sets; /* their serials and slots */
	struct subset subsets[SUBSETS];
	size_t subset; /* the next one */
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
	/* as far from those of other lists as there will be any */
	pool->subset_sets.serial = UINT64_MAX / 2;
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
	size_t i;

	if (pool == NULL)
		return;
	member_sets_clear(&pool->subset_sets);
	for (i = 0; i < SUBSETS; i++)
		free(pool->subsets[i].members);
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

/* Where the next subset goes; NULL: no memory. */
static struct subset *
next_subset(struct pool *pool)
{
	struct subset *subset = &pool->subsets[pool->subset];

	if (subset->members == NULL)
		subset->members =
		    calloc(pool->count + 1, sizeof(*subset->members));
	if (subset->members == NULL)
		return NULL;
	pool->subset = (pool->subset + 1) % SUBSETS;
	return subset;
}

/* Its set gives the list a serial and a slot; the members stay its own. */
static int
name_subset(struct pool *pool, struct eligible *list, struct svc_error *error)
{
	const struct member_set *set = NULL;
	int found = 0;

	while (found == 0) {
		found = member_sets_find(&pool->subset_sets, list->members,
		    list->count, &set, error);
		if (found == 0)
			member_sets_clear(&pool->subset_sets);
	}
	if (found == -1)
		return -1;
	list->serial = set->serial;
	list->slot = SETS_MAX + set->slot;
	return 0;
}

int
pool_subset(struct pool *pool, const struct eligible *list,
    const unsigned char *keep, const struct eligible **made,
    struct svc_error *error)
{
	struct subset *subset = next_subset(pool);
	size_t i, kept = 0;

	if (subset == NULL)
		return no_memory(error);
	for (i = 0; i < list->count; i++) {
		subset->members[kept] = list->members[i];
		kept += keep[i] != 0;
	}
	*made = list;
	if (kept == list->count)
		return 0;
	subset->list = *list;
	subset->list.members = subset->members;
	subset->list.count = kept;
	subset->list.mixed = list->mixed && filter_mixed(&pool->listing.filter,
						subset->members, kept);
	*made = &subset->list;
	return name_subset(pool, &subset->list, error);
}
