#include "registry/record_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int
record_put_init(struct record_put *record, const struct instance *instance,
    struct svc_error *error)
{
	size_t length = instance->record.length;

	memset(record, 0, sizeof(*record));
	if (length >= INSTANCE_RECORD_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "instance '%s': the record has %zu bytes, more than %lu",
		    instance->id, length, INSTANCE_RECORD_MAX - 1);
	if (registry_key(record->key, instance->service, instance->id, ".json",
		error) == -1)
		return -1;
	record->value = malloc(length + 1);
	if (record->value == NULL)
		return svc_error_errno(error, "instance '%s'", instance->id);
	memcpy(record->value, instance->record.data, length);
	record->value[length] = '\n';
	record->owner = geteuid();
	record->put.key = record->key;
	record->put.value = record->value;
	record->put.length = length + 1;
	record->put.if_owner = &record->owner;
	record->put.lease =
	    instance->lease == LEASE_TTL ? STORE_SOFT : STORE_DURABLE;
	return 0;
}

void
record_put_release(struct record_put *record)
{
	free(record->value);
}

/* Who is in the way of a put that failed: 1 when the message says so. */
static int
explain_entry(struct registry *registry, const struct instance *instance,
    const char *key, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	const char *owner;
	int said = 0;

	if (store_get(registry->store, key, INSTANCE_RECORD_MAX, &scratch,
		&entry, NULL) == 1) {
		owner = registry_owner_name(registry, entry.owner);
		said = 1;
		if (error->code == EX_TEMPFAIL && entry.held)
			svc_error_set(error, EX_TEMPFAIL,
			    "instance '%s' of '%s' is held by a living process",
			    instance->id, instance->service);
		else if (error->code == EX_NOPERM && entry.owner != geteuid())
			svc_error_set(error, EX_NOPERM,
			    "instance '%s' of '%s' belongs to %s", instance->id,
			    instance->service, owner == NULL ? "?" : owner);
		else
			said = 0;
	}
	buffer_release(&scratch);
	return said;
}

void
record_put_explain(struct registry *registry, const struct instance *instance,
    const char *key, struct svc_error *error)
{
	char directory[REGISTRY_KEY_SIZE];
	struct svc_error ignored;
	uid_t owner;

	if (error == NULL ||
	    (error->code != EX_TEMPFAIL && error->code != EX_NOPERM) ||
	    explain_entry(registry, instance, key, error))
		return;
	snprintf(
	    directory, sizeof(directory), "services/%s", instance->service);
	if (error->code == EX_NOPERM && store_directory_owner(registry->store,
					    directory, &owner, &ignored) == 0)
		svc_error_set(error, EX_NOPERM,
		    "no service '%s' in %s, where root makes them: "
		    "svc-register --create %s --owner USER",
		    instance->service, registry->place, instance->service);
}
