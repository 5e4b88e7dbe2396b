#include "registry/queue_awaited.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>

#include "registry/queue_look.h"

#define BUCKETS	  1024
#define NAMED_MAX 3 /* ids in a sentence */

/* How a task has ended that another waits for. */
enum end { END_UNKNOWN, END_OPEN, END_OK, END_FAILED, END_UNDONE };

struct known_end {
	SLIST_ENTRY(known_end) link;
	enum end end;
	char id[];
};

struct queue_awaited {
	struct registry *registry;
	SLIST_HEAD(, known_end) ends[BUCKETS];
	struct buffer scratch;
	struct queue_record_reader reader;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
queue_awaited_open(struct queue_awaited **awaited, struct registry *registry,
    struct svc_error *error)
{
	*awaited = calloc(1, sizeof(**awaited));
	if (*awaited == NULL)
		return no_memory(error);
	(*awaited)->registry = registry;
	return 0;
}

void
queue_awaited_renew(struct queue_awaited *awaited)
{
	struct known_end *end;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		while ((end = SLIST_FIRST(&awaited->ends[i])) != NULL) {
			SLIST_REMOVE_HEAD(&awaited->ends[i], link);
			free(end);
		}
	}
}

void
queue_awaited_close(struct queue_awaited *awaited)
{
	if (awaited == NULL)
		return;
	queue_awaited_renew(awaited);
	buffer_release(&awaited->scratch);
	queue_record_reader_release(&awaited->reader);
	free(awaited);
}

static size_t
bucket_of(const char *id)
{
	size_t hash = 5381;

	for (; *id != '\0'; id++)
		hash = hash * 33 + (unsigned char)*id;
	return hash % BUCKETS;
}

/* One that was skipped or cancelled has done nothing that could have failed. */
static int
read_failure(struct queue_awaited *awaited, const struct queue_place *place,
    enum end *end, struct svc_error *error)
{
	struct queue_record record;
	struct store_entry entry;
	int found = queue_read(registry_store(awaited->registry), place,
	    &awaited->scratch, &entry, error);

	*end = found == 1 ? END_FAILED : END_UNKNOWN;
	if (found != 1)
		return found;
	if (queue_record_read(
		&record, &awaited->reader, place, &entry, error) == -1)
		return error->code == EX_DATAERR ? 0 : -1;
	if (record.reason != NULL &&
	    (strcmp(record.reason, "skipped") == 0 ||
		strcmp(record.reason, "cancelled") == 0))
		*end = END_UNDONE;
	queue_record_release(&record);
	return 0;
}

static int
look_end(struct queue_awaited *awaited, const char *id, enum end *end,
    struct svc_error *error)
{
	struct store *store = registry_store(awaited->registry);
	struct queue_place place;
	int found = queue_look(store, id, &place, error);

	if (found == -1)
		return -1;
	if (place.state == QUEUE_FAILED)
		return read_failure(awaited, &place, end, error);
	*end = END_OPEN;
	if (found == 0)
		*end = END_UNKNOWN;
	else if (place.state == QUEUE_DONE)
		*end = END_OK;
	return 0;
}

static int
end_of(struct queue_awaited *awaited, const char *id, enum end *end,
    struct svc_error *error)
{
	size_t bucket = bucket_of(id), size = strlen(id) + 1;
	struct known_end *known;

	SLIST_FOREACH(known, &awaited->ends[bucket], link)
	{
		if (strcmp(known->id, id) == 0) {
			*end = known->end;
			return 0;
		}
	}
	if (look_end(awaited, id, end, error) == -1)
		return -1;
	if ((known = malloc(sizeof(*known) + size)) == NULL)
		return no_memory(error);
	known->end = *end;
	memcpy(known->id, id, size);
	SLIST_INSERT_HEAD(&awaited->ends[bucket], known, link);
	return 0;
}

/* How the tasks that one waits for stand. */
struct standing {
	size_t open;
	size_t failed;
	const char *undone; /* ended, and not well; NULL: none */
	enum end how; /* that one has */
	struct buffer names; /* of the first open ones */
};

static int
look_at_all(struct queue_awaited *awaited, const struct queue_record *record,
    struct standing *standing, struct svc_error *error)
{
	const char *id = record->after;
	size_t i;
	enum end end;

	for (i = 0; i < record->after_count; i++, id += strlen(id) + 1) {
		if (end_of(awaited, id, &end, error) == -1)
			return -1;
		if (end == END_OPEN && standing->open++ < NAMED_MAX)
			buffer_append_format(&standing->names, "%s%s",
			    standing->open > 1 ? ", " : "", id);
		standing->failed += end == END_FAILED;
		if (end != END_OPEN && end != END_OK &&
		    (standing->undone == NULL || end == END_UNKNOWN)) {
			standing->undone = id;
			standing->how = end;
		}
	}
	return 0;
}

static bool
is_ruled_out(const struct queue_record *record, const struct standing *standing)
{
	if (standing->undone != NULL && standing->how == END_UNKNOWN)
		return true;
	switch (record->when) {
	case QUEUE_WHEN_OK:
		return standing->undone != NULL;
	case QUEUE_WHEN_FAILED:
		return record->after_count > 0 && standing->open == 0 &&
		       standing->failed == 0;
	default:
		return false;
	}
}

static void
append_ruled_out(
    const struct standing *standing, enum queue_when when, struct buffer *out)
{
	if (standing->undone != NULL && standing->how == END_UNKNOWN)
		buffer_append_format(out,
		    "'%s', which it waits for, is not in the queue",
		    standing->undone);
	else if (when == QUEUE_WHEN_FAILED)
		buffer_append_string(out,
		    "it runs when what it waits for fails, and that has not");
	else
		buffer_append_format(out, "'%s', which it waits for, %s",
		    standing->undone,
		    standing->how == END_FAILED ? "failed"
						: "was skipped or cancelled");
}

static void
append_open(const struct standing *standing, size_t count, struct buffer *out)
{
	buffer_append_format(
	    out, "it waits for %zu of %zu: ", standing->open, count);
	buffer_append(out, standing->names.data, standing->names.length);
	if (standing->open > NAMED_MAX)
		buffer_append_string(out, ", ...");
}

int
queue_awaited_tell(struct queue_awaited *awaited,
    const struct queue_record *record, const char **reason,
    struct buffer *sentence, struct svc_error *error)
{
	struct standing standing = {0};
	int result = look_at_all(awaited, record, &standing, error);

	if (result == 0 && is_ruled_out(record, &standing)) {
		*reason = "ruled-out";
		append_ruled_out(&standing, record->when, sentence);
		result = 1;
	} else if (result == 0 && standing.open > 0) {
		*reason = "after";
		append_open(&standing, record->after_count, sentence);
		result = 1;
	}
	buffer_release(&standing.names);
	return result;
}
