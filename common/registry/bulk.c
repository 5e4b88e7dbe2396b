#include "registry/bulk.h"

#include <stdlib.h>
#include <sysexits.h>

#include "line/check.h"
#include "registry/lease.h"

/* A batch is at most this many records and, about, bytes: enough that its few
 * syncs cost little. */
#define CHUNK	    4096
#define CHUNK_BYTES (8UL * 1024 * 1024)

struct bulk {
	struct registry *registry;
	struct reader *reader;
	const struct bulk_options *options;
	size_t count;
	size_t bytes;
	struct instance instances[CHUNK];
	struct registration registrations[CHUNK];
	unsigned long lines[CHUNK];
};

static void
refuse(struct bulk *bulk, unsigned long line, const struct svc_error *why)
{
	struct svc_error error;

	(void)svc_error_set(&error, why->code, "%s:%lu: %s",
	    reader_name(bulk->reader), line, why->message);
	bulk->options->refused(bulk->options->argument, &error);
}

static void
forget(struct bulk *bulk)
{
	while (bulk->count > 0)
		instance_release(&bulk->instances[--bulk->count]);
	bulk->bytes = 0;
}

static int
commit(struct bulk *bulk, struct svc_error *error)
{
	const struct bulk_options *options = bulk->options;
	struct svc_error ignored;
	size_t i;
	int result = 0;

	/* Its -1 says that some failed, and each says so itself. */
	if (!options->dry_run)
		(void)registry_register_batch(
		    bulk->registry, bulk->registrations, bulk->count, &ignored);
	for (i = 0; i < bulk->count && result == 0; i++) {
		const struct registration *one = &bulk->registrations[i];

		if (one->error.code != 0)
			refuse(bulk, bulk->lines[i], &one->error);
		else
			result = options->stored(
			    options->argument, one->instance, error);
	}
	forget(bulk);
	return result;
}

static int
parse(
    const struct line *line, struct instance *instance, struct svc_error *error)
{
	struct check check;

	if (line->too_long)
		return svc_error_set(error, EX_DATAERR,
		    "longer than a record may be, %lu bytes",
		    INSTANCE_RECORD_MAX);
	if (line->has_nul)
		return svc_error_set(
		    error, EX_DATAERR, "a NUL byte stands in it");
	if (instance_parse(instance, line->data, line->length, error) == -1)
		return -1;
	if (instance->lease == LEASE_LOCK)
		(void)svc_error_set(error, EX_DATAERR,
		    "\"lease\":\"lock\" needs a process that lives; \"ttl\" "
		    "does not");
	else if (check_read(instance, CHECK_INTERVAL, &check, error) != -1)
		return 0;
	instance_release(instance);
	return -1;
}

static int
take(struct bulk *bulk, const struct line *line, struct svc_error *error)
{
	struct instance *instance = &bulk->instances[bulk->count];
	struct svc_error why;

	if (parse(line, instance, &why) == -1) {
		refuse(bulk, line->number, &why);
		return 0;
	}
	bulk->registrations[bulk->count] =
	    (struct registration){.instance = instance};
	bulk->lines[bulk->count++] = line->number;
	bulk->bytes += line->length;
	if (bulk->count < CHUNK && bulk->bytes < CHUNK_BYTES)
		return 0;
	return commit(bulk, error);
}

int
bulk_register(struct registry *registry, struct reader *reader,
    const struct bulk_options *options, struct svc_error *error)
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));
	struct line line;
	int more;

	if (bulk == NULL)
		return svc_error_errno(error, "bulk");
	bulk->registry = registry;
	bulk->reader = reader;
	bulk->options = options;
	while ((more = reader_line(reader, &line, error)) == 1) {
		if (take(bulk, &line, error) == -1) {
			more = -1;
			break;
		}
	}
	/* What was read before the input broke is still registered. */
	if (bulk->count > 0 && commit(bulk, more == -1 ? NULL : error) == -1)
		more = -1;
	forget(bulk);
	free(bulk);
	return more == -1 ? -1 : 0;
}
