#include "registry/removal.h"

#include <stdbool.h>
#include <stdio.h>

#include "registry/handle.h"

/*
 * The marker goes also where the record has gone before it, so that it does not
 * drain a later instance of that id; but a record that is not the one that was
 * meant keeps its own.
 */
static int
remove_one(struct registry *registry, const char *service,
    const struct removal *removal, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE], marker[REGISTRY_KEY_SIZE];
	int found;

	if (registry_key(key, service, removal->id, ".json", error) == -1 ||
	    registry_key(marker, service, removal->id, ".drain", error) == -1)
		return -1;
	found = store_delete(
	    registry->store, key, removal->if_revision, false, error);
	if (found == -1 || (found == 0 && removal->if_revision != NULL))
		return found;
	if (store_delete(registry->store, marker, NULL, false, error) == -1)
		return -1;
	return found;
}

void
registry_remove_batch(struct registry *registry, const char *service,
    struct removal *removals, size_t count)
{
	char directory[REGISTRY_KEY_SIZE];
	struct svc_error error;
	bool removed = false;
	size_t i;

	for (i = 0; i < count; i++) {
		removals[i].result = remove_one(
		    registry, service, &removals[i], &removals[i].error);
		removed |= removals[i].result == 1;
	}
	if (!removed)
		return;
	snprintf(directory, sizeof(directory), "services/%s", service);
	if (store_sync(registry->store, directory, &error) != -1)
		return;
	for (i = 0; i < count; i++) {
		if (removals[i].result != 1)
			continue;
		removals[i].result = -1;
		removals[i].error = error;
	}
}

int
registry_remove(struct registry *registry, const char *service, const char *id,
    struct svc_error *error)
{
	struct removal removal = {.id = id};

	registry_remove_batch(registry, service, &removal, 1);
	if (removal.result == -1 && error != NULL)
		*error = removal.error;
	return removal.result;
}
