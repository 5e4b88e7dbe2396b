#include "store/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_hold.h"
#include "store/file_lock.h"
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
	if (lock_old(old, put, error) == -1 ||
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

static int
fill(struct file_temp *temp, const struct store_put *put,
    struct svc_error *error)
{
	if (put->lease == STORE_LOCK && file_lock_lease(temp->descriptor) == -1)
		return svc_error_errno(
		    error, "%s: cannot take a lock lease", put->key);
	if (file_temp_fill(temp, put->value, put->length) == -1)
		return svc_error_errno(error, "%s: cannot write", put->key);
	if (put->lease == STORE_DURABLE && fsync(temp->descriptor) == -1)
		return svc_error_errno(error, "%s: cannot sync", put->key);
	return 0;
}

int
file_write(struct file_store *store, struct store_put *put,
    struct store_hold **hold, struct svc_error *error)
{
	struct file_location location;
	struct file_temp temp;
	int status = -1;

	if (file_locate(store, put->key, true, &location, error) == -1)
		return -1;
	file_temp_sweep(store, location.directory);
	if (file_temp_open(
		&temp, location.directory, put->lease == STORE_LOCK) == -1) {
		svc_error_errno(error, "%s: cannot write", put->key);
		file_location_release(&location);
		return -1;
	}
	if (fill(&temp, put, error) == -1 ||
	    file_publish(&temp, location.leaf, put, error) == -1)
		goto out;
	if (put->lease == STORE_DURABLE && fsync(location.directory) == -1) {
		svc_error_errno(error, "%s: cannot sync", put->key);
		goto out;
	}
	if (hold != NULL &&
	    file_hold_new(store, put->key, &temp, hold, error) == -1)
		goto out;
	status = 0;
out:
	file_temp_close(&temp);
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
