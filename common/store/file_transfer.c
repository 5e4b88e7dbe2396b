#include "store/file_transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_directory_set.h"
#include "store/file_read.h"
#include "store/file_temp.h"
#include "store/file_workers.h"

struct item {
	struct store_transfer *transfer; /* moved is 1 until it turns out not */
	struct file_directory *source;
	struct file_directory *target;
	struct file_temp temp;
};

/* What is written and synced together. */
struct chunk {
	struct item *items;
	size_t room; /* for so many */
	size_t count;
	struct file_directory_set set;
};

static void
fail(struct store_transfer *transfer, const char *key, const char *what)
{
	transfer->moved =
	    svc_error_errno(&transfer->error, "%s: cannot %s", key, what);
}

static void
fail_sync(struct store_transfer *transfer, const char *key)
{
	fail(transfer, key, "sync");
	transfer->unsynced = true;
}

static void
add_item(struct chunk *chunk, struct store_transfer *transfer)
{
	struct item item = {.transfer = transfer, .temp = FILE_TEMP_NONE};
	struct file_directory_set *set = &chunk->set;

	transfer->moved = file_directory_set_open(
	    set, transfer->source, false, &item.source, &transfer->error);
	if (transfer->moved != 1)
		return;
	transfer->moved = file_directory_set_open(
	    set, transfer->target, true, &item.target, &transfer->error);
	if (transfer->moved != 1)
		return;
	file_temp_sweep(set->store, item.source->descriptor);
	/* A full disk has no room for the lock's file once the values are
	 * written: so it is made before.  If not, that is told then. */
	(void)file_directory_set_lock(set, item.source);
	chunk->items[chunk->count++] = item;
}

/* Whether the move may be worth its writing; if not, moved says why. */
static bool
is_possible(const struct item *item)
{
	struct store_transfer *transfer = item->transfer;
	struct stat st;

	if (fstatat(item->source->descriptor, file_leaf(transfer->source), &st,
		AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			fail(transfer, transfer->source, "move");
		else
			transfer->moved = 0;
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		transfer->moved = svc_error_set(&transfer->error, EX_DATAERR,
		    "%s: not a regular file", transfer->source);
		return false;
	}
	if (fstatat(item->target->descriptor, file_leaf(transfer->target), &st,
		AT_SYMLINK_NOFOLLOW) == 0) {
		transfer->moved = svc_error_set(&transfer->error, EX_CANTCREAT,
		    "%s: exists", transfer->target);
		return false;
	}
	return true;
}

/* Writing begins here, so that it is well on its way when it is waited for. */
static void
write_item(void *argument, size_t i)
{
	struct item *item = &((struct chunk *)argument)->items[i];
	struct store_transfer *transfer = item->transfer;

	if (!is_possible(item))
		return;
	if (file_temp_open(&item->temp, item->source->descriptor, false) ==
		-1 ||
	    file_temp_fill(&item->temp, transfer->value, transfer->length) ==
		-1)
		fail(transfer, transfer->source, "write");
	else
		file_temp_start(&item->temp);
}

/* A sync that failed is not tried again: the kernel would say that nothing is
 * left to be written. */
static void
sync_item(void *argument, size_t i)
{
	struct item *item = &((struct chunk *)argument)->items[i];

	if (item->transfer->moved == 1 && fsync(item->temp.descriptor) == -1)
		fail_sync(item->transfer, item->transfer->source);
}

/* Puts the new value in the place of what source is: 1; 0: nothing; -1. */
static int
exchange(struct item *item)
{
	struct store_transfer *transfer = item->transfer;
	const char *leaf = file_leaf(transfer->source);
	struct stat st;
	int old, status = 0;

	old = file_open_read(item->source->descriptor, leaf, &st);
	if (old == -1 && errno == ENOENT)
		return 0;
	if (old == -1)
		return -1;
	if (S_ISREG(st.st_mode))
		status = file_temp_exchange(&item->temp, leaf, old);
	close(old);
	return status;
}

/* Gives what was exchanged target's name; if not, source is what it was. */
static void
rename_item(struct item *item)
{
	struct store_transfer *transfer = item->transfer;
	const char *leaf = file_leaf(transfer->source);

	if (file_rename_new(item->source->descriptor, leaf,
		item->target->descriptor, file_leaf(transfer->target)) == 0) {
		item->source->lost = true;
		item->target->gained = true;
		return;
	}
	if (errno == ENOENT) {
		transfer->moved = 0;
		return;
	}
	if (errno == EEXIST)
		transfer->moved = svc_error_set(&transfer->error, EX_CANTCREAT,
		    "%s: exists", transfer->target);
	else
		fail(transfer, transfer->target, "make");
	file_temp_exchange_back(&item->temp, leaf);
}

static void
move_item(struct chunk *chunk, struct item *item)
{
	struct store_transfer *transfer = item->transfer;

	if (transfer->moved != 1)
		return;
	if (file_directory_set_lock(&chunk->set, item->source) == -1) {
		fail(transfer, transfer->source, "lock its directory");
		return;
	}
	transfer->moved = exchange(item);
	if (transfer->moved == -1)
		fail(transfer, transfer->source, "write");
	if (transfer->moved == 1)
		rename_item(item);
}

static void
check_sync(const struct item *item)
{
	struct store_transfer *transfer = item->transfer;

	if (transfer->moved != 1)
		return;
	errno = item->target->failed != 0 ? item->target->failed
					  : item->source->failed;
	if (errno != 0)
		fail_sync(transfer, transfer->target);
}

static void
finish_chunk(struct chunk *chunk)
{
	size_t i;

	file_directory_set_unlock(&chunk->set);
	file_workers_run(chunk->count, write_item, chunk);
	file_workers_run(chunk->count, sync_item, chunk);
	for (i = 0; i < chunk->count; i++)
		move_item(chunk, &chunk->items[i]);
	file_directory_set_sync(&chunk->set);
	for (i = 0; i < chunk->count; i++) {
		check_sync(&chunk->items[i]);
		file_temp_close(&chunk->items[i].temp);
	}
	file_directory_set_clear(&chunk->set);
	chunk->count = 0;
}

int
file_transfers(struct store *base, struct store_transfer *transfers,
    size_t count, struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;
	struct chunk *chunk;
	size_t i;

	if (file_store_begin(store, error) == -1)
		return -1;
	chunk = calloc(1, sizeof(*chunk));
	if (chunk == NULL)
		return svc_error_errno(error, "transfers");
	chunk->room = file_temp_room(count);
	chunk->items = calloc(chunk->room, sizeof(*chunk->items));
	if (chunk->items == NULL) {
		free(chunk);
		return svc_error_errno(error, "transfers");
	}
	file_directory_set_init(&chunk->set, store);
	for (i = 0; i < count; i++) {
		if (transfers[i].error.code != 0)
			continue;
		if (chunk->count == chunk->room ||
		    file_directory_set_is_full(&chunk->set, 2))
			finish_chunk(chunk);
		add_item(chunk, &transfers[i]);
	}
	finish_chunk(chunk);
	free(chunk->items);
	free(chunk);
	return 0;
}
