/*
 * Reading values, from files that may be anything.
 *
 * A value is a regular file of at most the limit, opened from a directory
 * descriptor without following a link and without waiting for a FIFO.
 */
#ifndef SVCKIT_STORE_FILE_READ_H
#define SVCKIT_STORE_FILE_READ_H

#include <sys/stat.h>

#include "store/file.h"

/* Opens a leaf for reading, and stats it: a descriptor, or -1 and errno. */
int file_open_read(int directory, const char *leaf, struct stat *st);

struct store_revision file_revision(const struct stat *st);
/* Milliseconds since 1970 of the older of both times, of which the owner of a
 * file can forge only one. */
int64_t file_heartbeat(const struct stat *st);

/* Operations of struct store_operations. */
int file_get(struct store *store, const char *key, size_t limit,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error);
int file_exists(struct store *store, const char *key, struct svc_error *error);
int file_list(struct store *store, const struct store_list *list,
    struct svc_error *error);

#endif
