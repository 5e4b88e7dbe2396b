#include "registry/cursor.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/handle.h"

#define CURSOR_KEY_SIZE (2 * NAME_MAX_LENGTH)

struct cursor {
	char key[CURSOR_KEY_SIZE];
	char id[NAME_MAX_LENGTH + 1];
	bool changed;
};

struct cursor_set {
	struct registry *registry;
	char directory[64]; /* "cursors/UID" */
	int lock; /* -1: not held */
	struct cursor *cursors; /* read or changed under this lock */
	size_t count;
	size_t capacity;
};

/* In a system registry the directory of all is anybody's to add to, so that
 * ours must be ours. */
static int
make_directory(struct cursor_set *set, struct svc_error *error)
{
	struct store *store = set->registry->store;
	uid_t owner;

	if (store_make_directory(store, set->directory, (uid_t)-1, (gid_t)-1,
		0700, error) == -1 ||
	    store_directory_owner(store, set->directory, &owner, error) == -1)
		return -1;
	if (owner == geteuid())
		return 0;
	return svc_error_set(error, EX_NOPERM, "%s/%s belongs to %s",
	    set->registry->place, set->directory,
	    registry_owner_name(set->registry, owner));
}

int
cursor_set_open(struct cursor_set **result, struct registry *registry,
    struct svc_error *error)
{
	struct cursor_set *set = calloc(1, sizeof(*set));

	*result = NULL;
	if (set == NULL)
		return svc_error_errno(error, "cursors");
	set->registry = registry;
	set->lock = -1;
	snprintf(set->directory, sizeof(set->directory), "cursors/%lu",
	    (unsigned long)geteuid());
	if (make_directory(set, error) == -1) {
		free(set);
		return -1;
	}
	*result = set;
	return 0;
}

void
cursor_set_close(struct cursor_set *set)
{
	if (set == NULL)
		return;
	if (set->lock != -1)
		close(set->lock);
	free(set->cursors);
	free(set);
}

static int
take_lock(struct cursor_set *set, struct svc_error *error)
{
	char key[80];

	if (set->lock != -1)
		return 0;
	snprintf(key, sizeof(key), "%s/lock", set->directory);
	set->lock = store_lock(set->registry->store, key, error);
	return set->lock == -1 ? -1 : 0;
}

static struct cursor *
find(struct cursor_set *set, const char *key)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (strcmp(set->cursors[i].key, key) == 0)
			return &set->cursors[i];
	return NULL;
}

static struct cursor *
add(struct cursor_set *set, const char *key, struct svc_error *error)
{
	struct cursor *cursors;
	size_t capacity;

	if (strlen(key) >= CURSOR_KEY_SIZE) {
		svc_error_set(error, EX_USAGE, "cursor too long: '%s'", key);
		return NULL;
	}
	if (set->count == set->capacity) {
		capacity = set->capacity == 0 ? 8 : 2 * set->capacity;
		cursors =
		    reallocarray(set->cursors, capacity, sizeof(*cursors));
		if (cursors == NULL) {
			svc_error_errno(error, "cursor '%s'", key);
			return NULL;
		}
		set->cursors = cursors;
		set->capacity = capacity;
	}
	memset(&set->cursors[set->count], 0, sizeof(*cursors));
	memcpy(set->cursors[set->count].key, key, strlen(key) + 1);
	return &set->cursors[set->count++];
}

/* What is stored is a hint: anything but a name means "start anew". */
static int
read_cursor(
    struct cursor_set *set, struct cursor *cursor, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	char key[sizeof(set->directory) + CURSOR_KEY_SIZE + 1];
	size_t length;
	int status;

	snprintf(key, sizeof(key), "%s/%s", set->directory, cursor->key);
	status = store_get(set->registry->store, key, 2 * NAME_MAX_LENGTH,
	    &scratch, &entry, error);
	if (status == 1) {
		length = entry.length;
		if (length > 0 && entry.value[length - 1] == '\n')
			length--;
		if (name_valid(entry.value, length)) {
			memcpy(cursor->id, entry.value, length);
			cursor->id[length] = '\0';
		}
	}
	buffer_release(&scratch);
	return status == -1 ? -1 : 0;
}

int
cursor_load(struct cursor_set *set, const char *key,
    char id[NAME_MAX_LENGTH + 1], struct svc_error *error)
{
	struct cursor *cursor;

	if (take_lock(set, error) == -1)
		return -1;
	cursor = find(set, key);
	if (cursor == NULL) {
		cursor = add(set, key, error);
		if (cursor == NULL)
			return -1;
		if (read_cursor(set, cursor, error) == -1) {
			set->count--;
			return -1;
		}
	}
	memcpy(id, cursor->id, sizeof(cursor->id));
	return 0;
}

int
cursor_store(struct cursor_set *set, const char *key, const char *id,
    struct svc_error *error)
{
	struct cursor *cursor;

	if (name_check("instance", id, error) == -1 ||
	    take_lock(set, error) == -1)
		return -1;
	cursor = find(set, key);
	if (cursor == NULL)
		cursor = add(set, key, error);
	if (cursor == NULL)
		return -1;
	memcpy(cursor->id, id, strlen(id) + 1);
	cursor->changed = true;
	return 0;
}

static int
write_cursor(struct cursor_set *set, const struct cursor *cursor,
    struct svc_error *error)
{
	char key[sizeof(set->directory) + CURSOR_KEY_SIZE + 1];
	char value[NAME_MAX_LENGTH + 2];
	struct store_put put = {
	    .key = key, .value = value, .lease = STORE_SOFT};

	snprintf(key, sizeof(key), "%s/%s", set->directory, cursor->key);
	put.length = (size_t)snprintf(value, sizeof(value), "%s\n", cursor->id);
	return store_put(set->registry->store, &put, NULL, error);
}

int
cursor_set_commit(struct cursor_set *set, struct svc_error *error)
{
	int status = 0;
	size_t i;

	for (i = 0; i < set->count && status == 0; i++)
		if (set->cursors[i].changed)
			status = write_cursor(set, &set->cursors[i], error);
	/* Others move them from here on. */
	set->count = 0;
	if (set->lock != -1)
		close(set->lock);
	set->lock = -1;
	return status;
}

void
cursor_key(const char *service, const char *const *ids, size_t count,
    char key[CURSOR_KEY_SIZE])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;
	size_t i;
	int length;

	SHA256Init(&context);
	for (i = 0; i < count; i++) {
		SHA256Update(&context, (const uint8_t *)ids[i], strlen(ids[i]));
		SHA256Update(&context, (const uint8_t *)"\n", 1);
	}
	SHA256Final(digest, &context);
	length = snprintf(key, CURSOR_KEY_SIZE, "%.128s.", service);
	for (i = 0; i < 8; i++)
		length += snprintf(key + length,
		    CURSOR_KEY_SIZE - (size_t)length, "%02x", digest[i]);
}
