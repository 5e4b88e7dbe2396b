#include "registry/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/handle.h"
#include "registry/observe.h"

/* One service's listing on its way. */
struct scan {
	struct registry *registry;
	struct instance_list *list;
	char **drained; /* ids */
	size_t drained_count;
	size_t drained_capacity;
};

static int
add_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	struct scan *scan = argument;
	struct instance *instance = instance_list_add(scan->list);
	int status;

	if (instance == NULL)
		return svc_error_errno(error, "%s", entry->key);
	status = observe_entry(scan->registry, entry, instance, error);
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
	size_t capacity;
	char **drained;

	if (scan->drained_count == scan->drained_capacity) {
		capacity = scan->drained_capacity == 0
			       ? 8
			       : 2 * scan->drained_capacity;
		drained =
		    reallocarray(scan->drained, capacity, sizeof(*drained));
		if (drained == NULL)
			return svc_error_errno(error, "%s", key);
		scan->drained = drained;
		scan->drained_capacity = capacity;
	}
	drained = &scan->drained[scan->drained_count];
	*drained = strndup(id, strlen(id) - strlen(".drain"));
	if (*drained == NULL)
		return svc_error_errno(error, "%s", key);
	scan->drained_count++;
	return 0;
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

static int
finish_scan(struct scan *scan, const struct health *health, int64_t now,
    size_t first, struct svc_error *error)
{
	struct instance_list *list = scan->list;
	struct instance wanted = {0};
	struct instance *instance;
	size_t i;

	if (list->count == first)
		return 0;
	qsort(&list->items[first], list->count - first, sizeof(*list->items),
	    compare_ids);
	drop_doubles(list, first);
	for (i = 0; i < scan->drained_count; i++) {
		wanted.id = scan->drained[i];
		instance = bsearch(&wanted, &list->items[first],
		    list->count - first, sizeof(*list->items), compare_ids);
		if (instance != NULL)
			instance->draining = true;
	}
	for (i = first; i < list->count; i++)
		if (observe_instance(scan->registry, health, now,
			&list->items[i], error) == -1)
			return -1;
	return 0;
}

int
scan_service(struct registry *registry, const char *service,
    const struct health *health, struct instance_list *list,
    struct svc_error *error)
{
	struct scan scan = {.registry = registry, .list = list};
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
	/* What is renewed while this runs has not expired. */
	int64_t now = time_now();
	int status;

	snprintf(directory, sizeof(directory), "services/%s", service);
	status = store_list(registry->store, &request, error);
	if (status == 0)
		status = finish_scan(&scan, health, now, first, error);
	while (scan.drained_count > 0)
		free(scan.drained[--scan.drained_count]);
	free(scan.drained);
	return status;
}

int
scan_instance(struct registry *registry, const char *service, const char *id,
    const struct health *health, struct instance *instance,
    struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE], marker[REGISTRY_KEY_SIZE];
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	int64_t now = time_now();
	int drained, status;

	if (registry_key(key, service, id, ".json", error) == -1 ||
	    registry_key(marker, service, id, ".drain", error) == -1)
		return -1;
	status = store_get(
	    registry->store, key, INSTANCE_RECORD_MAX, &scratch, &entry, error);
	if (status == 1)
		status = observe_entry(registry, &entry, instance, error);
	buffer_release(&scratch);
	if (status != 1)
		return status;
	drained = store_exists(registry->store, marker, error);
	instance->draining = drained == 1;
	if (drained != -1 &&
	    observe_instance(registry, health, now, instance, error) == 0)
		return 1;
	instance_release(instance);
	return -1;
}
