/*
 * Lock leases that this process holds.
 */
#ifndef SVCKIT_STORE_FILE_HOLD_H
#define SVCKIT_STORE_FILE_HOLD_H

#include "store/file.h"
#include "store/file_temp.h"

/* Takes the locked descriptor of a published file over from temp; without
 * memory the file is removed again. */
int file_hold_new(struct file_store *store, const char *key,
    struct file_temp *temp, struct store_hold **hold, struct svc_error *error);

/* Operations of struct store_operations. */
int file_hold_put(struct store_hold *hold, const char *value, size_t length,
    struct svc_error *error);
int file_hold_valid(struct store_hold *hold, struct svc_error *error);
int file_hold_release(struct store_hold *hold, struct svc_error *error);
int file_hold_descriptor(const struct store_hold *hold);
void file_hold_abandon(struct store_hold *hold);

#endif
