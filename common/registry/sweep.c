#include "registry/sweep.h"

#include <stdio.h>
#include <string.h>

#include "registry/handle.h"

/* Looking at a record costs about 5 us: under 2 ms in all. */
#define SWEEP_SAMPLE 256

struct sweep {
	struct registry *registry;
	char keep[REGISTRY_KEY_SIZE]; /* "": none */
};

/* Most records have no lock, and are not worth parsing. */
static int
sweep_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	struct sweep *sweep = argument;
	struct instance instance;
	struct svc_error ignored;
	bool dead;

	(void)error;
	if (memmem(entry->value, entry->length, "lock", 4) == NULL ||
	    strcmp(entry->key, sweep->keep) == 0 || store_entry_held(entry) ||
	    instance_parse(&instance, entry->value, entry->length, &ignored) ==
		-1)
		return 0;
	dead = instance.lease == LEASE_LOCK;
	instance_release(&instance);
	if (dead)
		store_delete(sweep->registry->store, entry->key,
		    &entry->revision, true, &ignored);
	return 0;
}

void
registry_sweep(struct registry *registry, const char *service, const char *keep)
{
	struct sweep sweep = {.registry = registry};
	char directory[REGISTRY_KEY_SIZE];
	struct store_list list = {.directory = directory,
	    .suffix = ".json",
	    .limit = INSTANCE_RECORD_MAX,
	    .sample = SWEEP_SAMPLE,
	    .entry = sweep_entry,
	    .argument = &sweep};
	struct svc_error ignored;

	if (strcmp(registry->swept, service) == 0 ||
	    !store_is_local(registry->store))
		return;
	snprintf(registry->swept, sizeof(registry->swept), "%s", service);
	snprintf(directory, sizeof(directory), "services/%s", service);
	if (keep != NULL)
		snprintf(sweep.keep, sizeof(sweep.keep), "services/%s/%s.json",
		    service, keep);
	store_list(registry->store, &list, &ignored);
}
