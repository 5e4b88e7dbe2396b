#include "registry/queue_records.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"
#include "registry/queue_look.h"

/* A task moves a few times in its life; this is often. */
#define LOOKS_MAX 64

/* One listing on its way. */
struct listing {
	struct registry *registry;
	struct queue_records *records;
	const char *service;
	struct queue_record_reader reader;
};

void
queue_records_release(struct queue_records *records)
{
	while (records->count > 0)
		queue_record_release(&records->items[--records->count]);
	free(records->items);
	memset(records, 0, sizeof(*records));
}

static struct queue_record *
add(struct queue_records *records)
{
	size_t capacity = records->capacity;
	struct queue_record *items;

	if (records->count == capacity) {
		capacity = capacity == 0 ? 64 : 2 * capacity;
		items = reallocarray(records->items, capacity, sizeof(*items));
		if (items == NULL)
			return NULL;
		records->items = items;
		records->capacity = capacity;
	}
	return &records->items[records->count++];
}

static void
note_skipped(void *argument, const char *key, const char *why)
{
	const struct listing *listing = argument;

	registry_warn(listing->registry, key, why);
}

static bool
is_of(const struct queue_record *record, const char *service)
{
	return service == NULL || (record->service != NULL &&
				      strcmp(record->service, service) == 0);
}

static int
take(void *argument, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	struct listing *listing = argument;
	struct queue_record *record = add(listing->records);

	if (record == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (queue_record_read(record, &listing->reader, place, entry, error) ==
	    -1) {
		listing->records->count--;
		if (error->code != EX_DATAERR)
			return -1;
		note_skipped(listing, entry->key, error->message);
	} else if (!is_of(record, listing->service)) {
		queue_record_release(record);
		listing->records->count--;
	}
	return 0;
}

/* By id, and of one id the place first that it came to last. */
static int
compare_ids(const void *a, const void *b)
{
	const struct queue_record *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order != 0)
		return order;
	if (x->since != y->since)
		return x->since < y->since ? 1 : -1;
	return (x->state < y->state) - (x->state > y->state);
}

static void
drop_doubles(struct queue_records *records)
{
	struct queue_record *items = records->items;
	size_t i, kept = 0;

	qsort(items, records->count, sizeof(*items), compare_ids);
	for (i = 0; i < records->count; i++) {
		if (kept > 0 && strcmp(items[kept - 1].id, items[i].id) == 0)
			queue_record_release(&items[i]);
		else
			items[kept++] = items[i];
	}
	records->count = kept;
}

int
queue_records_list(struct registry *registry, unsigned states,
    const char *service, struct queue_records *records, struct svc_error *error)
{
	struct listing listing = {
	    .registry = registry, .records = records, .service = service};
	struct queue_list list = {.states = states,
	    .values = true,
	    .fn = take,
	    .skip = note_skipped,
	    .argument = &listing};
	int result = queue_list(registry_store(registry), &list, error);

	queue_record_reader_release(&listing.reader);
	if (result == -1 || records->count == 0)
		return result;
	drop_doubles(records);
	qsort(records->items, records->count, sizeof(*records->items),
	    queue_record_compare);
	return 0;
}

/* Finds and reads it: 1; 0: it is nowhere, or has moved on meanwhile. */
static int
look(struct registry *registry, const char *id, struct queue_record *record,
    struct buffer *scratch, struct svc_error *error)
{
	struct store *store = registry_store(registry);
	struct queue_record_reader reader = {0};
	struct queue_place place;
	struct store_entry entry;
	char key[QUEUE_KEY_MAX];
	int found = queue_look(store, id, &place, error);

	if (found != 1)
		return found;
	found = queue_read(store, &place, scratch, &entry, error);
	if (found != 1)
		return found;
	found = queue_record_read(record, &reader, &place, &entry, error);
	queue_record_reader_release(&reader);
	queue_key(&place, key);
	if (found == -1)
		return svc_error_set(
		    error, error->code, "%s: %s", key, error->message);
	return 1;
}

int
queue_records_get(struct registry *registry, const char *id,
    struct queue_record *record, bool *known, struct svc_error *error)
{
	struct store *store = registry_store(registry);
	struct buffer scratch = BUFFER_INIT;
	char key[QUEUE_KEY_MAX];
	int looks, found = 0;

	*known = true;
	queue_id_key(id, key);
	for (looks = 0; looks < LOOKS_MAX && found == 0 && *known; looks++) {
		found = look(registry, id, record, &scratch, error);
		if (found != 0)
			break;
		found = store_exists(store, key, error);
		*known = found == 1;
		if (found == 1)
			found = 0;
	}
	buffer_release(&scratch);
	return found;
}

/* One count on its way. */
struct counting {
	struct listing listing; /* first: what note_skipped() gets */
	struct queue_count *counts;
	size_t count;
};

/* The count of that service; NULL: no memory. */
static struct queue_count *
find_count(struct counting *counting, const char *service)
{
	struct queue_count *counts = counting->counts;
	size_t i;

	for (i = counting->count; i-- > 0;)
		if (strcmp(counts[i].service, service) == 0)
			return &counts[i];
	counts = reallocarray(counts, counting->count + 1, sizeof(*counts));
	if (counts == NULL)
		return NULL;
	counting->counts = counts;
	counts += counting->count++;
	memset(counts, 0, sizeof(*counts));
	strncpy(counts->service, service, sizeof(counts->service) - 1);
	return counts;
}

static int
count_task(void *argument, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	struct counting *counting = argument;
	struct queue_record record = {0};
	struct queue_count *count;

	if (entry != NULL &&
	    queue_record_read(&record, &counting->listing.reader, place, entry,
		error) == -1) {
		if (error->code != EX_DATAERR)
			return -1;
		note_skipped(&counting->listing, entry->key, error->message);
		return 0;
	}
	count =
	    find_count(counting, record.service == NULL ? "" : record.service);
	queue_record_release(&record);
	if (count == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	count->states[place->state]++;
	return 0;
}

static int
compare_services(const void *a, const void *b)
{
	const struct queue_count *x = a, *y = b;

	return strcmp(x->service, y->service);
}

int
queue_records_count(struct registry *registry, unsigned states, bool by_service,
    struct queue_count **counts, size_t *count, struct svc_error *error)
{
	struct counting counting = {.listing.registry = registry};
	struct queue_list list = {.states = states,
	    .values = by_service,
	    .fn = count_task,
	    .skip = note_skipped,
	    .argument = &counting};
	int result = queue_list(registry_store(registry), &list, error);

	queue_record_reader_release(&counting.listing.reader);
	if (result == 0 && !by_service && find_count(&counting, "") == NULL)
		result = svc_error_set(error, EX_OSERR, "out of memory");
	if (result == -1) {
		free(counting.counts);
		return -1;
	}
	if (counting.count > 0)
		qsort(counting.counts, counting.count, sizeof(*counting.counts),
		    compare_services);
	*counts = counting.counts;
	*count = counting.count;
	return 0;
}

void
queue_count_print(const struct queue_count *count, unsigned states,
    bool by_service, struct buffer *out)
{
	const char *separator = "";
	int state;

	buffer_append_char(out, '{');
	if (by_service) {
		buffer_append_string(out, "\"service\":");
		if (count->service[0] == '\0')
			buffer_append_string(out, "null");
		else
			json_append_string(
			    out, count->service, strlen(count->service));
		separator = ",";
	}
	for (state = QUEUE_WAITING; state < QUEUE_STATE_COUNT; state++) {
		if ((states & QUEUE_STATE_BIT(state)) == 0)
			continue;
		buffer_append_format(out, "%s\"%s\":%zu", separator,
		    queue_state_name((enum queue_state)state),
		    count->states[state]);
		separator = ",";
	}
	buffer_append_char(out, '}');
}
