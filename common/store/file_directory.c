#include "store/file_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_lock.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* Opens path below directory, following no link: a descriptor, or -1. */
static int
open_beneath(struct file_store *store, int directory, const char *path)
{
	struct open_how how = {.flags = DIRECTORY_FLAGS,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd;

	fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		store->no_openat2 = true;
	return (int)fd;
}

/* Copies the first component of path, and moves path behind it. */
static void
next_component(const char **path, char name[256])
{
	size_t length = strcspn(*path, "/");

	memcpy(name, *path, length);
	name[length] = '\0';
	*path += length;
	*path += strspn(*path, "/");
}

static int
open_component(int directory, const char *name, bool make)
{
	int fd = openat(directory, name, DIRECTORY_FLAGS);

	if (fd != -1 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(directory, name, 0755) == -1 && errno != EEXIST)
		return -1;
	if (fsync(directory) == -1)
		return -1;
	return openat(directory, name, DIRECTORY_FLAGS);
}

static int
walk(int root, const char *path, bool make)
{
	char name[256];
	int directory = root;
	int next;

	while (*path != '\0') {
		next_component(&path, name);
		next = open_component(directory, name, make);
		if (directory != root) {
			int saved = errno;

			close(directory);
			errno = saved;
		}
		if (next == -1)
			return -1;
		directory = next;
	}
	return directory;
}

int
file_directory_open(struct file_store *store, const char *path, bool make,
    int *descriptor, struct svc_error *error)
{
	int fd = -1;

	if (*path == '\0') {
		*descriptor = fcntl(store->root, F_DUPFD_CLOEXEC, 0);
		return *descriptor == -1 ? svc_error_errno(error, "dup") : 1;
	}
	if (!store->no_openat2)
		fd = open_beneath(store, store->root, path);
	if (fd == -1 && (store->no_openat2 || (make && errno == ENOENT)))
		fd = walk(store->root, path, make);
	*descriptor = fd;
	if (fd != -1)
		return 1;
	if (errno == ENOENT && !make)
		return 0;
	if (errno == ELOOP || errno == ENOTDIR)
		return svc_error_set(error, EX_DATAERR,
		    "%s/%s: not a directory, or a symbolic link", store->path,
		    path);
	return svc_error_errno(error, "%s/%s", store->path, path);
}

const char *
file_leaf(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash == NULL ? key : slash + 1;
}

int
file_locate(struct file_store *store, const char *key, bool make,
    struct file_location *location, struct svc_error *error)
{
	const char *leaf = file_leaf(key);
	char path[STORE_KEY_MAX + 1];
	size_t length = leaf == key ? 0 : (size_t)(leaf - key) - 1;

	memcpy(path, key, length);
	path[length] = '\0';
	location->leaf = leaf;
	return file_directory_open(
	    store, path, make, &location->directory, error);
}

void
file_location_release(struct file_location *location)
{
	close(location->directory);
}

static bool
is_directory(int parent, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* What is told of one listing. */
struct listing {
	const char *directory;
	bool directories; /* names of those; else keys of all else */
	store_mark_fn fn;
	void *argument;
};

static int
tell_name(
    const struct listing *listing, const char *name, struct svc_error *error)
{
	char key[STORE_KEY_MAX + 1];

	if (listing->directories)
		return listing->fn(listing->argument, name, error);
	if ((size_t)snprintf(key, sizeof(key), "%s/%s", listing->directory,
		name) >= sizeof(key))
		return 0;
	return listing->fn(listing->argument, key, error);
}

static int
list_names(struct file_store *store, const struct listing *listing,
    struct svc_error *error)
{
	struct dirent *entry;
	int descriptor, status;
	DIR *stream;

	status = file_directory_open(
	    store, listing->directory, false, &descriptor, error);
	if (status != 1)
		return status;
	stream = fdopendir(descriptor);
	if (stream == NULL) {
		close(descriptor);
		return svc_error_errno(
		    error, "%s/%s", store->path, listing->directory);
	}
	status = 0;
	while (status == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.' &&
		    is_directory(descriptor, entry) == listing->directories)
			status = tell_name(listing, entry->d_name, error);
	if (status == 0 && entry == NULL && errno != 0)
		status = svc_error_errno(
		    error, "%s/%s", store->path, listing->directory);
	closedir(stream);
	return status;
}

int
file_directories(struct store *base, const char *directory,
    int (*fn)(void *argument, const char *name, struct svc_error *error),
    void *argument, struct svc_error *error)
{
	struct listing listing = {
	    .directory = directory, .fn = fn, .argument = argument};

	listing.directories = true;
	return list_names((struct file_store *)base, &listing, error);
}

int
file_keys(struct store *base, const char *directory, store_mark_fn fn,
    void *argument, struct svc_error *error)
{
	struct listing listing = {
	    .directory = directory, .fn = fn, .argument = argument};

	return list_names((struct file_store *)base, &listing, error);
}

/* chown(2) clears the set-group-id bit, so the mode comes after it; the lock
 * goes by the mode. */
static int
set_ownership(int directory, uid_t uid, gid_t gid, mode_t mode)
{
	if (uid == (uid_t)-1 && gid == (gid_t)-1)
		return fchmod(directory, mode);
	if (fchown(directory, uid, gid) == -1 || fchmod(directory, mode) == -1)
		return -1;
	return file_lock_give(directory, uid, gid);
}

int
file_make_directory(struct store *base, const char *directory, uid_t uid,
    gid_t gid, mode_t mode, struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;
	struct file_location location;
	bool made = false;
	int fd = -1;
	int status = -1;

	if (file_store_begin(store, error) == -1 ||
	    file_locate(store, directory, true, &location, error) == -1)
		return -1;
	if (mkdirat(location.directory, location.leaf, mode & 0777) == 0)
		made = true;
	else if (errno != EEXIST)
		goto out;
	fd = openat(location.directory, location.leaf, DIRECTORY_FLAGS);
	if (fd == -1)
		goto out;
	if ((made || uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    set_ownership(fd, uid, gid, mode) == -1)
		goto out;
	if (made && fsync(location.directory) == -1)
		goto out;
	status = made;
out:
	if (status == -1)
		svc_error_errno(error, "%s/%s", store->path, directory);
	if (fd != -1)
		close(fd);
	file_location_release(&location);
	return status;
}

int
file_directory_owner(struct store *base, const char *directory, uid_t *owner,
    struct svc_error *error)
{
	struct stat st;
	int descriptor;
	int status;

	status = file_directory_open(
	    (struct file_store *)base, directory, false, &descriptor, error);
	if (status != 1)
		return status;
	if (fstat(descriptor, &st) == -1)
		status = svc_error_errno(error, "%s", directory);
	else
		*owner = st.st_uid;
	close(descriptor);
	return status;
}

int
file_sync(struct store *base, const char *directory, struct svc_error *error)
{
	int descriptor;
	int status;

	status = file_directory_open(
	    (struct file_store *)base, directory, false, &descriptor, error);
	if (status != 1)
		return status;
	status = fsync(descriptor);
	if (status == -1)
		svc_error_errno(error, "%s: cannot sync", directory);
	close(descriptor);
	return status;
}
