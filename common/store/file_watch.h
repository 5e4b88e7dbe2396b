/*
 * Following directories with inotify(7).
 *
 * Each directory on the way to a followed one is watched as well, so that it
 * may appear, vanish and come back.  Whenever the set of watched directories
 * changes, or the kernel's queue overflows, the change told is STORE_RESYNC.
 */
#ifndef SVCKIT_STORE_FILE_WATCH_H
#define SVCKIT_STORE_FILE_WATCH_H

#include "store/file.h"

/* Operations of struct store_operations. */
int file_watch_open(
    struct store *store, struct store_watch **watch, struct svc_error *error);
int file_watch_add(
    struct store_watch *watch, const char *directory, struct svc_error *error);
void file_watch_close(struct store_watch *watch);
int file_watch_descriptor(const struct store_watch *watch);
int file_watch_read(struct store_watch *watch,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument, struct svc_error *error);

#endif
