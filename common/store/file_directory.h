/*
 * The file store's directories, opened so that no link leads out of it.
 */
#ifndef SVCKIT_STORE_FILE_DIRECTORY_H
#define SVCKIT_STORE_FILE_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "line/error.h"
#include "store/file.h"

/* Where a key's file is. */
struct file_location {
	int directory; /* open for reading */
	const char *leaf; /* points into the key */
};

/* The part of key behind the last slash. */
const char *file_leaf(const char *key);

/*
 * Opens the directory called path ("services/render").  make: it is made when
 * absent, durably.  1 and *descriptor, which the caller closes; 0: absent; -1.
 */
int file_directory_open(struct file_store *store, const char *path, bool make,
    int *descriptor, struct svc_error *error);

/* The same for the directory that key is in.  1, 0, -1. */
int file_locate(struct file_store *store, const char *key, bool make,
    struct file_location *location, struct svc_error *error);
void file_location_release(struct file_location *location);

/* Operations of struct store_operations. */
int file_directories(struct store *store, const char *directory,
    int (*fn)(void *argument, const char *name, struct svc_error *error),
    void *argument, struct svc_error *error);
int file_keys(struct store *store, const char *directory, store_mark_fn fn,
    void *argument, struct svc_error *error);
int file_make_directory(struct store *store, const char *directory, uid_t uid,
    gid_t gid, mode_t mode, struct svc_error *error);
int file_directory_owner(struct store *store, const char *directory,
    uid_t *owner, struct svc_error *error);
int file_sync(
    struct store *store, const char *directory, struct svc_error *error);

#endif
