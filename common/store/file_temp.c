#include "store/file_temp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/file_lock.h"

#define TEMP_FLAGS  (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
#define VALUE_MODE  0644
#define SECRET_MODE 0600
#define ROOM_MAX    1024
#define ROOM_SHARE  4 /* of the descriptors; the rest is for the program */

size_t
file_temp_room(size_t count)
{
	struct rlimit limit;
	size_t room = ROOM_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur / ROOM_SHARE < room)
		room = limit.rlim_cur / ROOM_SHARE;
	if (room > count)
		room = count;
	return room == 0 ? 1 : room;
}

/* Random, not only a pid: those of other hosts share a network directory. */
void
file_temp_name(char name[FILE_TEMP_NAME_SIZE])
{
	uint64_t number;

	arc4random_buf(&number, sizeof(number));
	snprintf(name, FILE_TEMP_NAME_SIZE, FILE_TEMP_PREFIX "%ld.%016" PRIx64,
	    (long)getpid(), number);
}

int
file_temp_open(struct file_temp *temp, int directory, bool secret)
{
	mode_t mode = secret ? SECRET_MODE : VALUE_MODE;

	temp->directory = directory;
	do {
		file_temp_name(temp->name);
		temp->descriptor =
		    openat(directory, temp->name, TEMP_FLAGS, mode);
	} while (temp->descriptor == -1 && errno == EEXIST);
	if (temp->descriptor == -1)
		temp->name[0] = '\0';
	return temp->descriptor == -1 ? -1 : 0;
}

int
file_temp_open_nameless(struct file_temp *temp, int directory)
{
	temp->directory = directory;
	temp->name[0] = '\0';
	temp->descriptor =
	    openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, VALUE_MODE);
	return temp->descriptor == -1 ? -1 : 0;
}

/* To look is cheaper than to set: most umasks let the mode pass. */
static int
set_mode(int descriptor)
{
	struct stat st;

	if (fstat(descriptor, &st) == -1)
		return -1;
	return (st.st_mode & 07777) == VALUE_MODE
		   ? 0
		   : fchmod(descriptor, VALUE_MODE);
}

int
file_temp_fill(struct file_temp *temp, const void *value, size_t length)
{
	const char *p = value;
	ssize_t n;

	while (length > 0) {
		n = write(temp->descriptor, p, length);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		length -= (size_t)n;
	}
	return set_mode(temp->descriptor);
}

/* A hint: what comes of it fsync(2) tells. */
void
file_temp_start(const struct file_temp *temp)
{
	int saved = errno;

	(void)sync_file_range(temp->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
	errno = saved;
}

void
file_temp_close(struct file_temp *temp)
{
	int saved = errno;

	if (temp->descriptor != -1)
		close(temp->descriptor);
	if (temp->name[0] != '\0')
		unlinkat(temp->directory, temp->name, 0);
	temp->descriptor = -1;
	temp->name[0] = '\0';
	errno = saved;
}

static bool
is_unsupported(int code)
{
	return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP;
}

int
file_rename_new(int source_directory, const char *source, int target_directory,
    const char *target)
{
	if (renameat2(source_directory, source, target_directory, target,
		RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_unsupported(errno))
		return -1;
	/* NFS and others: a link never replaces either. */
	if (linkat(source_directory, source, target_directory, target, 0) == -1)
		return -1;
	return unlinkat(source_directory, source, 0);
}

int
file_temp_place(struct file_temp *temp, const char *leaf)
{
	int lock = file_lock_directory(temp->directory);
	int status;

	if (lock == -1)
		return -1;
	status = file_temp_place_locked(temp, leaf);
	file_unlock_directory(lock);
	return status;
}

/* Before Linux 6.10 only the superuser may link a descriptor itself. */
int
file_temp_link(const struct file_temp *temp, int directory, const char *leaf)
{
	char path[64];

	if (linkat(temp->descriptor, "", directory, leaf, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", temp->descriptor);
	return linkat(AT_FDCWD, path, directory, leaf, AT_SYMLINK_FOLLOW);
}

int
file_temp_place_locked(struct file_temp *temp, const char *leaf)
{
	int status;

	if (temp->name[0] == '\0')
		return file_temp_link(temp, temp->directory, leaf);
	status =
	    file_rename_new(temp->directory, temp->name, temp->directory, leaf);
	if (status == 0)
		temp->name[0] = '\0';
	return status;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool
file_leads_to(int directory, const char *leaf, int descriptor)
{
	struct stat named, opened;

	return fstatat(directory, leaf, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(descriptor, &opened) == 0 && same_file(&named, &opened);
}

static int
replace_locked(struct file_temp *temp, const char *leaf, int old)
{
	if (!file_leads_to(temp->directory, leaf, old))
		return 0;
	if (renameat(temp->directory, temp->name, temp->directory, leaf) == -1)
		return -1;
	temp->name[0] = '\0';
	return 1;
}

int
file_temp_replace(struct file_temp *temp, const char *leaf, int old)
{
	int lock = file_lock_directory(temp->directory);
	int status;

	if (lock == -1)
		return -1;
	status = replace_locked(temp, leaf, old);
	file_unlock_directory(lock);
	return status;
}

int
file_temp_exchange(struct file_temp *temp, const char *leaf, int old)
{
	if (!file_leads_to(temp->directory, leaf, old))
		return 0;
	if (renameat2(temp->directory, temp->name, temp->directory, leaf,
		RENAME_EXCHANGE) == -1) {
		if (errno == ENOENT)
			return 0;
		/* NFS and others: the look has to be enough. */
		return is_unsupported(errno) ? replace_locked(temp, leaf, old)
					     : -1;
	}
	if (file_leads_to(temp->directory, temp->name, old))
		return 1;
	return renameat2(temp->directory, temp->name, temp->directory, leaf,
		   RENAME_EXCHANGE) == -1
		   ? -1
		   : 0;
}

void
file_temp_exchange_back(struct file_temp *temp, const char *leaf)
{
	int saved = errno;

	if (temp->name[0] != '\0')
		(void)renameat2(temp->directory, temp->name, temp->directory,
		    leaf, RENAME_EXCHANGE);
	errno = saved;
}

static void
sweep_one(int directory, const char *name, time_t now)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (now - st.st_mtime > FILE_TEMP_SECONDS ||
		now - st.st_ctime > FILE_TEMP_SECONDS))
		unlinkat(directory, name, 0);
}

static uint32_t
clamp_size(off_t size)
{
	return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

void
file_temp_sweep(struct file_store *store, int directory)
{
	time_t now = time(NULL);
	struct dirent *entry;
	struct stat st;
	DIR *stream;
	int fd;

	if (fstat(directory, &st) == -1 || (st.st_dev == store->swept_device &&
					       st.st_ino == store->swept_inode))
		return;
	store->swept_device = st.st_dev;
	store->swept_inode = st.st_ino;
	if (st.st_size > FILE_TEMP_SWEEP_SIZE &&
	    arc4random_uniform(clamp_size(st.st_size)) >=
		FILE_TEMP_SWEEP_SIZE / 8)
		return;
	fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL)
		if (strncmp(entry->d_name, FILE_TEMP_PREFIX,
			strlen(FILE_TEMP_PREFIX)) == 0)
			sweep_one(directory, entry->d_name, now);
	closedir(stream);
}
