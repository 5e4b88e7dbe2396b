/*
 * The file store: a key is a path, a value is a file.
 *
 * svc-spool(5) is the contract with everybody who looks at the files.  The
 * modules file_*.h each hold some of the operations of store/backend.h.
 */
#ifndef SVCKIT_STORE_FILE_H
#define SVCKIT_STORE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "line/error.h"
#include "store/backend.h"

#define FILE_STORE_VERSION 1

struct file_store {
	struct store store;
	int root; /* descriptor of the directory */
	char *path; /* of it, for messages */
	bool local; /* not a network file system */
	bool version_known; /* the version file exists and was read */
	bool no_openat2;
	dev_t swept_device; /* the directory whose temporary files */
	ino_t swept_inode; /* this process has swept last */
};

int file_store_open(
    struct store **store, const char *path, struct svc_error *error);

/* Makes path and its parents, 0700 each. */
int file_store_create(const char *path, struct svc_error *error);

/* What every write does first: makes the version file if there is none. */
int file_store_begin(struct file_store *store, struct svc_error *error);

#endif
