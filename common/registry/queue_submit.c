#include "registry/queue_submit.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/queue_look.h"

/* Puts that one batch has: a caller may have any number. */
#define CHUNK 1024

/* How often an id is tried again that others submit and purge meanwhile. */
#define TRIES 100

struct put_keys {
	struct queue_item *item;
	char id[QUEUE_KEY_MAX];
	char place[QUEUE_KEY_MAX];
	bool found; /* the id was there: others may not have synced it */
};

static void
refuse(struct queue_item *item, const struct svc_error *error)
{
	item->answer = QUEUE_REFUSED;
	item->error = *error;
}

/* Where it goes. */
static void
begin(struct queue_item *item)
{
	memset(&item->place, 0, sizeof(item->place));
	item->place.state = item->hold ? QUEUE_HELD : QUEUE_WAITING;
	memcpy(item->place.id, item->id, strlen(item->id) + 1);
}

static void
prepare(struct queue_item *item, struct store_put *put, struct put_keys *keys)
{
	begin(item);
	item->error.code = 0;
	keys->item = item;
	queue_id_key(item->id, keys->id);
	queue_key(&item->place, keys->place);
	keys->found = false;
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

	begin(item);
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
settle(struct store *store, struct queue_item *item, struct put_keys *keys,
    struct svc_error *error)
{
	int guard = -1;
	int status;

	status = store_guard(store, keys->id, &guard, error);
	if (status != 1)
		return status == 0 ? 1 : -1;
	keys->found = true;
	status = compare(store, item, keys->id, error);
	close(guard);
	return status;
}

/*
 * There is no such id, but such a task, which gets it back: what has not been
 * claimed is as it was submitted.  1: submit it once more; -1, and error as it
 * is: there is none.
 */
static int
adopt(struct store *store, const struct put_keys *keys, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_put put = {
	    .key = keys->id, .lease = STORE_DURABLE, .if_absent = true};
	struct store_entry entry;
	struct svc_error why;
	int status = -1;

	if (store_get(store, keys->place, STORE_VALUE_MAX, &scratch, &entry,
		&why) == 1) {
		put.value = entry.value;
		put.length = entry.length;
		if (store_put(store, &put, NULL, &why) == 0 ||
		    why.code == EX_CANTCREAT)
			status = 1;
		else
			*error = why;
	}
	buffer_release(&scratch);
	return status;
}

/* What became of a put that failed: 0: settled; 1: once more; -1. */
static int
look_why(struct store *store, struct queue_item *item, struct put_keys *keys,
    struct svc_error *error)
{
	if (error->code == EX_CANTCREAT)
		return settle(store, item, keys, error);
	if (error->code == EX_TEMPFAIL)
		return adopt(store, keys, error);
	return -1;
}

static void
submit_again(
    struct store *store, struct queue_item *item, struct put_keys *keys)
{
	struct svc_error error;
	struct store_put put;
	int tries, status = 1;

	for (tries = 0; tries < TRIES && status == 1; tries++) {
		prepare(item, &put, keys);
		if (store_put(store, &put, NULL, &error) == 0) {
			item->answer = QUEUE_ACCEPTED;
			return;
		}
		status = look_why(store, item, keys, &error);
	}
	if (status == 1)
		svc_error_set(&error, EX_TEMPFAIL,
		    "%s: others submit and purge it all the time", item->id);
	if (status != 0)
		refuse(item, &error);
}

/* What became of one put of a batch. */
static void
judge(struct store *store, const struct store_put *put, struct put_keys *keys)
{
	struct queue_item *item = keys->item;
	struct svc_error error;
	int status;

	if (put->error.code == 0) {
		item->answer = QUEUE_ACCEPTED;
		return;
	}
	error = put->error;
	status = look_why(store, item, keys, &error);
	if (status == 1)
		submit_again(store, item, keys);
	else if (status == -1)
		refuse(item, &error);
}

/* Whether the answer says that it is on disk, and others put it there. */
static bool
relies_on_others(const struct put_keys *keys)
{
	return keys->found && (keys->item->answer == QUEUE_KNOWN ||
				  keys->item->answer == QUEUE_ACCEPTED);
}

/*
 * What others submitted may not be on disk: they may have died before.  Once
 * for all.  It was made in new or held, and may have moved on since.
 */
static int
sync_found(struct store *store, const struct put_keys *keys, size_t count,
    struct svc_error *error)
{
	unsigned states = 0;
	size_t i;
	int state;

	for (i = 0; i < count; i++)
		if (relies_on_others(&keys[i]))
			states |= QUEUE_STATE_BIT(keys[i].item->place.state) |
				  QUEUE_STATE_BIT(QUEUE_WAITING) |
				  QUEUE_STATE_BIT(QUEUE_HELD);
	if (states == 0)
		return 0;
	if (store_sync(store, "tasks/ids", error) == -1)
		return -1;
	for (state = QUEUE_WAITING; state < QUEUE_STATE_COUNT; state++)
		if ((states & QUEUE_STATE_BIT(state)) != 0 &&
		    store_sync(store, queue_directory((enum queue_state)state),
			error) == -1)
			return -1;
	return 0;
}

/*
 * A task that has ended and has no id, as key says: 1; 0; -1.  Who purges it
 * meanwhile removes the task first, so it is looked for once more.
 */
static int
is_leftover(struct store *store, const char *key, const struct put_keys *keys,
    struct svc_error *error)
{
	int status = store_exists(store, key, error);

	if (status != 1)
		return status;
	status = store_exists(store, keys->id, error);
	if (status != 0)
		return status == 1 ? 0 : -1;
	return store_exists(store, key, error);
}

/*
 * A power cut within a purge, where directories are not written in order, may
 * leave such a task: the next one of that id could not end beside it.
 */
static int
refuse_beside_leftover(
    struct store *store, const struct put_keys *keys, struct svc_error *error)
{
	struct queue_place place = {0};
	char key[QUEUE_KEY_MAX];
	int state, status = 0;

	memcpy(place.id, keys->item->id, strlen(keys->item->id) + 1);
	for (state = QUEUE_DONE; state <= QUEUE_FAILED && status == 0;
	     state++) {
		place.state = (enum queue_state)state;
		queue_key(&place, key);
		status = is_leftover(store, key, keys, error);
	}
	if (status == 1)
		svc_error_set(error, EX_DATAERR,
		    "%s: is there, but %s is not: purge '%s' first", key,
		    keys->id, keys->item->id);
	return status == 0 ? 0 : -1;
}

static void
submit_chunk(struct store *store, struct queue_item *items, size_t count,
    struct store_put *puts, struct put_keys *keys)
{
	struct svc_error error;
	size_t i, n = 0;

	for (i = 0; i < count; i++) {
		prepare(&items[i], &puts[n], &keys[n]);
		if (refuse_beside_leftover(store, &keys[n], &error) == -1)
			refuse(&items[i], &error);
		else
			n++;
	}
	/* Each tells of itself. */
	(void)store_batch(store, puts, n, &error);
	for (i = 0; i < n; i++)
		judge(store, &puts[i], &keys[i]);
	if (sync_found(store, keys, n, &error) == 0)
		return;
	for (i = 0; i < n; i++)
		if (relies_on_others(&keys[i]))
			refuse(keys[i].item, &error);
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
		svc_error_set(error, EX_OSERR, "out of memory");
		for (i = 0; i < count; i++)
			refuse(&items[i], error);
		return -1;
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
