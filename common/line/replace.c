#include "line/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define DIGITS	    16
#define MARK	    ".svckit-"
#define TEMP_ROOM   (NAME_MAX + 1)
#define PREFIX_ROOM (TEMP_ROOM - DIGITS)
/* The name in a temporary one; one of over NAME_MAX less the rest is cut. */
#define NAME_PART ((int)(NAME_MAX - sizeof(".") - sizeof(MARK) - DIGITS))

#define FILE_MODE   0666 /* less the umask */
#define SECRET_MODE 0600

/* One replacement on its way. */
struct replacement {
	const char *path;
	const char *leaf; /* in path */
	int directory;
	int file; /* -1: closed */
	char temp[TEMP_ROOM]; /* "": there is none, or it has its name */
	struct stat old;
	bool exists; /* old is filled */
};

/* A missing directory is no missing input: there is nothing to read. */
static int
fail(const char *path, const char *what, struct svc_error *error)
{
	int number = errno;

	svc_error_errno(error, "'%s'%s", path, what);
	if (error != NULL && (number == ENOENT || number == ENOTDIR))
		error->code = EX_CANTCREAT;
	errno = number;
	return -1;
}

/* Whether a file of this kind is replaced. */
static int
check_kind(const char *path, mode_t mode, struct svc_error *error)
{
	const char *kind = "a device, a socket or a pipe";

	if (S_ISREG(mode))
		return 0;
	if (S_ISDIR(mode))
		kind = "a directory";
	else if (S_ISLNK(mode))
		kind = "a symbolic link (name the file that it leads to)";
	return svc_error_set(error, EX_CANTCREAT,
	    "'%s' is %s, and must be a regular file, or none yet", path, kind);
}

/* Opens the directory of the path, and finds the name in it. */
static int
open_directory(struct replacement *replacement, struct svc_error *error)
{
	const char *path = replacement->path;
	const char *slash = strrchr(path, '/');
	char *directory;

	replacement->leaf = slash == NULL ? path : slash + 1;
	if (path[0] == '\0')
		return svc_error_set(error, EX_USAGE,
		    "not a file's name: '' (say state.ndjson)");
	if (replacement->leaf[0] == '\0' ||
	    strcmp(replacement->leaf, ".") == 0 ||
	    strcmp(replacement->leaf, "..") == 0)
		return check_kind(path, S_IFDIR, error);
	/* The slash stays: it may be all there is. */
	directory = slash == NULL ? strdup(".")
				  : strndup(path, (size_t)(slash - path) + 1);
	if (directory == NULL)
		return fail(path, "", error);
	replacement->directory =
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (replacement->directory == -1)
		fail(path, ": its directory", error);
	free(directory);
	return replacement->directory == -1 ? -1 : 0;
}

static int
look_at_old(struct replacement *replacement, struct svc_error *error)
{
	if (fstatat(replacement->directory, replacement->leaf,
		&replacement->old, AT_SYMLINK_NOFOLLOW) == 0) {
		replacement->exists = true;
		return check_kind(
		    replacement->path, replacement->old.st_mode, error);
	}
	return errno == ENOENT ? 0 : fail(replacement->path, "", error);
}

/* What all temporary names of this leaf begin with.  Returns its length. */
static size_t
temp_prefix(const char *leaf, char prefix[PREFIX_ROOM])
{
	return (size_t)snprintf(
	    prefix, PREFIX_ROOM, ".%.*s" MARK, NAME_PART, leaf);
}

/* Whether name is that of a temporary file of the leaf with this prefix. */
static bool
is_temp(const char *name, const char *prefix, size_t length)
{
	return strncmp(name, prefix, length) == 0 &&
	       strlen(name + length) == DIGITS &&
	       strspn(name + length, "0123456789abcdef") == DIGITS;
}

/* A time that was set, or a clock that was, keeps nothing for ever. */
static bool
is_left_behind(int directory, const char *name)
{
	time_t now = time(NULL);
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       (now - st.st_mtime > REPLACE_TEMP_SECONDS ||
		   now - st.st_ctime > REPLACE_TEMP_SECONDS);
}

/* To clean up is a courtesy: what cannot be removed hinders nobody. */
static void
sweep(const struct replacement *replacement)
{
	char prefix[PREFIX_ROOM];
	size_t length = temp_prefix(replacement->leaf, prefix);
	struct dirent *entry;
	DIR *stream;
	int fd;

	fd = openat(
	    replacement->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL)
		if (is_temp(entry->d_name, prefix, length) &&
		    is_left_behind(replacement->directory, entry->d_name))
			unlinkat(replacement->directory, entry->d_name, 0);
	closedir(stream);
}

/*
 * A new file takes its mode from the umask; one that replaces another is
 * nobody's to read before it has the mode of that.
 */
static int
open_temp(struct replacement *replacement, struct svc_error *error)
{
	mode_t mode = replacement->exists ? SECRET_MODE : FILE_MODE;
	char prefix[PREFIX_ROOM];
	uint64_t number;

	temp_prefix(replacement->leaf, prefix);
	do {
		arc4random_buf(&number, sizeof(number));
		snprintf(replacement->temp, TEMP_ROOM, "%s%016" PRIx64, prefix,
		    number);
		replacement->file = openat(replacement->directory,
		    replacement->temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	} while (replacement->file == -1 && errno == EEXIST);
	if (replacement->file != -1)
		return 0;
	replacement->temp[0] = '\0';
	return fail(replacement->path, ": a temporary file beside it", error);
}

static int
write_all(int descriptor, const char *data, size_t length)
{
	ssize_t n;

	while (length > 0) {
		n = write(descriptor, data, length);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int
fill(struct replacement *replacement, const void *data, size_t length,
    bool durable, struct svc_error *error)
{
	int file = replacement->file;

	if (write_all(file, data, length) == -1 ||
	    (replacement->exists &&
		fchmod(file, replacement->old.st_mode & 0777) == -1) ||
	    (durable && fsync(file) == -1))
		return fail(replacement->path, "", error);
	replacement->file = -1;
	return close(file) == -1 ? fail(replacement->path, "", error) : 0;
}

static int
place(struct replacement *replacement, bool durable, struct svc_error *error)
{
	int directory = replacement->directory;

	if (renameat(directory, replacement->temp, directory,
		replacement->leaf) == -1)
		return fail(replacement->path, "", error);
	replacement->temp[0] = '\0';
	if (durable && fsync(directory) == -1)
		return fail(replacement->path, ": its directory", error);
	return 0;
}

static void
finish(struct replacement *replacement)
{
	int saved = errno;

	if (replacement->file != -1)
		close(replacement->file);
	if (replacement->temp[0] != '\0')
		unlinkat(replacement->directory, replacement->temp, 0);
	if (replacement->directory != -1)
		close(replacement->directory);
	errno = saved;
}

int
replace_file(const char *path, const void *data, size_t length, bool durable,
    struct svc_error *error)
{
	struct replacement replacement = {
	    .path = path, .directory = -1, .file = -1};
	int result = -1;

	if (open_directory(&replacement, error) == -1 ||
	    look_at_old(&replacement, error) == -1)
		goto out;
	sweep(&replacement);
	if (open_temp(&replacement, error) == -1 ||
	    fill(&replacement, data, length, durable, error) == -1 ||
	    place(&replacement, durable, error) == -1)
		goto out;
	result = 0;
out:
	finish(&replacement);
	return result;
}

int
replace_check(const char *path, struct svc_error *error)
{
	struct replacement replacement = {
	    .path = path, .directory = -1, .file = -1};
	int result = -1;

	if (open_directory(&replacement, error) == -1 ||
	    look_at_old(&replacement, error) == -1)
		goto out;
	result = faccessat(replacement.directory, ".", W_OK | X_OK, AT_EACCESS);
	if (result == -1)
		fail(path, ": its directory", error);
out:
	finish(&replacement);
	return result;
}

int
replace_open(const char *path, int *descriptor, struct svc_error *error)
{
	struct replacement replacement = {
	    .path = path, .directory = -1, .file = -1};
	struct stat st;
	int result = -1;

	*descriptor = -1;
	if (open_directory(&replacement, error) == -1 ||
	    look_at_old(&replacement, error) == -1)
		goto out;
	if (!replacement.exists) {
		result = 0;
		goto out;
	}
	/* What stands there by now must neither block nor be followed. */
	replacement.file = openat(replacement.directory, replacement.leaf,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (replacement.file == -1 || fstat(replacement.file, &st) == -1) {
		svc_error_errno(error, "'%s'", path);
	} else if (check_kind(path, st.st_mode, error) == 0) {
		*descriptor = replacement.file;
		replacement.file = -1;
		result = 1;
	}
out:
	finish(&replacement);
	return result;
}
