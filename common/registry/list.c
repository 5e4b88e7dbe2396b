#include "registry/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/handle.h"
#include "registry/health.h"

/* The clock that stamps files may be a tick behind the one that is asked: a
 * lease lives this much longer, so that it never ends early. */
#define CLOCK_TICK 0.010

/* One service's listing on its way. */
struct scan {
	struct registry *registry;
	struct instance_list *list;
	const char *service;
	struct health health;
	int64_t now; /* ms since 1970 */
	char **drained; /* ids */
	size_t drained_count;
};

void
instance_list_release(struct instance_list *list)
{
	while (list->count > 0)
		instance_release(&list->items[--list->count]);
	free(list->items);
	list->items = NULL;
	list->capacity = 0;
}

struct instance *
instance_list_add(struct instance_list *list)
{
	struct instance *items;
	size_t capacity;

	if (list->count == list->capacity) {
		capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
		items = reallocarray(list->items, capacity, sizeof(*items));
		if (items == NULL)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	memset(&list->items[list->count], 0, sizeof(*items));
	return &list->items[list->count++];
}

/* Whether the lease, or the boot it was made in, is over. */
static bool
is_expired(const struct registry *registry, const struct instance *instance,
    const struct store_entry *entry)
{
	switch (instance->lease) {
	case LEASE_TTL:
		return instance->age > instance->ttl + CLOCK_TICK;
	case LEASE_LOCK:
		if (instance->boot != NULL && registry->boot[0] != '\0' &&
		    strcmp(instance->boot, registry->boot) != 0)
			return true;
		return !store_entry_held(entry);
	case LEASE_NONE:
		break;
	}
	return false;
}

/* What the record says of itself is nothing; what was observed counts. */
static int
observe(struct scan *scan, const struct store_entry *entry,
    struct instance *instance, struct svc_error *error)
{
	const char *reason;
	const char *owner = registry_owner_name(scan->registry, entry->owner);
	double age = (double)(scan->now - entry->heartbeat) / 1000;

	instance->status = STATUS_PASSING;
	if (!instance->pinned)
		instance->utilization = 0;
	instance->latency_ms = -1;
	instance->checked = 0;
	instance->draining = false;
	instance->age = age < 0 ? 0 : age;
	health_apply(&scan->health, entry->owner, instance, &reason);
	if (is_expired(scan->registry, instance, entry))
		instance->status = STATUS_EXPIRED;
	if (owner == NULL || instance_observe(instance, owner, reason) == -1)
		return svc_error_errno(error, "%s", entry->key);
	return 0;
}

/*
 * Parses an entry into instance: 1; 0: skipped with a warning; -1.
 */
static int
read_entry(struct scan *scan, const struct store_entry *entry,
    struct instance *instance, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];
	struct svc_error why;
	char message[512];

	if (instance_parse(instance, entry->value, entry->length, &why) == -1) {
		registry_warn(scan->registry, entry->key, why.message);
		return 0;
	}
	snprintf(key, sizeof(key), "services/%s/%s.json", instance->service,
	    instance->id);
	if (strcmp(key, entry->key) != 0) {
		snprintf(message, sizeof(message),
		    "the record is of '%s' of '%s'", instance->id,
		    instance->service);
		registry_warn(scan->registry, entry->key, message);
		instance_release(instance);
		return 0;
	}
	if (observe(scan, entry, instance, error) == 0)
		return 1;
	instance_release(instance);
	return -1;
}

static int
add_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	struct scan *scan = argument;
	struct instance *instance = instance_list_add(scan->list);
	int status;

	if (instance == NULL)
		return svc_error_errno(error, "%s", entry->key);
	status = read_entry(scan, entry, instance, error);
	if (status != 1)
		scan->list->count--;
	return status == -1 ? -1 : 0;
}

static void
skip_entry(void *argument, const char *key, const char *why)
{
	struct scan *scan = argument;

	registry_warn(scan->registry, key, why);
}

static int
add_drained(void *argument, const char *key, struct svc_error *error)
{
	struct scan *scan = argument;
	const char *id = strrchr(key, '/') + 1;
	char **drained;

	drained = reallocarray(
	    scan->drained, scan->drained_count + 1, sizeof(*scan->drained));
	if (drained == NULL)
		return svc_error_errno(error, "%s", key);
	scan->drained = drained;
	drained[scan->drained_count] =
	    strndup(id, strlen(id) - strlen(".drain"));
	if (drained[scan->drained_count] == NULL)
		return svc_error_errno(error, "%s", key);
	scan->drained_count++;
	return 0;
}

static void
set_draining(struct instance *instance)
{
	instance->draining = true;
	if (instance->status != STATUS_EXPIRED)
		instance->status = STATUS_DRAINING;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(
	    ((const struct instance *)a)->id, ((const struct instance *)b)->id);
}

/* A name may be read twice from a directory that changes: once is enough. */
static void
drop_doubles(struct instance_list *list, size_t first)
{
	size_t kept = first;
	size_t i;

	for (i = first; i < list->count; i++) {
		if (kept > first &&
		    compare_ids(&list->items[kept - 1], &list->items[i]) == 0)
			instance_release(&list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static void
finish_scan(struct scan *scan, size_t first)
{
	struct instance_list *list = scan->list;
	struct instance wanted = {0};
	struct instance *instance;
	size_t i;

	if (list->count == first)
		return;
	qsort(&list->items[first], list->count - first, sizeof(*list->items),
	    compare_ids);
	drop_doubles(list, first);
	for (i = 0; i < scan->drained_count; i++) {
		wanted.id = scan->drained[i];
		instance = bsearch(&wanted, &list->items[first],
		    list->count - first, sizeof(*list->items), compare_ids);
		if (instance != NULL)
			set_draining(instance);
	}
	if (scan->health.fresh &&
	    (list->health_ends <= 0 || scan->health.ends < list->health_ends))
		list->health_ends = scan->health.ends;
}

static int
list_service(struct registry *registry, const char *service,
    struct instance_list *list, struct svc_error *error)
{
	struct scan scan = {
	    .registry = registry, .list = list, .service = service};
	char directory[REGISTRY_KEY_SIZE];
	struct store_list request = {.directory = directory,
	    .suffix = ".json",
	    .limit = INSTANCE_RECORD_MAX,
	    .entry = add_entry,
	    .mark_suffix = ".drain",
	    .mark = add_drained,
	    .skip = skip_entry,
	    .argument = &scan};
	size_t first = list->count;
	int status;

	snprintf(directory, sizeof(directory), "services/%s", service);
	if (health_read(&scan.health, registry, service, error) == -1)
		return -1;
	scan.now = time_now();
	status = store_list(registry->store, &request, error);
	if (status == 0)
		finish_scan(&scan, first);
	while (scan.drained_count > 0)
		free(scan.drained[--scan.drained_count]);
	free(scan.drained);
	health_release(&scan.health);
	return status;
}

int
registry_list(struct registry *registry, const char *service,
    struct instance_list *list, struct svc_error *error)
{
	char **names;
	size_t count, i;
	int status = 0;

	if (service != NULL) {
		if (name_check("service", service, error) == -1)
			return -1;
		return list_service(registry, service, list, error);
	}
	if (registry_services(registry, &names, &count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (status == 0)
			status = list_service(registry, names[i], list, error);
		free(names[i]);
	}
	free(names);
	return status;
}

int
registry_get(struct registry *registry, const char *service, const char *id,
    struct instance *instance, struct svc_error *error)
{
	struct scan scan = {.registry = registry, .service = service};
	char key[REGISTRY_KEY_SIZE], marker[REGISTRY_KEY_SIZE];
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	int status;

	if (registry_key(key, service, id, ".json", error) == -1 ||
	    registry_key(marker, service, id, ".drain", error) == -1 ||
	    health_read(&scan.health, registry, service, error) == -1)
		return -1;
	scan.now = time_now();
	status = store_get(
	    registry->store, key, INSTANCE_RECORD_MAX, &scratch, &entry, error);
	if (status == 1)
		status = read_entry(&scan, &entry, instance, error);
	if (status == 1) {
		status = store_exists(registry->store, marker, error);
		if (status == 1)
			set_draining(instance);
		if (status == -1)
			instance_release(instance);
		else
			status = 1;
	}
	health_release(&scan.health);
	buffer_release(&scratch);
	return status;
}

double
instance_list_next_expiry(const struct instance_list *list)
{
	double next = list->health_ends > 0 ? list->health_ends : -1;
	const struct instance *instance;
	double left;
	size_t i;

	for (i = 0; i < list->count; i++) {
		instance = &list->items[i];
		if (instance->lease != LEASE_TTL ||
		    instance->status == STATUS_EXPIRED)
			continue;
		/* Ages are whole milliseconds: the next one is past it. */
		left = instance->ttl - instance->age + CLOCK_TICK + 0.001;
		if (left < 0)
			left = 0;
		if (next < 0 || left < next)
			next = left;
	}
	return next;
}

/* "2 expired (4m)": the least age of the expired, else the first reason. */
static void
append_status(const struct instance_list *list, const char *service,
    enum instance_status status, const char *separator, struct buffer *out)
{
	const struct instance *instance;
	const char *reason = NULL;
	double age = -1;
	size_t count = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		instance = &list->items[i];
		if (instance->status != status ||
		    strcmp(instance->service, service) != 0)
			continue;
		count++;
		if (reason == NULL)
			reason = instance->reason;
		if (age < 0 || instance->age < age)
			age = instance->age;
	}
	buffer_append_format(
	    out, "%s%zu %s", separator, count, status_name(status));
	if (status == STATUS_EXPIRED && age >= 0) {
		buffer_append_string(out, " (");
		duration_append(out, age);
		buffer_append_char(out, ')');
	} else if (reason != NULL) {
		buffer_append_format(out, " (%s)", reason);
	}
}

void
instance_list_why(
    const struct instance_list *list, const char *service, struct buffer *out)
{
	static const enum instance_status order[] = {STATUS_EXPIRED,
	    STATUS_DRAINING, STATUS_CRITICAL, STATUS_UNKNOWN, STATUS_WARNING,
	    STATUS_PASSING};
	size_t counts[STATUS_COUNT] = {0};
	const char *separator = " ";
	size_t total = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].service, service) != 0)
			continue;
		counts[list->items[i].status]++;
		total++;
	}
	if (total == 0) {
		buffer_append_format(out, "%s: no instances", service);
		return;
	}
	buffer_append_format(out, "%s: %zu %s, none available:", service, total,
	    total == 1 ? "instance" : "instances");
	for (i = 0; i < STATUS_COUNT; i++) {
		if (counts[order[i]] == 0)
			continue;
		append_status(list, service, order[i], separator, out);
		separator = ", ";
	}
}
