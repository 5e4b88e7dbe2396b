#include "store/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_hold.h"
#include "store/file_lock.h"
#include "store/file_move.h"
#include "store/file_read.h"

#define REPLACE_FLAGS (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

/* 1: open as *descriptor; 0: there is none any more; -1. */
static int
open_old(int directory, const char *leaf, const struct store_put *put,
    int *descriptor, struct svc_error *error)
{
	struct stat st;

	if (fstatat(directory, leaf, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return 0;
		return svc_error_errno(error, "%s", put->key);
	}
	if (!S_ISREG(st.st_mode))
		return svc_error_set(error, EX_CANTCREAT,
		    "%s: something that is not a regular file is in the way",
		    put->key);
	if (put->if_owner != NULL && st.st_uid != *put->if_owner)
		return svc_error_set(error, EX_NOPERM,
		    "%s: owned by uid %lu, not by uid %lu", put->key,
		    (unsigned long)st.st_uid, (unsigned long)*put->if_owner);
	*descriptor = openat(directory, leaf, REPLACE_FLAGS);
	if (*descriptor != -1)
		return 1;
	return errno == ENOENT ? 0 : svc_error_errno(error, "%s", put->key);
}

/* What the locked file must be for put to replace it. */
static int
check_old(int old, struct store_put *put, struct svc_error *error)
{
	struct store_revision revision;
	struct stat st;

	if (fstat(old, &st) == -1)
		return svc_error_errno(error, "%s", put->key);
	if (put->if_owner != NULL && st.st_uid != *put->if_owner)
		return svc_error_set(error, EX_NOPERM,
		    "%s: owned by uid %lu, not by uid %lu", put->key,
		    (unsigned long)st.st_uid, (unsigned long)*put->if_owner);
	put->replaced = st.st_size > 0;
	if (put->if_absent && put->replaced)
		return svc_error_set(
		    error, EX_CANTCREAT, "%s: exists", put->key);
	revision = file_revision(&st);
	if (put->if_revision != NULL &&
	    (revision.part[0] != put->if_revision->part[0] ||
		revision.part[1] != put->if_revision->part[1]))
		return svc_error_set(
		    error, EX_TEMPFAIL, "%s: changed meanwhile", put->key);
	return 0;
}

static int
lock_old(int old, const struct store_put *put, struct svc_error *error)
{
	if (file_lock_replace(old) == 0)
		return 0;
	if (errno == EBUSY)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s is held by a living process", put->key);
	return svc_error_errno(error, "%s: cannot lock", put->key);
}

/*
 * An empty file counts as absent, but who guards it must not lose the name.
 * Nobody who writes with put->also makes an empty one, so this never waits for
 * a guard of the caller's own.
 */
static int
guard_old(int old, const struct store_put *put, struct svc_error *error)
{
	struct stat st;

	if (put->also == NULL || (fstat(old, &st) == 0 && st.st_size > 0) ||
	    file_lock_guard(old) == 0)
		return 0;
	return svc_error_errno(error, "%s: cannot lock", put->key);
}

/* 1: replaced; 0: look again; -1. */
static int
replace(struct file_temp *temp, const char *leaf, struct store_put *put,
    struct svc_error *error)
{
	int old = -1;
	int status;

	status = open_old(temp->directory, leaf, put, &old, error);
	if (status != 1)
		return status;
	if (guard_old(old, put, error) == -1 ||
	    lock_old(old, put, error) == -1 ||
	    check_old(old, put, error) == -1) {
		/* What it is counts only while the name leads there. */
		status = file_leads_to(temp->directory, leaf, old) ? -1 : 0;
	} else {
		status = file_temp_replace(temp, leaf, old);
		if (status == -1)
			svc_error_errno(error, "%s", put->key);
	}
	close(old);
	return status;
}

int
file_publish(struct file_temp *temp, const char *leaf, struct store_put *put,
    struct svc_error *error)
{
	int status = 0;

	while (status == 0) {
		put->replaced = false;
		if (put->if_revision == NULL) {
			if (file_temp_place(temp, leaf) == 0)
				return 0;
			if (errno != EEXIST)
				return svc_error_errno(error, "%s", put->key);
		}
		status = replace(temp, leaf, put, error);
		if (status == 0 && put->if_revision != NULL)
			return svc_error_set(error, EX_TEMPFAIL,
			    "%s: removed meanwhile", put->key);
	}
	return status == 1 ? 0 : -1;
}

int
file_publish_also(struct file_temp *temp, const char *leaf, int directory,
    const struct store_put *put, struct svc_error *error)
{
	const char *stays = "";
	int reason;

	if (file_temp_link(temp, directory, file_leaf(put->also)) == 0)
		return 0;
	reason = errno;
	if (file_remove_exact(temp->directory, leaf, temp->descriptor) == -1)
		stays = ", and cannot be removed";
	if (reason == EEXIST)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s: exists; %s did not%s", put->also, put->key, stays);
	errno = reason;
	return svc_error_errno(
	    error, "%s: cannot make beside %s%s", put->also, put->key, stays);
}

static int
fill(struct file_temp *temp, const struct store_put *put,
    struct svc_error *error)
{
	if (put->lease == STORE_LOCK && file_lock_lease(temp->descriptor) == -1)
		return svc_error_errno(
		    error, "%s: cannot take a lock lease", put->key);
	if (put->also != NULL && file_lock_guard(temp->descriptor) == -1)
		return svc_error_errno(error, "%s: cannot lock", put->key);
	if (file_temp_fill(temp, put->value, put->length) == -1)
		return svc_error_errno(error, "%s: cannot write", put->key);
	if (put->lease == STORE_DURABLE && fsync(temp->descriptor) == -1)
		return svc_error_errno(error, "%s: cannot sync", put->key);
	return 0;
}

/* Names the filled file, in one directory or two, and syncs them: the one that
 * says that the value exists first. */
static int
name(struct file_temp *temp, const struct file_location *location,
    const struct file_location *also, struct store_put *put,
    struct svc_error *error)
{
	if (file_publish(temp, location->leaf, put, error) == -1)
		return -1;
	if (put->also != NULL && file_publish_also(temp, location->leaf,
				     also->directory, put, error) == -1)
		return -1;
	if (put->lease != STORE_DURABLE)
		return 0;
	if (fsync(location->directory) == -1 ||
	    (put->also != NULL && fsync(also->directory) == -1))
		return svc_error_errno(error, "%s: cannot sync", put->key);
	return 0;
}

static int
write_there(struct file_store *store, const struct file_location *location,
    const struct file_location *also, struct store_put *put,
    struct store_hold **hold, struct svc_error *error)
{
	bool secret = put->lease == STORE_LOCK || put->also != NULL;
	struct file_temp temp;
	int status = -1;

	file_temp_sweep(store, location->directory);
	if (file_temp_open(&temp, location->directory, secret) == -1)
		return svc_error_errno(error, "%s: cannot write", put->key);
	if (fill(&temp, put, error) == 0 &&
	    name(&temp, location, also, put, error) == 0 &&
	    (hold == NULL ||
		file_hold_new(store, put->key, &temp, hold, error) == 0))
		status = 0;
	file_temp_close(&temp);
	return status;
}

int
file_write(struct file_store *store, struct store_put *put,
    struct store_hold **hold, struct svc_error *error)
{
	struct file_location location, also;
	int status;

	if (file_locate(store, put->key, true, &location, error) == -1)
		return -1;
	if (put->also == NULL) {
		status = write_there(store, &location, NULL, put, hold, error);
	} else {
		status = file_locate(store, put->also, true, &also, error);
		if (status == 1) {
			status = write_there(
			    store, &location, &also, put, hold, error);
			file_location_release(&also);
		}
	}
	file_location_release(&location);
	return status;
}

int
file_put(struct store *base, struct store_put *put, struct store_hold **hold,
    struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;

	if (file_store_begin(store, error) == -1)
		return -1;
	return file_write(store, put, hold, error);
}
