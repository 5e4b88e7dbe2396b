#include "store/file_batch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_lock.h"
#include "store/file_temp.h"
#include "store/file_write.h"

#define CHUNK_PUTS	  8192
#define CHUNK_DIRECTORIES 128
#define LOCK_PUTS	  64 /* under one lock: others wait that long */
/* Below so many files, syncing each beats waiting for strangers' pages. */
#define SYNCFS_MIN 8

struct directory {
	const char *key; /* of some value in it */
	size_t length; /* of the directory's part, without slash */
	int descriptor;
	bool durable; /* something durable was renamed into it */
};

struct item {
	struct store_put *put;
	struct directory *directory;
	struct file_temp temp;
	bool placed;
};

/* What is written and synced together. */
struct chunk {
	struct file_store *store;
	struct item *items; /* CHUNK_PUTS */
	size_t count;
	size_t durable; /* items that are */
	struct directory directories[CHUNK_DIRECTORIES];
	size_t directory_count;
	struct directory *locked; /* NULL: none is */
	int lock;
	size_t under_lock; /* puts since it was taken */
};

static size_t
directory_length(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash == NULL ? 0 : (size_t)(slash - key);
}

/* Bulk input is usually of one service, so the last one is tried first. */
static struct directory *
find_directory(struct chunk *chunk, const char *key)
{
	size_t length = directory_length(key);
	struct directory *directory;
	size_t i;

	for (i = chunk->directory_count; i > 0; i--) {
		directory = &chunk->directories[i - 1];
		if (directory->length == length &&
		    memcmp(directory->key, key, length) == 0)
			return directory;
	}
	return NULL;
}

static struct directory *
open_directory(struct chunk *chunk, struct store_put *put)
{
	struct directory *directory = find_directory(chunk, put->key);
	struct file_location location;

	if (directory != NULL)
		return directory;
	if (file_locate(chunk->store, put->key, true, &location, &put->error) ==
	    -1)
		return NULL;
	directory = &chunk->directories[chunk->directory_count++];
	directory->key = put->key;
	directory->length = directory_length(put->key);
	directory->descriptor = location.directory;
	directory->durable = false;
	file_temp_sweep(chunk->store, directory->descriptor);
	return directory;
}

static const char *
leaf_of(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash == NULL ? key : slash + 1;
}

static void
unlock(struct chunk *chunk)
{
	if (chunk->locked != NULL)
		file_unlock_directory(chunk->lock);
	chunk->locked = NULL;
}

/* Keeps the lock for a run of puts into one directory: 0, or -1. */
static int
lock(struct chunk *chunk, struct directory *directory)
{
	if (chunk->locked == directory && chunk->under_lock < LOCK_PUTS) {
		chunk->under_lock++;
		return 0;
	}
	unlock(chunk);
	chunk->lock = file_lock_directory(directory->descriptor);
	if (chunk->lock == -1)
		return -1;
	chunk->locked = directory;
	chunk->under_lock = 1;
	return 0;
}

/*
 * What need not be durable gets its name at once, if that is new and nothing
 * before it waits: of two lines of one id the later counts.  Whether it did;
 * why not, the other way will tell.
 */
static bool
place_at_once(struct chunk *chunk, struct directory *directory,
    const struct store_put *put)
{
	struct file_temp temp;
	bool placed;

	if (put->lease == STORE_DURABLE || put->if_revision != NULL ||
	    chunk->count > 0 || lock(chunk, directory) == -1 ||
	    file_temp_open_nameless(&temp, directory->descriptor) == -1)
		return false;
	placed = file_temp_fill(&temp, put->value, put->length) == 0 &&
		 file_temp_place_locked(&temp, leaf_of(put->key)) == 0;
	file_temp_close(&temp);
	return placed;
}

/* The descriptor is closed at once: ten thousand are more than a process may
 * have, and syncfs(2) needs none. */
static void
write_item(struct chunk *chunk, struct store_put *put, bool sync_each)
{
	struct directory *directory = open_directory(chunk, put);
	struct item *item = &chunk->items[chunk->count];
	int failed;

	if (directory == NULL || place_at_once(chunk, directory, put))
		return;
	unlock(chunk);
	item->put = put;
	item->placed = false;
	item->directory = directory;
	if (file_temp_open(&item->temp, directory->descriptor, false) == -1) {
		svc_error_errno(&put->error, "%s: cannot write", put->key);
		return;
	}
	failed = file_temp_fill(&item->temp, put->value, put->length);
	if (failed == 0 && sync_each && put->lease == STORE_DURABLE)
		failed = fsync(item->temp.descriptor);
	if (close(item->temp.descriptor) == -1)
		failed = -1;
	item->temp.descriptor = -1;
	if (failed == -1) {
		svc_error_errno(&put->error, "%s: cannot write", put->key);
		file_temp_close(&item->temp);
		return;
	}
	chunk->count++;
	chunk->durable += put->lease == STORE_DURABLE;
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
		item->placed = lock(chunk, item->directory) == 0 &&
			       file_temp_place_locked(
				   &item->temp, leaf_of(item->put->key)) == 0;
	}
}

static void
publish_item(struct item *item)
{
	struct store_put *put = item->put;

	if (put->error.code == 0 &&
	    (item->placed || file_publish(&item->temp, leaf_of(put->key), put,
				 &put->error) == 0) &&
	    put->lease == STORE_DURABLE)
		item->directory->durable = true;
	file_temp_close(&item->temp);
}

/* A sync that failed has failed for all that waited for it, and is not tried
 * again: the kernel would say that nothing is left to be written. */
static void
fail_durable(struct chunk *chunk, const struct directory *directory)
{
	struct store_put *put;
	size_t i;

	for (i = 0; i < chunk->count; i++) {
		put = chunk->items[i].put;
		if (put->lease == STORE_DURABLE && put->error.code == 0 &&
		    (directory == NULL ||
			chunk->items[i].directory == directory))
			svc_error_errno(
			    &put->error, "%s: cannot sync", put->key);
	}
}

static void
finish_chunk(struct chunk *chunk, bool sync_each)
{
	struct directory *directory;
	size_t i;

	unlock(chunk);
	if (chunk->durable > 0 && !sync_each &&
	    syncfs(chunk->store->root) == -1)
		fail_durable(chunk, NULL);
	place_new(chunk);
	/* Never waits for an inode's lock under a directory's. */
	unlock(chunk);
	for (i = 0; i < chunk->count; i++)
		publish_item(&chunk->items[i]);
	for (i = 0; i < chunk->directory_count; i++) {
		directory = &chunk->directories[i];
		if (directory->durable && fsync(directory->descriptor) == -1)
			fail_durable(chunk, directory);
	}
	for (i = 0; i < chunk->directory_count; i++)
		close(chunk->directories[i].descriptor);
	chunk->count = chunk->durable = chunk->directory_count = 0;
}

int
file_batch(struct store *base, struct store_put *puts, size_t count,
    struct svc_error *error)
{
	bool sync_each = count < SYNCFS_MIN;
	struct chunk *chunk;
	size_t i;

	if (file_store_begin((struct file_store *)base, error) == -1)
		return -1;
	chunk = calloc(1, sizeof(*chunk));
	if (chunk == NULL || (chunk->items = calloc(
				  CHUNK_PUTS, sizeof(*chunk->items))) == NULL) {
		free(chunk);
		return svc_error_errno(error, "batch");
	}
	chunk->store = (struct file_store *)base;
	for (i = 0; i < count; i++) {
		if (puts[i].error.code != 0)
			continue;
		if (chunk->count == CHUNK_PUTS ||
		    chunk->directory_count == CHUNK_DIRECTORIES)
			finish_chunk(chunk, sync_each);
		write_item(chunk, &puts[i], sync_each);
	}
	finish_chunk(chunk, sync_each);
	free(chunk->items);
	free(chunk);
	return 0;
}
