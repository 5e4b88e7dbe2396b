#include "store/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_temp.h"

#define DIRECTORY_LOCK ".lock"
#define LOCK_FLAGS     (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

/* What a lock covers. */
enum range {
	REPLACE = 0, /* this byte */
	GUARD = 1, /* this byte */
	LEASE = 2, /* what a reader asks about: from this byte on */
	ALL
};

static int
set_lock(int descriptor, int command, short type, enum range range)
{
	struct flock lock = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = range == ALL ? 0 : range,
	    .l_len = range == ALL ? 0 : 1};
	int status;

	do
		status = fcntl(descriptor, command, &lock);
	while (status == -1 && errno == EINTR);
	return status;
}

int
file_lock_lease(int descriptor)
{
	return set_lock(descriptor, F_OFD_SETLK, F_WRLCK, ALL);
}

bool
file_lock_held(int descriptor)
{
	struct flock lock = {
	    .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LEASE};

	return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 &&
	       lock.l_type == F_WRLCK;
}

/* Whether the file system has no locks, as errno says. */
static bool
is_unsupported(void)
{
	return errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS;
}

int
file_lock_guard(int descriptor)
{
	if (set_lock(descriptor, F_OFD_SETLKW, F_WRLCK, GUARD) == 0)
		return 0;
	return is_unsupported() ? 0 : -1;
}

int
file_lock_replace(int descriptor)
{
	if (set_lock(descriptor, F_OFD_SETLK, F_WRLCK, REPLACE) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES) {
		/* A lease is taken before its file has a name, so what is not
		 * leased stays so. */
		if (file_lock_held(descriptor)) {
			errno = EBUSY;
			return -1;
		}
		return set_lock(descriptor, F_OFD_SETLKW, F_RDLCK, REPLACE);
	}
	return is_unsupported() ? 0 : -1;
}

/* Who may write to the directory may open its lock, and nobody else. */
static mode_t
lock_mode(const struct stat *directory)
{
	mode_t writers = directory->st_mode & 0222;

	return 0600 | writers | writers << 1;
}

/* Whole under its name, as values are: nobody ever finds it with less than its
 * mode, and fs.protected_regular has nothing to forbid.  0, or -1 and errno. */
static int
make_directory_lock(int directory)
{
	struct file_temp temp;
	struct stat st;
	int status = 0;

	if (fstat(directory, &st) == -1 ||
	    file_temp_open(&temp, directory, true) == -1)
		return -1;
	/* Only root can, and must: the owner need not be in the group. */
	if (fchown(temp.descriptor, st.st_uid, (gid_t)-1) == -1 &&
	    errno != EPERM)
		status = -1;
	if (status == 0)
		status = fchmod(temp.descriptor, lock_mode(&st));
	if (status == 0 &&
	    file_temp_place_locked(&temp, DIRECTORY_LOCK) == -1 &&
	    errno != EEXIST)
		status = -1;
	file_temp_close(&temp);
	return status;
}

static int
open_directory_lock(int directory)
{
	int fd;

	do
		fd = openat(directory, DIRECTORY_LOCK, LOCK_FLAGS);
	while (
	    fd == -1 && errno == ENOENT && make_directory_lock(directory) == 0);
	return fd;
}

int
file_lock_directory(int directory)
{
	int fd = open_directory_lock(directory);

	if (fd == -1 || set_lock(fd, F_OFD_SETLKW, F_WRLCK, ALL) == 0 ||
	    is_unsupported())
		return fd;
	file_unlock_directory(fd);
	return -1;
}

int
file_lock_give(int directory, uid_t uid, gid_t gid)
{
	struct stat st, lock;
	int fd = open_directory_lock(directory);
	int status = -1;

	if (fd == -1)
		return -1;
	if (fstat(directory, &st) == -1 || fstat(fd, &lock) == -1)
		goto out;
	/* A second name could be that of anybody's file. */
	if (!S_ISREG(lock.st_mode) || lock.st_nlink != 1) {
		errno = EPERM;
		goto out;
	}
	if (fchown(fd, uid, gid) == 0)
		status = fchmod(fd, lock_mode(&st));
out:
	file_unlock_directory(fd);
	return status;
}

void
file_unlock_directory(int lock)
{
	int saved = errno;

	close(lock);
	errno = saved;
}

/* 1: *descriptor has the guard of the file that leaf led to; 0; -1. */
static int
open_guarded(const struct file_location *location, const char *key,
    int *descriptor, struct svc_error *error)
{
	struct stat st;
	int status = -1;
	int fd = openat(location->directory, location->leaf, LOCK_FLAGS);

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
		return svc_error_set(
		    error, EX_DATAERR, "%s: not a regular file", key);
	if (fd == -1)
		return svc_error_errno(error, "%s", key);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		svc_error_set(error, EX_DATAERR, "%s: not a regular file", key);
	else if (file_lock_guard(fd) == -1)
		svc_error_errno(error, "%s: cannot lock", key);
	else
		status = 1;
	if (status == 1)
		*descriptor = fd;
	else
		close(fd);
	return status;
}

int
file_guard(struct store *base, const char *key, int *descriptor,
    struct svc_error *error)
{
	struct file_location location;
	int status;

	status = file_locate(
	    (struct file_store *)base, key, false, &location, error);
	if (status != 1)
		return status;
	/* While it waited, the name may have gone, or come to another file. */
	while (
	    (status = open_guarded(&location, key, descriptor, error)) == 1 &&
	    !file_leads_to(location.directory, location.leaf, *descriptor))
		close(*descriptor);
	file_location_release(&location);
	return status;
}

int
file_lock_section(struct store *base, const char *key, struct svc_error *error)
{
	struct file_location location;
	int fd;

	if (file_locate(
		(struct file_store *)base, key, true, &location, error) == -1)
		return -1;
	fd = openat(
	    location.directory, location.leaf, LOCK_FLAGS | O_CREAT, 0600);
	file_location_release(&location);
	if (fd == -1)
		return svc_error_errno(error, "%s", key);
	if (set_lock(fd, F_OFD_SETLKW, F_WRLCK, ALL) == -1) {
		svc_error_errno(error, "%s: cannot lock", key);
		close(fd);
		return -1;
	}
	return fd;
}
