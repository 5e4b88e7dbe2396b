/*
 * The directories of many keys: each is opened once, locked for a run of
 * changes, and synced once.
 */
#ifndef SVCKIT_STORE_FILE_DIRECTORY_SET_H
#define SVCKIT_STORE_FILE_DIRECTORY_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "store/file.h"

#define FILE_DIRECTORY_SET_MAX 128

struct file_directory {
	const char *key; /* of some value in it; the caller's */
	size_t length; /* of the directory's part, without slash */
	int descriptor;
	/* The caller's notes of what is to be synced. */
	bool gained; /* it got a name */
	bool lost; /* a name left it for another directory */
	int failed; /* out: errno of its sync; 0: it is on disk */
};

struct file_directory_set {
	struct file_store *store;
	struct file_directory directories[FILE_DIRECTORY_SET_MAX];
	size_t count;
	struct file_directory *locked; /* NULL: none is */
	int lock;
	size_t under_lock; /* changes since it was taken */
};

void file_directory_set_init(
    struct file_directory_set *set, struct file_store *store);
/* Unlocks and closes all, for the set to be filled anew. */
void file_directory_set_clear(struct file_directory_set *set);
/* Whether it may be too full for so many more directories. */
bool file_directory_set_is_full(
    const struct file_directory_set *set, size_t more);

/*
 * The directory of key, which is valid until the set is cleared.  make: it is
 * made when absent.  1; 0: absent; -1.
 */
int file_directory_set_open(struct file_directory_set *set, const char *key,
    bool make, struct file_directory **directory, struct svc_error *error);

/*
 * Takes the directory's lock for one change: 0, or -1 and errno.  It is kept
 * for the next one, though not for so many in a row that others would wait
 * long; with it that of another directory is let go.
 */
int file_directory_set_lock(
    struct file_directory_set *set, struct file_directory *directory);
void file_directory_set_unlock(struct file_directory_set *set);

/*
 * Syncs what gained or lost names, in the order in which they were opened, but
 * those that only gained first and those that only lost last: so a name that
 * moves may be found twice after a power cut, but never lost.
 */
void file_directory_set_sync(struct file_directory_set *set);

#endif
