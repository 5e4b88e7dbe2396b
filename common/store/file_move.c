#include "store/file_move.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_lock.h"
#include "store/file_read.h"
#include "store/file_temp.h"
#include "store/file_transfer.h"

#define LOCK_FLAGS (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

int
file_remove_exact(int directory, const char *leaf, int descriptor)
{
	int lock = file_lock_directory(directory);
	int status = 0;

	if (lock == -1)
		return -1;
	if (file_leads_to(directory, leaf, descriptor)) {
		status = unlinkat(directory, leaf, 0);
		if (status == 0)
			status = 1;
		else if (errno == ENOENT)
			status = 0;
	}
	file_unlock_directory(lock);
	return status;
}

/* Whether leaf is there, or is put back by one that took it away to look. */
static bool
is_there(int directory, const char *leaf)
{
	struct stat st;
	bool there;
	int lock;

	if (fstatat(directory, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	lock = file_lock_directory(directory);
	if (lock == -1)
		return false;
	there = fstatat(directory, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0;
	file_unlock_directory(lock);
	return there;
}

/* A beat counts only if the name is there behind it: remove_unchanged(). */
int
file_touch(struct store *base, const char *key, struct svc_error *error)
{
	struct file_location location;
	int status;

	status = file_locate(
	    (struct file_store *)base, key, false, &location, error);
	if (status != 1)
		return status;
	if (utimensat(location.directory, location.leaf, NULL,
		AT_SYMLINK_NOFOLLOW) == -1)
		status =
		    errno == ENOENT ? 0 : svc_error_errno(error, "%s", key);
	else
		status = is_there(location.directory, location.leaf);
	file_location_release(&location);
	return status;
}

/* 1; 0: source is gone; -1. */
static int
rename_between(const struct file_location *source,
    const struct file_location *target, const char *key,
    struct svc_error *error)
{
	if (file_rename_new(source->directory, source->leaf, target->directory,
		target->leaf) == 0)
		return 1;
	if (errno == EEXIST)
		return svc_error_set(error, EX_CANTCREAT, "%s: exists", key);
	return errno == ENOENT ? 0 : svc_error_errno(error, "%s", key);
}

static int
move_with_value(struct store *base, const char *source, const char *target,
    const char *value, size_t length, struct svc_error *error)
{
	struct store_transfer transfer = {.source = source,
	    .target = target,
	    .value = value,
	    .length = length};

	if (file_transfers(base, &transfer, 1, error) == -1)
		return -1;
	if (transfer.moved == -1 && error != NULL)
		*error = transfer.error;
	return transfer.moved;
}

int
file_move(struct store *base, const char *source_key, const char *target_key,
    const char *value, size_t length, struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;
	struct file_location source, target;
	int status;

	if (value != NULL)
		return move_with_value(
		    base, source_key, target_key, value, length, error);
	if (file_store_begin(store, error) == -1)
		return -1;
	status = file_locate(store, source_key, false, &source, error);
	if (status != 1)
		return status;
	status = file_locate(store, target_key, true, &target, error);
	if (status == 1) {
		status = rename_between(&source, &target, target_key, error);
		file_location_release(&target);
	}
	file_location_release(&source);
	return status;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * A heartbeat takes no lock.  So the file loses its name first, and is looked
 * at again: a beat before that shows, and it is put back; who beats after it
 * finds no name.  1; 0: it has changed, or is gone; -1 and errno.
 */
static int
remove_unchanged(int directory, const char *leaf, int fd, const struct stat *st)
{
	char name[FILE_TEMP_NAME_SIZE];
	struct stat taken;

	if (!file_leads_to(directory, leaf, fd))
		return 0;
	file_temp_name(name);
	if (file_rename_new(directory, leaf, directory, name) == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &taken) == 0 && same_time(&taken.st_mtim, &st->st_mtim))
		return unlinkat(directory, name, 0) == 0 ? 1 : -1;
	/* Somebody who knows of no lock may have made a new one: that stays. */
	if (file_rename_new(directory, name, directory, leaf) == 0)
		return 0;
	return errno == EEXIST ? unlinkat(directory, name, 0) : -1;
}

/* Removes what is locked and is what was asked for: 1, 0, -1. */
static int
remove_locked(const struct file_location *location, const char *key,
    const struct store_revision *if_revision, int fd, struct svc_error *error)
{
	struct store_revision revision;
	struct stat st;
	int lock, status;

	if (fstat(fd, &st) == -1)
		return svc_error_errno(error, "%s", key);
	revision = file_revision(&st);
	if (if_revision != NULL &&
	    (revision.part[0] != if_revision->part[0] ||
		revision.part[1] != if_revision->part[1]))
		return 0;
	lock = file_lock_directory(location->directory);
	if (lock == -1)
		return svc_error_errno(error, "%s: cannot lock", key);
	status = remove_unchanged(location->directory, location->leaf, fd, &st);
	file_unlock_directory(lock);
	if (status == -1)
		svc_error_errno(error, "%s: cannot remove", key);
	return status;
}

/*
 * Under the inode's lock, which needs write permission: who may only remove
 * names (the directory's owner) cannot tell that nobody replaces the file.
 */
static int
remove_if(const struct file_location *location, const char *key,
    const struct store_revision *if_revision, struct svc_error *error)
{
	int fd = openat(location->directory, location->leaf, LOCK_FLAGS);
	int status = 0;

	if (fd == -1)
		return errno == ENOENT ? 0 : svc_error_errno(error, "%s", key);
	if (file_lock_replace(fd) == 0)
		status = remove_locked(location, key, if_revision, fd, error);
	else if (errno != EBUSY)
		status = svc_error_errno(error, "%s: cannot lock", key);
	close(fd);
	return status;
}

int
file_remove(struct store *base, const char *key,
    const struct store_revision *if_revision, bool dead_only,
    struct svc_error *error)
{
	struct file_location location;
	int status;

	status = file_locate(
	    (struct file_store *)base, key, false, &location, error);
	if (status != 1)
		return status;
	if (dead_only || if_revision != NULL)
		status = remove_if(&location, key, if_revision, error);
	else if (unlinkat(location.directory, location.leaf, 0) == -1)
		status = errno == ENOENT
			     ? 0
			     : svc_error_errno(error, "%s: cannot remove", key);
	file_location_release(&location);
	return status;
}
