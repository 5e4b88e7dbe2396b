#include "store/store.h"

#include <string.h>
#include <sysexits.h>

#include "store/backend.h"
#include "store/file.h"
#include "store/file_lock.h"

static bool
is_key_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool
is_key_char(char c)
{
	return is_key_start(c) || c == '.' || c == '_' || c == '-' || c == '@';
}

static bool
is_key(const char *key)
{
	const char *p = key;
	size_t length;

	do {
		for (length = 0; is_key_char(p[length]); length++)
			continue;
		if (!is_key_start(*p) || length > 255 ||
		    (p[length] != '/' && p[length] != '\0'))
			return false;
		p += length;
	} while (*p++ == '/');
	return true;
}

static int
check_key(const char *key, struct svc_error *error)
{
	if (!is_key(key))
		return svc_error_set(error, EX_USAGE, "not a key: '%s'", key);
	if (strlen(key) >= STORE_KEY_MAX)
		return svc_error_set(
		    error, EX_USAGE, "key too long: '%s'", key);
	return 0;
}

static int
check_value(const char *key, size_t length, struct svc_error *error)
{
	if (length <= STORE_VALUE_MAX)
		return 0;
	return svc_error_set(error, EX_DATAERR,
	    "%s: %zu bytes are more than the limit of %lu", key, length,
	    STORE_VALUE_MAX);
}

int
store_open(struct store **store, const char *place, struct svc_error *error)
{
	const char *scheme = strstr(place, "://");

	if (scheme != NULL)
		return svc_error_set(error, EX_UNAVAILABLE,
		    "registry %s: not a directory's path, and svckit has no "
		    "store for '%.*s'",
		    place, (int)(scheme - place), place);
	return file_store_open(store, place, error);
}

int
store_create(const char *place, struct svc_error *error)
{
	return file_store_create(place, error);
}

void
store_close(struct store *store)
{
	if (store != NULL)
		store->operations->close(store);
}

int
store_reopen(struct store *store, struct svc_error *error)
{
	return store->operations->reopen(store, error);
}

bool
store_is_local(const struct store *store)
{
	return store->operations->is_local(store);
}

int
store_get(struct store *store, const char *key, size_t limit,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error)
{
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->get(store, key, limit, scratch, entry, error);
}

int
store_exists(struct store *store, const char *key, struct svc_error *error)
{
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->exists(store, key, error);
}

int
store_list(
    struct store *store, const struct store_list *list, struct svc_error *error)
{
	if (check_key(list->directory, error) == -1)
		return -1;
	return store->operations->list(store, list, error);
}

/* Who is told of the names that are keys. */
struct key_filter {
	store_mark_fn fn;
	void *argument;
};

static int
tell_key(void *argument, const char *key, struct svc_error *error)
{
	const struct key_filter *filter = argument;

	if (!is_key(key) || strlen(key) >= STORE_KEY_MAX)
		return 0;
	return filter->fn(filter->argument, key, error);
}

int
store_keys(struct store *store, const char *directory, store_mark_fn fn,
    void *argument, struct svc_error *error)
{
	struct key_filter filter = {.fn = fn, .argument = argument};

	if (check_key(directory, error) == -1)
		return -1;
	return store->operations->keys(
	    store, directory, tell_key, &filter, error);
}

bool
store_entry_held(const struct store_entry *entry)
{
	/* Only the file store leaves it to be asked. */
	return entry->descriptor == -1 ? entry->held
				       : file_lock_held(entry->descriptor);
}

int
store_directories(struct store *store, const char *directory,
    int (*fn)(void *argument, const char *name, struct svc_error *error),
    void *argument, struct svc_error *error)
{
	if (check_key(directory, error) == -1)
		return -1;
	return store->operations->directories(
	    store, directory, fn, argument, error);
}

int
store_make_directory(struct store *store, const char *directory, uid_t uid,
    gid_t gid, mode_t mode, struct svc_error *error)
{
	if (check_key(directory, error) == -1)
		return -1;
	return store->operations->make_directory(
	    store, directory, uid, gid, mode, error);
}

int
store_directory_owner(struct store *store, const char *directory, uid_t *owner,
    struct svc_error *error)
{
	if (*directory != '\0' && check_key(directory, error) == -1)
		return -1;
	return store->operations->directory_owner(
	    store, directory, owner, error);
}

static int
check_put(const struct store_put *put, struct svc_error *error)
{
	if (check_key(put->key, error) == -1 ||
	    check_value(put->key, put->length, error) == -1)
		return -1;
	if (put->also == NULL)
		return 0;
	if (check_key(put->also, error) == -1)
		return -1;
	if (!put->if_absent || put->if_revision != NULL || put->length == 0 ||
	    put->lease == STORE_LOCK)
		return svc_error_set(error, EX_SOFTWARE,
		    "%s: beside %s only a value that is absent can be made",
		    put->also, put->key);
	return 0;
}

int
store_put(struct store *store, struct store_put *put, struct store_hold **hold,
    struct svc_error *error)
{
	put->replaced = false;
	if (check_put(put, error) == -1)
		return -1;
	if ((put->lease == STORE_LOCK) != (hold != NULL))
		return svc_error_set(error, EX_SOFTWARE,
		    "%s: a lock lease needs a holder", put->key);
	return store->operations->put(store, put, hold, error);
}

static int
check_batched(const struct store_put *put, struct svc_error *error)
{
	if (check_put(put, error) == -1)
		return -1;
	if (put->lease == STORE_LOCK)
		return svc_error_set(error, EX_USAGE,
		    "%s: a lock lease cannot stand in a batch", put->key);
	return 0;
}

int
store_batch(struct store *store, struct store_put *puts, size_t count,
    struct svc_error *error)
{
	struct svc_error failure;
	size_t i;

	for (i = 0; i < count; i++) {
		puts[i].replaced = false;
		puts[i].error.code = 0;
		check_batched(&puts[i], &puts[i].error);
	}
	if (store->operations->batch(store, puts, count, &failure) == -1)
		for (i = 0; i < count; i++)
			if (puts[i].error.code == 0)
				puts[i].error = failure;
	for (i = 0; i < count; i++) {
		if (puts[i].error.code == 0)
			continue;
		if (error != NULL)
			*error = puts[i].error;
		return -1;
	}
	return 0;
}

int
store_hold_put(struct store_hold *hold, const char *value, size_t length,
    struct svc_error *error)
{
	if (check_value("held value", length, error) == -1)
		return -1;
	return hold->store->operations->hold_put(hold, value, length, error);
}

int
store_hold_valid(struct store_hold *hold, struct svc_error *error)
{
	return hold->store->operations->hold_valid(hold, error);
}

int
store_release(struct store_hold *hold, struct svc_error *error)
{
	return hold->store->operations->release(hold, error);
}

int
store_hold_descriptor(const struct store_hold *hold)
{
	return hold->store->operations->hold_descriptor(hold);
}

void
store_hold_abandon(struct store_hold *hold)
{
	if (hold != NULL)
		hold->store->operations->hold_abandon(hold);
}

int
store_touch(struct store *store, const char *key, struct svc_error *error)
{
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->touch(store, key, error);
}

int
store_move(struct store *store, const char *source, const char *target,
    const char *value, size_t length, struct svc_error *error)
{
	if (check_key(source, error) == -1 || check_key(target, error) == -1 ||
	    check_value(target, length, error) == -1)
		return -1;
	return store->operations->move(
	    store, source, target, value, length, error);
}

static int
check_transfer(const struct store_transfer *transfer, struct svc_error *error)
{
	if (check_key(transfer->source, error) == -1 ||
	    check_key(transfer->target, error) == -1 ||
	    check_value(transfer->target, transfer->length, error) == -1)
		return -1;
	if (transfer->value == NULL)
		return svc_error_set(error, EX_SOFTWARE,
		    "%s: cannot be moved in a batch without a value",
		    transfer->source);
	return 0;
}

int
store_transfers(struct store *store, struct store_transfer *transfers,
    size_t count, struct svc_error *error)
{
	struct svc_error failure;
	size_t i;

	for (i = 0; i < count; i++) {
		transfers[i].moved = -1;
		transfers[i].unsynced = false;
		transfers[i].error.code = 0;
		check_transfer(&transfers[i], &transfers[i].error);
	}
	if (store->operations->transfers(store, transfers, count, &failure) ==
	    -1)
		for (i = 0; i < count; i++)
			if (transfers[i].error.code == 0)
				transfers[i].error = failure;
	for (i = 0; i < count; i++) {
		if (transfers[i].moved != -1)
			continue;
		if (error != NULL)
			*error = transfers[i].error;
		return -1;
	}
	return 0;
}

int
store_delete(struct store *store, const char *key,
    const struct store_revision *if_revision, bool dead_only,
    struct svc_error *error)
{
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->remove(
	    store, key, if_revision, dead_only, error);
}

int
store_sync(struct store *store, const char *directory, struct svc_error *error)
{
	if (check_key(directory, error) == -1)
		return -1;
	return store->operations->sync(store, directory, error);
}

int
store_watch_open(struct store *store, const char *directory,
    struct store_watch **watch, struct svc_error *error)
{
	if (check_key(directory, error) == -1 ||
	    store->operations->watch_open(store, watch, error) == -1)
		return -1;
	if (store->operations->watch_add(*watch, directory, error) == 0)
		return 0;
	store->operations->watch_close(*watch);
	*watch = NULL;
	return -1;
}

int
store_watch_add(
    struct store_watch *watch, const char *directory, struct svc_error *error)
{
	if (check_key(directory, error) == -1)
		return -1;
	return watch->store->operations->watch_add(watch, directory, error);
}

void
store_watch_close(struct store_watch *watch)
{
	if (watch != NULL)
		watch->store->operations->watch_close(watch);
}

int
store_watch_descriptor(const struct store_watch *watch)
{
	return watch->store->operations->watch_descriptor(watch);
}

int
store_watch_read(struct store_watch *watch,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument, struct svc_error *error)
{
	return watch->store->operations->watch_read(watch, fn, argument, error);
}

int
store_guard(struct store *store, const char *key, int *descriptor,
    struct svc_error *error)
{
	*descriptor = -1;
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->guard(store, key, descriptor, error);
}

int
store_lock(struct store *store, const char *key, struct svc_error *error)
{
	if (check_key(key, error) == -1)
		return -1;
	return store->operations->lock(store, key, error);
}
