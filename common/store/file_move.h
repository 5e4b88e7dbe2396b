/*
 * What changes names without writing values: moving, removing; and heartbeats.
 */
#ifndef SVCKIT_STORE_FILE_MOVE_H
#define SVCKIT_STORE_FILE_MOVE_H

#include "store/file.h"

/*
 * Removes leaf if it is the file open as descriptor, whose lock the caller
 * holds: 1; 0: it is another one, or gone; -1 and errno.
 */
int file_remove_exact(int directory, const char *leaf, int descriptor);

/* Operations of struct store_operations. */
int file_touch(struct store *store, const char *key, struct svc_error *error);
int file_move(struct store *store, const char *source, const char *target,
    const char *value, size_t length, struct svc_error *error);
int file_remove(struct store *store, const char *key,
    const struct store_revision *if_revision, bool dead_only,
    struct svc_error *error);

#endif
