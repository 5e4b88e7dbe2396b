#include "store/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_directory.h"

#define DIRECTORY_LOCK ".lock"
#define REPLACE_LENGTH 1 /* bytes from the start; the lease covers all */

static int
set_lock(int descriptor, int command, off_t length)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int status;

	lock.l_len = length;
	do
		status = fcntl(descriptor, command, &lock);
	while (status == -1 && errno == EINTR);
	return status;
}

int
file_lock_lease(int descriptor)
{
	return set_lock(descriptor, F_OFD_SETLK, 0);
}

bool
file_lock_held(int descriptor)
{
	struct flock lock = {
	    .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = REPLACE_LENGTH};

	return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 &&
	       lock.l_type == F_WRLCK;
}

int
file_lock_replace(int descriptor)
{
	if (set_lock(descriptor, F_OFD_SETLK, REPLACE_LENGTH) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES) {
		/*
		 * A lease is taken before its file has a name, so what is not
		 * leased stays so: the wait is for replacers only.
		 */
		if (file_lock_held(descriptor)) {
			errno = EBUSY;
			return -1;
		}
		return set_lock(descriptor, F_OFD_SETLKW, REPLACE_LENGTH);
	}
	if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS)
		return 0;
	return -1;
}

static int
open_lock(int directory, const char *name, mode_t mode)
{
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd;

	/* Without O_CREAT first: fs.protected_regular forbids it in vain. */
	fd = openat(directory, name, flags);
	if (fd != -1 || errno != ENOENT)
		return fd;
	fd = openat(directory, name, flags | O_CREAT, mode);
	/* The umask must not shut out the group that may write here. */
	if (fd != -1)
		(void)fchmod(fd, mode);
	return fd;
}

int
file_lock_directory(int directory)
{
	int fd = open_lock(directory, DIRECTORY_LOCK, 0660);

	if (fd == -1 || set_lock(fd, F_OFD_SETLKW, 0) == 0)
		return fd;
	if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS)
		return fd;
	file_unlock_directory(fd);
	return -1;
}

void
file_unlock_directory(int lock)
{
	int saved = errno;

	close(lock);
	errno = saved;
}

int
file_lock_section(struct store *base, const char *key, struct svc_error *error)
{
	struct file_location location;
	int fd;

	if (file_locate(
		(struct file_store *)base, key, true, &location, error) == -1)
		return -1;
	fd = open_lock(location.directory, location.leaf, 0600);
	file_location_release(&location);
	if (fd == -1)
		return svc_error_errno(error, "%s", key);
	if (set_lock(fd, F_OFD_SETLKW, 0) == -1) {
		svc_error_errno(error, "%s: cannot lock", key);
		close(fd);
		return -1;
	}
	return fd;
}
