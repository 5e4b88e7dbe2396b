/*
 * Locks on files of the spool: open file description locks, which end with the
 * last descriptor of the process that took them, however it ends.
 *
 * Three ranges keep three meanings apart:
 *
 *	the whole file	a lock lease: the record lives with the lock's holder
 *	byte 0 alone	the right to replace this inode, held for an instant
 *	byte 1 alone	a guard: see store_guard()
 *
 * So a replacer conflicts with a lease and with other replacers, a guard with a
 * lease and with other guards, while a reader that asks about everything behind
 * byte 1 sees leases only.  Who guards a file may replace it, and remove it.
 * Only a write lock is a sign of life: anybody who may read can take a read
 * lock.
 */
#ifndef SVCKIT_STORE_FILE_LOCK_H
#define SVCKIT_STORE_FILE_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/backend.h"

/* Takes the lease of a file that nobody else has open: 0, or -1 and errno. */
int file_lock_lease(int descriptor);

/*
 * Takes the right to replace, waiting for other replacers.  0; -1 with errno:
 * EBUSY when the file's lock lease is held.  A file system without locks
 * protects nothing, and it is 0.
 *
 * Who may only read can keep a read lock for ever, so the wait is one for write
 * locks; of several replacers that it lets through at once, the directory's
 * lock and the name choose one.
 */
int file_lock_replace(int descriptor);

/*
 * Takes the guard, waiting for others who have it: 0, or -1 and errno.  A file
 * system without locks protects nothing, and it is 0.  Never wait for it with
 * the right to replace the same inode: who guards it may be waiting for that.
 */
int file_lock_guard(int descriptor);

/* Whether another open file holds the lock lease; any descriptor will do. */
bool file_lock_held(int descriptor);

/*
 * Binds the writers of a directory to each other while a name is looked at and
 * changed, so that a record removed by hand and made anew in that instant is
 * not taken for the old one.  Its file, ".lock", may be opened by whom the
 * directory's mode lets write, so nobody else can keep writers waiting.
 *
 * Returns a descriptor for file_unlock_directory(), or -1 and errno.  Never
 * take it and then wait for an inode's lock: replacers take them the other way
 * round.
 */
int file_lock_directory(int directory);
/* errno is preserved. */
void file_unlock_directory(int lock);

/* Gives the lock's file, which is made when there is none, to the owner (-1:
 * leave it) and group of the directory: 0, or -1 and errno. */
int file_lock_give(int directory, uid_t uid, gid_t gid);

/* Operations of struct store_operations. */
int file_guard(struct store *store, const char *key, int *descriptor,
    struct svc_error *error);
int file_lock_section(
    struct store *store, const char *key, struct svc_error *error);

#endif
