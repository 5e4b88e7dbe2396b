/*
 * Writing one value: the protocol that svc-spool(5) describes.
 *
 * A new name is made with RENAME_NOREPLACE.  An existing file is replaced only
 * while the replacer holds the lock of its inode, and after a look that the
 * name still leads there; who holds the file's lock lease is never replaced.
 */
#ifndef SVCKIT_STORE_FILE_WRITE_H
#define SVCKIT_STORE_FILE_WRITE_H

#include "store/file.h"
#include "store/file_temp.h"

/* store_put() without the version file. */
int file_write(struct file_store *store, struct store_put *put,
    struct store_hold **hold, struct svc_error *error);

/*
 * Gives a filled temporary file the name leaf, as put says; its descriptor may
 * be closed.  No sync.
 */
int file_publish(struct file_temp *temp, const char *leaf,
    struct store_put *put, struct svc_error *error);

/*
 * Gives the file that was published as leaf, the name of put->key, that of
 * put->also in directory, too.  Its descriptor is open and has the guard, and
 * keeps it.  When that cannot be, leaf is removed.  No sync.
 */
int file_publish_also(struct file_temp *temp, const char *leaf, int directory,
    const struct store_put *put, struct svc_error *error);

/* An operation of struct store_operations. */
int file_put(struct store *store, struct store_put *put,
    struct store_hold **hold, struct svc_error *error);

#endif
