/*
 * Temporary files: what a value is until it gets its name.
 *
 * They are made in the directory of the value as ".tmp.PID.RANDOM".  A key
 * never begins with a dot, so no reader takes one for a value.  What a killed
 * writer leaves behind is swept by later writers after an hour.
 */
#ifndef SVCKIT_STORE_FILE_TEMP_H
#define SVCKIT_STORE_FILE_TEMP_H

#include <stdbool.h>
#include <stddef.h>

#include "store/file.h"

#define FILE_TEMP_PREFIX    ".tmp."
#define FILE_TEMP_SECONDS   (60 * 60)
#define FILE_TEMP_NAME_SIZE 48
/* Larger directories are swept by some of their writers only. */
#define FILE_TEMP_SWEEP_SIZE (16 * 1024)

struct file_temp {
	int directory; /* the caller's */
	int descriptor; /* -1: closed */
	char name[FILE_TEMP_NAME_SIZE]; /* "": it has none, or another by now */
};

/* What file_temp_close() has nothing to do for. */
#define FILE_TEMP_NONE                            \
	{                                         \
		.directory = -1, .descriptor = -1 \
	}

/* How many of count a process should have open at once: at least 1. */
size_t file_temp_room(size_t count);

/* A name for one that nothing has. */
void file_temp_name(char name[FILE_TEMP_NAME_SIZE]);

/*
 * Makes an empty one in directory: 0, or -1 and errno.  secret: nobody else can
 * open it before it is filled, which a lock lease needs.
 */
int file_temp_open(struct file_temp *temp, int directory, bool secret);
/*
 * The same without a name, which is cheaper where it can be placed under a new
 * one, and the only thing that can be done with it.  Not all file systems can.
 */
int file_temp_open_nameless(struct file_temp *temp, int directory);
/* Writes the value and gives it the mode of one, 0644: 0, or -1 and errno. */
int file_temp_fill(struct file_temp *temp, const void *value, size_t length);
/* Has the kernel begin to write it to disk, which fsync(2) then waits for. */
void file_temp_start(const struct file_temp *temp);
/* Closes it, and removes what still has the temporary name. */
void file_temp_close(struct file_temp *temp);

/* Gives it the name leaf, unless that exists: 0, or -1 and errno EEXIST. */
int file_temp_place(struct file_temp *temp, const char *leaf);
/* The same where the caller holds the directory's lock. */
int file_temp_place_locked(struct file_temp *temp, const char *leaf);

/* Gives the open file one more name, in any directory: 0, or -1 and errno. */
int file_temp_link(
    const struct file_temp *temp, int directory, const char *leaf);

/* Puts it in the place of leaf, if that is the file open as old, whose lock the
 * caller holds: 1; 0: leaf is gone, or another file; -1 and errno. */
int file_temp_replace(struct file_temp *temp, const char *leaf, int old);

/*
 * The same while others move leaf away who take no lock: both are exchanged,
 * what was taken is looked at, and given back when it is not old.  The old file
 * has the temporary name then, where the file system can do that.  The caller
 * holds the directory's lock.
 */
int file_temp_exchange(struct file_temp *temp, const char *leaf, int old);
/* Undoes it as far as that is possible. */
void file_temp_exchange_back(struct file_temp *temp, const char *leaf);

/* Renames source of one directory to target of another, which must not exist:
 * 0, or -1 and errno EEXIST or ENOENT. */
int file_rename_new(int source_directory, const char *source,
    int target_directory, const char *target);

/* Whether leaf leads to the file open as descriptor. */
bool file_leads_to(int directory, const char *leaf, int descriptor);

/*
 * Removes old temporary files from directory, at most once in a row for each
 * directory; what cannot be removed is left for others.  To list a large one
 * takes long, so chance says who does: what it costs on average does not grow.
 */
void file_temp_sweep(struct file_store *store, int directory);

#endif
