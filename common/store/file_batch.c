#include "store/file_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_directory_set.h"
#include "store/file_lock.h"
#include "store/file_temp.h"
#include "store/file_workers.h"
#include "store/file_write.h"

struct item {
	struct store_put *put;
	struct file_directory *directory;
	struct file_directory *also; /* of put->also; or NULL */
	struct file_temp temp;
	bool placed;
};

/* What is written and synced together. */
struct chunk {
	struct item *items;
	size_t room; /* for so many */
	size_t count;
	size_t durable; /* items that are */
	struct file_directory_set set;
};

/*
 * What need not be durable gets its name at once, if that is new and nothing
 * before it waits: of two lines of one id the later counts.  Whether it did;
 * why not, the other way will tell.
 */
static bool
place_at_once(struct chunk *chunk, struct file_directory *directory,
    const struct store_put *put)
{
	struct file_temp temp;
	bool placed;

	if (put->lease == STORE_DURABLE || put->if_revision != NULL ||
	    put->also != NULL || chunk->count > 0 ||
	    file_directory_set_lock(&chunk->set, directory) == -1 ||
	    file_temp_open_nameless(&temp, directory->descriptor) == -1)
		return false;
	placed = file_temp_fill(&temp, put->value, put->length) == 0 &&
		 file_temp_place_locked(&temp, file_leaf(put->key)) == 0;
	file_temp_close(&temp);
	return placed;
}

static void
add_item(struct chunk *chunk, struct store_put *put)
{
	struct file_directory_set *set = &chunk->set;
	struct item item = {.put = put, .temp = FILE_TEMP_NONE};

	if (file_directory_set_open(
		set, put->key, true, &item.directory, &put->error) != 1)
		return;
	file_temp_sweep(set->store, item.directory->descriptor);
	if (place_at_once(chunk, item.directory, put))
		return;
	/* A full disk has no room for the lock's file once the values are
	 * written: so it is made before.  If not, that is told then. */
	(void)file_directory_set_lock(set, item.directory);
	if (put->also != NULL && file_directory_set_open(set, put->also, true,
				     &item.also, &put->error) != 1)
		return;
	chunk->items[chunk->count++] = item;
	chunk->durable += put->lease == STORE_DURABLE;
}

/* Writing begins here, so that it is well on its way when it is waited for. */
static int
fill_item(struct item *item)
{
	const struct store_put *put = item->put;
	bool guarded = put->also != NULL;

	if (file_temp_open(&item->temp, item->directory->descriptor, guarded) ==
	    -1)
		return -1;
	if (guarded && file_lock_guard(item->temp.descriptor) == -1)
		return -1;
	if (file_temp_fill(&item->temp, put->value, put->length) == -1)
		return -1;
	if (put->lease == STORE_DURABLE)
		file_temp_start(&item->temp);
	return 0;
}

static void
write_item(void *argument, size_t i)
{
	struct item *item = &((struct chunk *)argument)->items[i];

	if (fill_item(item) == -1)
		svc_error_errno(
		    &item->put->error, "%s: cannot write", item->put->key);
}

/* A sync that failed is not tried again: the kernel would say that nothing is
 * left to be written. */
static void
sync_item(void *argument, size_t i)
{
	struct item *item = &((struct chunk *)argument)->items[i];

	if (item->put->error.code == 0 && item->put->lease == STORE_DURABLE &&
	    fsync(item->temp.descriptor) == -1)
		svc_error_errno(
		    &item->put->error, "%s: cannot sync", item->put->key);
}

/* New names; what cannot be placed so is left to publish_item(). */
static void
place_new(struct chunk *chunk)
{
	struct item *item;
	size_t i;

	for (i = 0; i < chunk->count; i++) {
		item = &chunk->items[i];
		if (item->put->error.code != 0 ||
		    item->put->if_revision != NULL)
			continue;
		item->placed = file_directory_set_lock(
				   &chunk->set, item->directory) == 0 &&
			       file_temp_place_locked(
				   &item->temp, file_leaf(item->put->key)) == 0;
	}
	/* Never waits for an inode's lock under a directory's. */
	file_directory_set_unlock(&chunk->set);
}

static void
publish_item(struct item *item)
{
	struct store_put *put = item->put;
	const char *leaf = file_leaf(put->key);
	bool durable = put->lease == STORE_DURABLE;

	if (put->error.code != 0 ||
	    (!item->placed &&
		file_publish(&item->temp, leaf, put, &put->error) == -1))
		return;
	item->directory->gained |= durable;
	if (put->also != NULL &&
	    file_publish_also(&item->temp, leaf, item->also->descriptor, put,
		&put->error) == 0)
		item->also->gained |= durable;
}

/* A sync has failed for all that waited for it. */
static void
check_sync(const struct item *item)
{
	struct store_put *put = item->put;
	int failed = item->directory->failed;

	if (failed == 0 && item->also != NULL)
		failed = item->also->failed;
	if (failed == 0 || put->lease != STORE_DURABLE || put->error.code != 0)
		return;
	errno = failed;
	svc_error_errno(&put->error, "%s: cannot sync", put->key);
}

/* The descriptors, and with them the guards, are let go when all is on disk. */
static void
finish_chunk(struct chunk *chunk)
{
	size_t i;

	file_directory_set_unlock(&chunk->set);
	file_workers_run(chunk->count, write_item, chunk);
	if (chunk->durable > 0)
		file_workers_run(chunk->count, sync_item, chunk);
	place_new(chunk);
	for (i = 0; i < chunk->count; i++)
		publish_item(&chunk->items[i]);
	file_directory_set_sync(&chunk->set);
	for (i = 0; i < chunk->count; i++) {
		check_sync(&chunk->items[i]);
		file_temp_close(&chunk->items[i].temp);
	}
	file_directory_set_clear(&chunk->set);
	chunk->count = chunk->durable = 0;
}

int
file_batch(struct store *base, struct store_put *puts, size_t count,
    struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;
	struct chunk *chunk;
	size_t i;

	if (file_store_begin(store, error) == -1)
		return -1;
	chunk = calloc(1, sizeof(*chunk));
	if (chunk == NULL)
		return svc_error_errno(error, "batch");
	chunk->room = file_temp_room(count);
	chunk->items = calloc(chunk->room, sizeof(*chunk->items));
	if (chunk->items == NULL) {
		free(chunk);
		return svc_error_errno(error, "batch");
	}
	file_directory_set_init(&chunk->set, store);
	for (i = 0; i < count; i++) {
		if (puts[i].error.code != 0)
			continue;
		if (chunk->count == chunk->room ||
		    file_directory_set_is_full(&chunk->set, 2))
			finish_chunk(chunk);
		add_item(chunk, &puts[i]);
	}
	finish_chunk(chunk);
	free(chunk->items);
	free(chunk);
	return 0;
}
