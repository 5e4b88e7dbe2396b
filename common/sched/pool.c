#include "sched/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "sched/capacity.h"
#include "sched/selector_cache.h"

/* How many different requirements are remembered, and bytes of them. */
#define ENTRIES_MAX 1024
#define BYTES_MAX   (1UL << 20)
#define TABLE_SIZE  (2 * ENTRIES_MAX)

#define SERVICES_SHOWN 5

struct service {
	const char *name;
	uint32_t first;
	size_t count;
};

/* What was worked out for the bytes of one "requires" of one service. */
struct entry {
	uint64_t hash;
	size_t service;
	struct demand demand;
	struct eligible eligible;
	size_t length;
	char bytes[];
};

struct pool {
	const struct instance *instances;
	struct pool_member *members;
	size_t count;
	bool all;
	struct buffer references;
	struct service *services;
	size_t service_count;
	struct capacities capacities;
	struct selector_cache selections;
	uint32_t *fitting; /* scratch of pool_eligible(); count members */
	struct member_sets sets;
	struct entry *entries[TABLE_SIZE]; /* by hash, open addressing */
	size_t entry_count;
	size_t entry_bytes;
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

int
pool_open(struct pool **opened, const struct instance *instances, size_t count,
    struct svc_error *error)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	*opened = NULL;
	if (pool == NULL)
		return no_memory(error);
	pool->instances = pool->selections.instances = instances;
	pool->count = pool->selections.instance_count = count;
	/* one more than needed: of no instances there is an array too */
	pool->members = calloc(count + 1, sizeof(*pool->members));
	pool->services = calloc(count + 1, sizeof(*pool->services));
	pool->fitting = calloc(count + 1, sizeof(*pool->fitting));
	if (capacities_init(&pool->capacities, instances, count) == -1 ||
	    pool->members == NULL || pool->services == NULL ||
	    pool->fitting == NULL) {
		pool_close(pool);
		return no_memory(error);
	}
	if (make_references(pool, error) == -1) {
		pool_close(pool);
		return -1;
	}
	find_services(pool);
	*opened = pool;
	return 0;
}

static void
forget_entries(struct pool *pool)
{
	size_t i;

	for (i = 0; i < TABLE_SIZE; i++) {
		if (pool->entries[i] == NULL)
			continue;
		demand_release(&pool->entries[i]->demand);
		free(pool->entries[i]);
		pool->entries[i] = NULL;
	}
	pool->entry_count = 0;
	pool->entry_bytes = 0;
}

void
pool_close(struct pool *pool)
{
	if (pool == NULL)
		return;
	forget_entries(pool);
	member_sets_clear(&pool->sets);
	selector_cache_release(&pool->selections);
	capacities_release(&pool->capacities);
	free(pool->fitting);
	free(pool->services);
	buffer_release(&pool->references);
	free(pool->members);
	free(pool);
}

void
pool_set_all(struct pool *pool, bool all)
{
	pool->all = all;
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
	return pool->all || instance_works(&pool->instances[index]);
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
	return capacities_find(&pool->capacities, name);
}

/* Drops from fitting (count of them) who has less than number asks for. */
static int
keep_larger(struct pool *pool, const struct demand_number *number,
    size_t *count, struct svc_error *error)
{
	const double *values = pool_capacity(pool, number->name);
	size_t i, kept = 0;

	if (values == NULL)
		return no_memory(error);
	for (i = 0; i < *count; i++)
		if (values[pool->fitting[i]] >= number->amount)
			pool->fitting[kept++] = pool->fitting[i];
	*count = kept;
	return 0;
}

/* Whether somebody passes, and no panic makes all of them alike. */
static bool
passing_counts(const struct pool *pool, size_t count)
{
	const struct instance *instance;
	bool passing = false;
	size_t i;

	for (i = 0; i < count; i++) {
		instance = &pool->instances[pool->fitting[i]];
		if (instance->panic)
			return false;
		passing = passing || instance->status == STATUS_PASSING;
	}
	return passing;
}

/* Fills fitting with who works and has the labels that demand asks for. */
static int
keep_labelled(struct pool *pool, const struct service *service,
    const struct demand *demand, size_t *count, struct svc_error *error)
{
	const unsigned char *matches = NULL;
	size_t i, kept = 0;

	if (demand->labels != NULL) {
		matches = selector_cache_find(
		    &pool->selections, demand->labels, demand->selector);
		if (matches == NULL)
			return no_memory(error);
	}
	for (i = service->first; i < service->first + service->count; i++)
		if (pool_works(pool, (uint32_t)i) &&
		    (matches == NULL || matches[i]))
			pool->fitting[kept++] = (uint32_t)i;
	*count = kept;
	return 0;
}

/* Where somebody passes, drops from fitting who does not. */
static void
keep_passing(struct pool *pool, size_t *count)
{
	size_t i, kept = 0;

	if (pool->all || !passing_counts(pool, *count))
		return;
	for (i = 0; i < *count; i++)
		if (pool->instances[pool->fitting[i]].status == STATUS_PASSING)
			pool->fitting[kept++] = pool->fitting[i];
	*count = kept;
}

/* Fills fitting with who may do what demand says. */
static int
fit(struct pool *pool, size_t service, const struct demand *demand,
    size_t *count, struct svc_error *error)
{
	size_t i;

	*count = 0;
	if (service == pool->service_count)
		return 0;
	if (keep_labelled(
		pool, &pool->services[service], demand, count, error) == -1)
		return -1;
	for (i = 0; i < demand->count; i++)
		if (keep_larger(pool, &demand->numbers[i], count, error) == -1)
			return -1;
	keep_passing(pool, count);
	return 0;
}

static int
resolve(struct pool *pool, struct entry *entry, struct svc_error *error)
{
	const struct member_set *set = NULL;
	struct eligible *eligible = &entry->eligible;
	size_t count;
	int found;

	if (fit(pool, entry->service, &entry->demand, &count, error) == -1)
		return -1;
	found =
	    member_sets_find(&pool->sets, pool->fitting, count, &set, error);
	if (found == 0) {
		forget_entries(pool);
		member_sets_clear(&pool->sets);
		found = member_sets_find(
		    &pool->sets, pool->fitting, count, &set, error);
	}
	if (found == -1)
		return -1;
	eligible->members = set->members;
	eligible->count = set->count;
	eligible->serial = set->serial;
	eligible->slot = set->slot;
	eligible->demand = &entry->demand;
	eligible->service = entry->service < pool->service_count
				? pool->services[entry->service].name
				: "";
	return 0;
}

static struct entry *
entry_new(struct pool *pool, size_t service, const struct json_value *requires,
    struct svc_error *error)
{
	size_t length = requires == NULL || requires->span.data == NULL
			    ? 0
			    : requires->span.length;
	struct entry *entry = calloc(1, sizeof(*entry) + length);

	if (entry == NULL) {
		no_memory(error);
		return NULL;
	}
	entry->service = service;
	entry->length = length;
	if (length > 0)
		memcpy(entry->bytes, requires->span.data, length);
	if (demand_parse(&entry->demand, requires, error) == -1 ||
	    resolve(pool, entry, error) == -1) {
		demand_release(&entry->demand);
		free(entry);
		return NULL;
	}
	return entry;
}

/* FNV-1a */
static uint64_t
hash_bytes(size_t service, const char *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325 + service;
	size_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash;
}

/* Where the entry is, or belongs. */
static struct entry **
find_entry(struct pool *pool, uint64_t hash, size_t service, const char *bytes,
    size_t length)
{
	size_t i = hash % TABLE_SIZE;

	for (; pool->entries[i] != NULL; i = (i + 1) % TABLE_SIZE) {
		const struct entry *entry = pool->entries[i];

		if (entry->hash == hash && entry->service == service &&
		    entry->length == length &&
		    (length == 0 || memcmp(entry->bytes, bytes, length) == 0))
			break;
	}
	return &pool->entries[i];
}

int
pool_eligible(struct pool *pool, const char *service,
    const struct json_value *requires, const struct eligible **list,
    struct svc_error *error)
{
	const char *bytes = requires == NULL ? NULL : requires->span.data;
	size_t length = bytes == NULL ? 0 : requires->span.length;
	struct entry *entry, **place;
	size_t index = 0;
	uint64_t hash;

	if (service != NULL && *service != '\0')
		index = service_index(pool, service);
	else if (pool->service_count > 1)
		return svc_error_set(
		    error, EX_DATAERR, "several services, and none named");
	hash = hash_bytes(index, bytes, length);
	place = find_entry(pool, hash, index, bytes, length);
	if (*place == NULL) {
		if (pool->entry_count == ENTRIES_MAX ||
		    pool->entry_bytes > BYTES_MAX)
			forget_entries(pool);
		entry = entry_new(pool, index, requires, error);
		if (entry == NULL)
			return -1;
		entry->hash = hash;
		/* the table may have been emptied meanwhile */
		place = find_entry(pool, hash, index, bytes, length);
		*place = entry;
		pool->entry_count++;
		pool->entry_bytes += length;
	}
	*list = &(*place)->eligible;
	return 0;
}
