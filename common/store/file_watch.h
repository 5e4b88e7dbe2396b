/*
 * Following directories with inotify(7).
 *
 * Each directory on the way to a followed one is watched as well, so that it
 * may appear, vanish and come back.  A directory that came or went is told as
 * STORE_RESYNC of that directory, after it is watched; an overflow of the
 * kernel's queue as STORE_RESYNC of all.
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
