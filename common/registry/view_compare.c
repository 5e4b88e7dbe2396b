#include "registry/view_compare.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"
#include "registry/observe.h"

/* One comparison on its way. */
struct comparison {
	const struct view_service *service;
	struct registry *registry;
	size_t seen; /* of the instances in memory */
	size_t drained; /* the same */
	bool differs;
};

/* The instance that a key leads to, "services/NAME/ID" and suffix, or NULL. */
static const struct instance *
find(const struct comparison *comparison, const char *key, const char *suffix)
{
	const char *leaf = strrchr(key, '/') + 1;
	size_t length = strlen(leaf) - strlen(suffix);
	char id[NAME_MAX_LENGTH + 1];

	if (length > NAME_MAX_LENGTH)
		return NULL;
	memcpy(id, leaf, length);
	id[length] = '\0';
	return view_service_find(comparison->service, id);
}

static bool
is_known(const struct instance *instance, const struct store_entry *entry)
{
	return instance != NULL && instance->owner_id == entry->owner &&
	       instance->heartbeat == entry->heartbeat &&
	       memcmp(instance->revision, entry->revision.part,
		   sizeof(instance->revision)) == 0;
}

static bool
look(void *argument, const struct store_entry *entry)
{
	struct comparison *comparison = argument;
	const struct instance *instance = find(comparison, entry->key, ".json");

	/* To ask for its lock it must be open. */
	if (!is_known(instance, entry) || instance->lease == LEASE_LOCK)
		return true;
	comparison->seen++;
	return false;
}

static int
compare_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	struct comparison *comparison = argument;
	const struct instance *known = find(comparison, entry->key, ".json");
	struct instance found;
	int status;

	if (is_known(known, entry)) {
		comparison->seen++;
		comparison->differs = comparison->differs ||
				      known->held != store_entry_held(entry);
		return 0;
	}
	/* It may be no instance at all. */
	status = observe_entry(comparison->registry, entry, &found, error);
	if (status != 1)
		return status;
	instance_release(&found);
	comparison->differs = true;
	return 0;
}

static int
compare_mark(void *argument, const char *key, struct svc_error *error)
{
	struct comparison *comparison = argument;
	const struct instance *instance = find(comparison, key, ".drain");

	(void)error;
	if (instance != NULL && instance->draining)
		comparison->drained++;
	else if (instance != NULL)
		comparison->differs = true;
	return 0;
}

static void
skip(void *argument, const char *key, const char *why)
{
	struct comparison *comparison = argument;

	registry_warn(comparison->registry, key, why);
}

static size_t
count_drained(const struct instance_list *list)
{
	size_t count = 0, i;

	for (i = 0; i < list->count; i++)
		count += list->items[i].draining;
	return count;
}

int
view_compare(const struct view_service *service, struct registry *registry,
    struct svc_error *error)
{
	struct comparison comparison = {
	    .service = service, .registry = registry};
	char directory[REGISTRY_KEY_SIZE];
	struct store_list request = {.directory = directory,
	    .suffix = ".json",
	    .limit = INSTANCE_RECORD_MAX,
	    .look = look,
	    .entry = compare_entry,
	    .mark_suffix = ".drain",
	    .mark = compare_mark,
	    .skip = skip,
	    .argument = &comparison};
	int same =
	    health_file_same(&service->health, registry, service->name, error);

	if (same != 1)
		return same == -1 ? -1 : 1;
	snprintf(directory, sizeof(directory), "services/%s", service->name);
	/* What nobody may look into, or is no directory, is empty to us. */
	if (store_list(registry->store, &request, error) == -1 &&
	    error->code != EX_DATAERR && error->code != EX_NOPERM)
		return -1;
	return comparison.differs || comparison.seen != service->list.count ||
	       comparison.drained != count_drained(&service->list);
}
