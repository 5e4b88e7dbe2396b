#include "registry/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"
#include "registry/handle.h"
#include "registry/own_record.h"
#include "registry/record_put.h"
#include "registry/sweep.h"

struct registry_hold {
	struct registry *registry;
	struct store_hold *lock; /* NULL: a ttl instead */
	char key[REGISTRY_KEY_SIZE];
	struct buffer record; /* of a ttl: what is ours, less its load */
};

static int
check_lease(const struct instance *instance, struct svc_error *error)
{
	if (instance->lease != LEASE_LOCK)
		return 0;
	return svc_error_set(error, EX_DATAERR,
	    "instance '%s': a lock lease lives with a process: use "
	    "-- COMMAND, or \"lease\":\"ttl\"",
	    instance->id);
}

int
registry_register(struct registry *registry, struct registration *registration,
    struct svc_error *error)
{
	const struct instance *instance = registration->instance;
	struct record_put record;
	int status = -1;

	registration->replaced = false;
	registration->error.code = 0;
	if (check_lease(instance, &registration->error) == 0 &&
	    record_put_init(&record, instance, &registration->error) == 0) {
		registry_sweep(registry, instance->service, instance->id);
		status = store_put(
		    registry->store, &record.put, NULL, &registration->error);
		registration->replaced = record.put.replaced;
		if (status == -1)
			record_put_explain(registry, instance, record.key,
			    &registration->error);
		record_put_release(&record);
	}
	if (status == -1 && error != NULL)
		*error = registration->error;
	return status;
}

/* The store's part of a batch: those registrations that are good. */
static void
put_batch(struct registry *registry, struct registration *registrations,
    struct record_put *records, struct store_put *puts, size_t count)
{
	struct svc_error ignored;
	struct registration *one;
	size_t good = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		one = &registrations[i];
		one->replaced = false;
		one->error.code = 0;
		if (check_lease(one->instance, &one->error) == 0 &&
		    record_put_init(&records[i], one->instance, &one->error) ==
			0) {
			registry_sweep(registry, one->instance->service, NULL);
			puts[good++] = records[i].put;
		}
	}
	/* Each put tells of itself. */
	store_batch(registry->store, puts, good, &ignored);
	for (i = good = 0; i < count; i++) {
		one = &registrations[i];
		if (one->error.code != 0)
			continue;
		one->replaced = puts[good].replaced;
		one->error = puts[good++].error;
		if (one->error.code != 0)
			record_put_explain(registry, one->instance,
			    records[i].key, &one->error);
	}
}

int
registry_register_batch(struct registry *registry,
    struct registration *registrations, size_t count, struct svc_error *error)
{
	struct record_put *records = calloc(count, sizeof(*records));
	struct store_put *puts = calloc(count, sizeof(*puts));
	int status = 0;
	size_t i;

	if (count > 0 && (records == NULL || puts == NULL)) {
		status = svc_error_errno(error, "batch");
		for (i = 0; i < count; i++)
			svc_error_errno(&registrations[i].error, "batch");
		goto out;
	}
	put_batch(registry, registrations, records, puts, count);
	for (i = 0; i < count; i++) {
		record_put_release(&records[i]);
		if (registrations[i].error.code != 0 && status == 0) {
			status = -1;
			if (error != NULL)
				*error = registrations[i].error;
		}
	}
out:
	free(records);
	free(puts);
	return status;
}

/* The record without its lease, and open for more members. */
static int
append_unleased(const struct instance *instance, struct buffer *out,
    struct svc_error *error)
{
	struct json_document document = {0};
	const struct json_member *member;
	size_t i;

	if (json_scan(&document, instance->record.data, instance->record.length,
		error) == -1) {
		json_document_release(&document);
		return -1;
	}
	buffer_append_char(out, '{');
	for (i = 0; i < document.count; i++) {
		member = &document.members[i];
		if (json_name_is(member, "lease") ||
		    json_name_is(member, "ttl") || json_name_is(member, "boot"))
			continue;
		buffer_append_char(out, '"');
		buffer_append(out, member->name.data, member->name.length);
		buffer_append_string(out, "\":");
		buffer_append(
		    out, member->value.span.data, member->value.span.length);
		buffer_append_char(out, ',');
	}
	json_document_release(&document);
	return 0;
}

/* Gives the instance the lease that its place allows. */
static int
give_lease(struct registry *registry, struct registration *registration,
    struct svc_error *error)
{
	struct buffer record = BUFFER_INIT;
	struct instance leased;
	int status = -1;

	if (append_unleased(registration->instance, &record, error) == -1)
		goto out;
	if (store_is_local(registry->store)) {
		buffer_append_string(&record, "\"lease\":\"lock\"");
		if (registry->boot[0] != '\0')
			buffer_append_format(
			    &record, ",\"boot\":\"%s\"", registry->boot);
	} else {
		buffer_append_format(&record, "\"lease\":\"ttl\",\"ttl\":%g",
		    REGISTRY_REMOTE_TTL);
	}
	buffer_append_char(&record, '}');
	if (buffer_failed(&record)) {
		svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	if (instance_parse(&leased, record.data, record.length, error) == -1)
		goto out;
	instance_release(registration->instance);
	*registration->instance = leased;
	status = 0;
out:
	buffer_release(&record);
	return status;
}

static int
put_held(struct registry_hold *hold, struct record_put *record,
    struct svc_error *error)
{
	struct store *store = hold->registry->store;

	memcpy(hold->key, record->key, sizeof(hold->key));
	if (store_is_local(store)) {
		record->put.lease = STORE_LOCK;
		return store_put(store, &record->put, &hold->lock, error);
	}
	buffer_append(&hold->record, record->put.value, record->put.length - 1);
	if (buffer_failed(&hold->record))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return store_put(store, &record->put, NULL, error);
}

static void
hold_free(struct registry_hold *hold)
{
	buffer_release(&hold->record);
	free(hold);
}

int
registry_hold(struct registry *registry, struct registration *registration,
    struct registry_hold **result, struct svc_error *error)
{
	struct registry_hold *hold = calloc(1, sizeof(*hold));
	struct svc_error *why = &registration->error;
	struct instance *instance = registration->instance;
	struct record_put record;
	int status = -1;

	*result = NULL;
	registration->replaced = false;
	why->code = 0;
	if (hold == NULL) {
		svc_error_errno(why, "instance '%s'", instance->id);
	} else if (give_lease(registry, registration, why) == 0 &&
		   record_put_init(&record, instance, why) == 0) {
		hold->registry = registry;
		registry_sweep(registry, instance->service, instance->id);
		status = put_held(hold, &record, why);
		registration->replaced = record.put.replaced;
		if (status == -1)
			record_put_explain(registry, instance, record.key, why);
		record_put_release(&record);
	}
	if (status == 0) {
		*result = hold;
		return 0;
	}
	if (hold != NULL)
		hold_free(hold);
	if (error != NULL)
		*error = *why;
	return -1;
}

double
registry_hold_ttl(const struct registry_hold *hold)
{
	return hold->lock == NULL ? REGISTRY_REMOTE_TTL : 0;
}

/* Whether the record of a ttl is still the one that we wrote: 1 and its
 * revision, 0, -1. */
static int
still_ours(struct registry_hold *hold, struct store_revision *revision,
    struct svc_error *error)
{
	struct json_span record = {hold->record.data, hold->record.length};

	return own_record_stands(
	    hold->registry, hold->key, record, revision, error);
}

int
registry_hold_beat(struct registry_hold *hold, struct svc_error *error)
{
	struct store_revision revision;
	int status;

	if (hold->lock != NULL)
		return store_hold_valid(hold->lock, error);
	status = still_ours(hold, &revision, error);
	if (status != 1)
		return status;
	return store_touch(hold->registry->store, hold->key, error);
}

int
registry_hold_put(struct registry_hold *hold, const char *value, size_t length,
    struct svc_error *error)
{
	struct json_span record = {hold->record.data, hold->record.length};
	struct svc_error why;

	if (hold->lock == NULL)
		return own_record_replace(
		    hold->registry, hold->key, record, value, length, error);
	if (store_hold_put(hold->lock, value, length, &why) == 0)
		return 1;
	if (why.code == EX_TEMPFAIL)
		return 0;
	if (error != NULL)
		*error = why;
	return -1;
}

int
registry_hold_release(struct registry_hold *hold, struct svc_error *error)
{
	struct store_revision revision;
	int status;

	if (hold->lock != NULL) {
		status = store_release(hold->lock, error);
	} else {
		status = still_ours(hold, &revision, error);
		if (status == 1)
			status = store_delete(hold->registry->store, hold->key,
			    &revision, false, error);
	}
	hold_free(hold);
	return status == -1 ? -1 : 0;
}

void
registry_hold_abandon(struct registry_hold *hold)
{
	if (hold == NULL)
		return;
	store_hold_abandon(hold->lock);
	hold_free(hold);
}

int
registry_renew(struct registry *registry, const char *service, const char *id,
    struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];

	if (registry_key(key, service, id, ".json", error) == -1)
		return -1;
	return store_touch(registry->store, key, error);
}

int
registry_drain(struct registry *registry, const char *service, const char *id,
    bool drain, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE], marker[REGISTRY_KEY_SIZE];
	struct store_put put = {.key = marker,
	    .value = "",
	    .lease = STORE_DURABLE,
	    .if_absent = true};
	int found, status;

	if (registry_key(key, service, id, ".json", error) == -1 ||
	    registry_key(marker, service, id, ".drain", error) == -1)
		return -1;
	found = store_exists(registry->store, key, error);
	if (found == -1 || (found == 0 && drain))
		return found;
	if (!drain)
		status =
		    store_delete(registry->store, marker, NULL, false, error);
	else if ((status = store_exists(registry->store, marker, error)) == 0)
		status = store_put(registry->store, &put, NULL, error);
	return status == -1 ? -1 : found;
}
