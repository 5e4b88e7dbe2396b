#include "registry/own_record.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/instance.h"
#include "registry/handle.h"

/* How often a record is replaced that gets a heartbeat meanwhile. */
#define REPLACE_TRIES 3

/* Whether the entry is the record, whatever load it carries: 1, 0, -1. */
static int
is_record(const struct store_entry *entry, struct json_span record,
    struct svc_error *error)
{
	struct instance instance;
	struct svc_error why;
	int same;

	if (entry->owner != geteuid())
		return 0;
	if (instance_parse(&instance, entry->value, entry->length, &why) ==
	    -1) {
		if (why.code == EX_DATAERR)
			return 0;
		return svc_error_set(
		    error, why.code, "%s: %s", entry->key, why.message);
	}
	same = instance.record.length == record.length &&
	       memcmp(instance.record.data, record.data, record.length) == 0;
	instance_release(&instance);
	return same;
}

int
own_record_stands(struct registry *registry, const char *key,
    struct json_span record, struct store_revision *revision,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	int status;

	status = store_get(
	    registry->store, key, INSTANCE_RECORD_MAX, &scratch, &entry, error);
	if (status == 1) {
		*revision = entry.revision;
		status = is_record(&entry, record, error);
	}
	buffer_release(&scratch);
	return status;
}

int
own_record_replace(struct registry *registry, const char *key,
    struct json_span record, const char *value, size_t length,
    struct svc_error *error)
{
	struct store_revision revision;
	uid_t owner = geteuid();
	struct store_put put = {.key = key,
	    .value = value,
	    .length = length,
	    .lease = STORE_SOFT,
	    .if_revision = &revision,
	    .if_owner = &owner};
	struct svc_error why;
	int status = 1, tries = 0;

	/* A heartbeat that somebody sends in between is a revision, too. */
	do {
		status =
		    own_record_stands(registry, key, record, &revision, &why);
		if (status == 1 &&
		    store_put(registry->store, &put, NULL, &why) == -1)
			status = -1;
	} while (
	    status == -1 && why.code == EX_TEMPFAIL && ++tries < REPLACE_TRIES);
	if (status == -1 && error != NULL)
		*error = why;
	return status;
}
