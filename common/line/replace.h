/*
 * Replaces a file that a user named, as a whole: readers see the old one or the
 * new one, never half of one, and never none.
 *
 * The bytes go into a temporary file in the same directory, ".NAME.svckit-" and
 * 16 hexadecimal digits, which then gets the name.  What a killed process left
 * behind under such a name is removed by a later call for the same path, when
 * it is an hour old and belongs to the caller.
 *
 * The file keeps the permissions of the one it replaces; a file that did not
 * exist gets 0666 less the umask.  Owner and group are those of a file made by
 * the caller.
 *
 * Only a regular file is replaced.  A symbolic link as the last part of path is
 * refused (those before it are followed): to replace the link would cut off
 * the file behind it, and to follow it would write where somebody else may
 * point it.
 */
#ifndef SVCKIT_LINE_REPLACE_H
#define SVCKIT_LINE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

#define REPLACE_TEMP_SECONDS (60 * 60)

/*
 * Makes length bytes at data what path has.  durable: file and directory are
 * synced, so that after a power cut, too, it is the old or the new one.
 *
 * -1: EX_CANTCREAT for what is no regular file and for a directory that does
 * not exist, EX_NOPERM, EX_IOERR for a full disk; path has what it had, and
 * nothing is left behind.  Only when the directory cannot be synced, which is
 * an error, too, the new file stands there already.  A limit of file size must
 * not kill the process: ignore SIGXFSZ.
 */
int replace_file(const char *path, const void *data, size_t length,
    bool durable, struct svc_error *error);

/*
 * Whether replace_file() would find a file that it replaces, or none, in a
 * directory that it may write to: so that a wrong path is told before anything
 * is done.  0, -1.
 */
int replace_check(const char *path, struct svc_error *error);

/*
 * Opens what replace_file() would replace, for reading: 1 and *descriptor (the
 * caller's to close); 0: there is none; -1, also for what it would refuse.
 */
int replace_open(const char *path, int *descriptor, struct svc_error *error);

#endif
