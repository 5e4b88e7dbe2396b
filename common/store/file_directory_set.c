#include "store/file_directory_set.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_lock.h"

#define LOCK_CHANGES 64 /* under one lock: others wait that long */

void
file_directory_set_init(
    struct file_directory_set *set, struct file_store *store)
{
	set->store = store;
	set->count = 0;
	set->locked = NULL;
}

void
file_directory_set_clear(struct file_directory_set *set)
{
	file_directory_set_unlock(set);
	while (set->count > 0)
		close(set->directories[--set->count].descriptor);
}

bool
file_directory_set_is_full(const struct file_directory_set *set, size_t more)
{
	return set->count + more > FILE_DIRECTORY_SET_MAX;
}

/* Bulk input is usually of one place, so the last one is tried first. */
static struct file_directory *
find(struct file_directory_set *set, const char *key, size_t length)
{
	struct file_directory *directory;
	size_t i;

	for (i = set->count; i > 0; i--) {
		directory = &set->directories[i - 1];
		if (directory->length == length &&
		    memcmp(directory->key, key, length) == 0)
			return directory;
	}
	return NULL;
}

int
file_directory_set_open(struct file_directory_set *set, const char *key,
    bool make, struct file_directory **result, struct svc_error *error)
{
	const char *leaf = file_leaf(key);
	size_t length = leaf == key ? 0 : (size_t)(leaf - key) - 1;
	struct file_directory *directory = find(set, key, length);
	struct file_location location;
	int status;

	*result = directory;
	if (directory != NULL)
		return 1;
	status = file_locate(set->store, key, make, &location, error);
	if (status != 1)
		return status;
	directory = &set->directories[set->count++];
	*directory = (struct file_directory){
	    .key = key, .length = length, .descriptor = location.directory};
	*result = directory;
	return 1;
}

int
file_directory_set_lock(
    struct file_directory_set *set, struct file_directory *directory)
{
	if (set->locked == directory && set->under_lock < LOCK_CHANGES) {
		set->under_lock++;
		return 0;
	}
	file_directory_set_unlock(set);
	set->lock = file_lock_directory(directory->descriptor);
	if (set->lock == -1)
		return -1;
	set->locked = directory;
	set->under_lock = 1;
	return 0;
}

void
file_directory_set_unlock(struct file_directory_set *set)
{
	if (set->locked != NULL)
		file_unlock_directory(set->lock);
	set->locked = NULL;
}

/* A sync that failed is not tried again: the kernel would say that nothing is
 * left to be written. */
static void
sync_those(struct file_directory_set *set, bool gained, bool lost)
{
	struct file_directory *directory;
	size_t i;

	for (i = 0; i < set->count; i++) {
		directory = &set->directories[i];
		if (directory->gained == gained && directory->lost == lost &&
		    fsync(directory->descriptor) == -1)
			directory->failed = errno;
	}
}

void
file_directory_set_sync(struct file_directory_set *set)
{
	file_directory_set_unlock(set);
	sync_those(set, true, false);
	sync_those(set, true, true);
	sync_those(set, false, true);
}
