#include "registry/queue_submit.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/queue_look.h"

/* Puts that one batch has: a caller may have any number. */
#define CHUNK 1024

struct put_keys {
	char id[QUEUE_KEY_MAX];
	char place[QUEUE_KEY_MAX];
};

static void
refuse(struct queue_item *item, const struct svc_error *error)
{
	item->answer = QUEUE_REFUSED;
	item->error = *error;
}

static void
prepare(struct queue_item *item, struct store_put *put, struct put_keys *keys)
{
	memset(&item->place, 0, sizeof(item->place));
	item->place.state = item->hold ? QUEUE_HELD : QUEUE_WAITING;
	memcpy(item->place.id, item->id, strlen(item->id) + 1);
	item->error.code = 0;
	queue_id_key(item->id, keys->id);
	queue_key(&item->place, keys->place);
	memset(put, 0, sizeof(*put));
	put->key = keys->id;
	put->also = keys->place;
	put->value = item->line;
	put->length = item->length;
	put->lease = STORE_DURABLE;
	put->if_absent = true;
}

/* Its submitter died before it was queued, and had told nobody. */
static int
queue_again(
    struct store *store, struct queue_item *item, struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];
	struct store_put put = {
	    .key = key,
	    .value = item->line,
	    .length = item->length,
	    .lease = STORE_DURABLE,
	    .if_absent = true,
	};

	memset(&item->place, 0, sizeof(item->place));
	memcpy(item->place.id, item->id, strlen(item->id) + 1);
	item->place.state = item->hold ? QUEUE_HELD : QUEUE_WAITING;
	queue_key(&item->place, key);
	if (store_put(store, &put, NULL, error) == -1)
		return -1;
	item->answer = QUEUE_ACCEPTED;
	return 0;
}

/* The id is there, and nobody else changes what becomes of it meanwhile. */
static int
compare(struct store *store, struct queue_item *item, const char *key,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	int status =
	    store_get(store, key, STORE_VALUE_MAX, &scratch, &entry, error);
	bool same = status == 1 && entry.length == item->length &&
		    memcmp(entry.value, item->line, entry.length) == 0;

	buffer_release(&scratch);
	if (status == -1)
		return -1;
	status = queue_look(store, item->id, &item->place, error);
	if (status == -1)
		return -1;
	item->answer = same ? QUEUE_KNOWN : QUEUE_TAKEN;
	return same && status == 0 ? queue_again(store, item, error) : 0;
}

/*
 * Somebody has that id.  0: it is settled; 1: it was purged meanwhile, and is
 * to be submitted once more; -1.
 */
static int
settle(struct store *store, struct queue_item *item, struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];
	int guard = -1;
	int status;

	queue_id_key(item->id, key);
	status = store_guard(store, key, &guard, error);
	if (status != 1)
		return status == 0 ? 1 : -1;
	status = compare(store, item, key, error);
	close(guard);
	return status;
}

static void
submit_again(struct store *store, struct queue_item *item)
{
	struct svc_error error;
	struct put_keys keys;
	struct store_put put;
	int status;

	do {
		prepare(item, &put, &keys);
		if (store_put(store, &put, NULL, &error) == 0) {
			item->answer = QUEUE_ACCEPTED;
			return;
		}
		status = error.code == EX_CANTCREAT
			     ? settle(store, item, &error)
			     : -1;
	} while (status == 1);
	if (status == -1)
		refuse(item, &error);
}

/* What became of one put of a batch. */
static void
judge(struct store *store, struct queue_item *item, const struct store_put *put)
{
	struct svc_error error;
	int status = 0;

	if (put->error.code == 0) {
		item->answer = QUEUE_ACCEPTED;
		return;
	}
	error = put->error;
	status = error.code == EX_CANTCREAT ? settle(store, item, &error) : -1;
	if (status == 1)
		submit_again(store, item);
	else if (status == -1)
		refuse(item, &error);
}

static void
submit_chunk(struct store *store, struct queue_item *items, size_t count,
    struct store_put *puts, struct put_keys *keys)
{
	struct svc_error error;
	size_t i;

	for (i = 0; i < count; i++)
		prepare(&items[i], &puts[i], &keys[i]);
	/* Each tells of itself. */
	(void)store_batch(store, puts, count, &error);
	for (i = 0; i < count; i++)
		judge(store, &items[i], &puts[i]);
}

int
queue_submit(struct store *store, struct queue_item *items, size_t count,
    struct svc_error *error)
{
	size_t chunk = count < CHUNK ? count : CHUNK;
	struct store_put *puts;
	struct put_keys *keys;
	size_t i, n;
	int result = 0;

	if (count == 0)
		return 0;
	puts = calloc(chunk, sizeof(*puts));
	keys = calloc(chunk, sizeof(*keys));
	if (puts == NULL || keys == NULL) {
		free(puts);
		free(keys);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	for (i = 0; i < count; i += n) {
		n = count - i < chunk ? count - i : chunk;
		submit_chunk(store, items + i, n, puts, keys);
	}
	free(puts);
	free(keys);
	for (i = 0; i < count && result == 0; i++)
		if (items[i].answer == QUEUE_REFUSED) {
			*error = items[i].error;
			result = -1;
		}
	return result;
}
