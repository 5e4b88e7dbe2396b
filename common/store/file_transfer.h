/*
 * Moving with a value: the new value is written beside source and synced, both
 * are exchanged, and source is renamed to target.
 *
 * Exchange and rename are one step to others who move with a value: they hold
 * the lock of source's directory.  So of several one finds source, and what
 * appears under its target is its own value.  Who moves without a value takes
 * no lock: in between it takes the new value along, which is a valid one.
 */
#ifndef SVCKIT_STORE_FILE_TRANSFER_H
#define SVCKIT_STORE_FILE_TRANSFER_H

#include "store/file.h"

/* An operation of struct store_operations. */
int file_transfers(struct store *store, struct store_transfer *transfers,
    size_t count, struct svc_error *error);

#endif
