/*
 * Many values with few syncs: write some hundred, have several threads wait
 * until they are on disk, give them their names, sync each directory once.
 */
#ifndef SVCKIT_STORE_FILE_BATCH_H
#define SVCKIT_STORE_FILE_BATCH_H

#include "store/file.h"

/* An operation of struct store_operations. */
int file_batch(struct store *store, struct store_put *puts, size_t count,
    struct svc_error *error);

#endif
