#include "flow/journal_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "flow/journal_line.h"

/* O_NONBLOCK: a FIFO in its place must not hold anybody up. */
#define FLAGS \
	(O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

int
journal_file_fail(
    const struct journal_file *file, const char *what, struct svc_error *error)
{
	svc_error_errno(error, "%s: %s", file->path, what);
	if (error != NULL)
		error->code = EX_IOERR;
	return -1;
}

static int
refuse_kind(const char *path, struct svc_error *error)
{
	return svc_error_set(error, EX_CANTCREAT,
	    "%s: a journal is a regular file, and no symbolic link", path);
}

/* Of the errors of open(2), those that another path would not have. */
static int
refuse_open(const char *path, struct svc_error *error)
{
	if (errno == ELOOP || errno == EISDIR || errno == ENXIO)
		return refuse_kind(path, error);
	svc_error_errno(error, "%s", path);
	if (error != NULL && error->code != EX_OSERR &&
	    error->code != EX_NOPERM)
		error->code = EX_CANTCREAT;
	return -1;
}

/*
 * What exists is opened without O_CREAT, which the kernel refuses for a file of
 * another user in a directory like /tmp (fs.protected_regular).
 */
static int
open_or_make(const char *path)
{
	int fd;

	do {
		fd = open(path, FLAGS);
		if (fd == -1 && errno == ENOENT)
			fd = open(path, FLAGS | O_CREAT | O_EXCL, 0600);
	} while (fd == -1 && (errno == EEXIST || errno == EINTR));
	return fd;
}

/* 1: locked; 0: the file system has no locks; -1. */
static int
lock(const struct journal_file *file, struct svc_error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(file->descriptor, F_OFD_SETLK, &lock) == 0)
		return 1;
	if (errno == EAGAIN || errno == EACCES)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s: another run has this journal", file->path);
	if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS)
		return 0;
	return journal_file_fail(file, "cannot be locked", error);
}

int
journal_file_open(
    struct journal_file *file, const char *path, struct svc_error *error)
{
	struct stat st;
	int locked = -1;

	file->size = 0;
	file->path = strdup(path);
	if (file->path == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	file->descriptor = open_or_make(path);
	if (file->descriptor == -1) {
		refuse_open(path, error);
		goto out;
	}
	if (fstat(file->descriptor, &st) == -1)
		journal_file_fail(file, "cannot be read", error);
	else if (!S_ISREG(st.st_mode))
		refuse_kind(path, error);
	else
		locked = lock(file, error);
	if (locked != -1)
		return locked;
	close(file->descriptor);
out:
	free(file->path);
	return -1;
}

int
journal_file_close(struct journal_file *file, struct svc_error *error)
{
	int result = 0;

	if (close(file->descriptor) == -1 && errno != EINTR)
		result = journal_file_fail(file, "cannot be written", error);
	free(file->path);
	return result;
}

/* Reads up to length bytes at offset: how many there were, -1 and errno. */
static ssize_t
read_at(int descriptor, char *data, size_t length, int64_t offset)
{
	size_t got = 0;
	ssize_t count;

	while (got < length) {
		count = pread(descriptor, data + got, length - got,
		    (off_t)(offset + (int64_t)got));
		if (count == 0)
			break;
		if (count > 0)
			got += (size_t)count;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)got;
}

int
journal_file_get(const struct journal_file *file, int64_t offset, char *data,
    size_t length, struct svc_error *error)
{
	ssize_t got = read_at(file->descriptor, data, length, offset);

	if (got == -1)
		return journal_file_fail(file, "cannot be read", error);
	if ((size_t)got < length)
		return svc_error_set(error, EX_IOERR,
		    "%s: was cut by another program", file->path);
	return 0;
}

/* A file whose name is not on the disk is lost with the power.  A directory
 * that may be written to but not read, and some file systems, do not let us. */
static int
sync_directory(const struct journal_file *file, struct svc_error *error)
{
	const char *slash = strrchr(file->path, '/');
	char *directory = slash == NULL ? strdup(".")
					: strndup(file->path,
					      (size_t)(slash - file->path) + 1);
	int fd, result = 0;

	if (directory == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 ? errno != EACCES : fsync(fd) == -1 && errno != EINVAL) {
		svc_error_errno(error, "%s: cannot be synced", directory);
		if (error != NULL)
			error->code = EX_IOERR;
		result = -1;
	}
	if (fd != -1)
		close(fd);
	free(directory);
	return result;
}

/* The first line, of which whole bytes stand there already; none of what is
 * written is behind anything else. */
static int
write_header(struct journal_file *file, size_t whole, struct svc_error *error)
{
	static const char header[] = JOURNAL_HEADER;

	file->size = (int64_t)whole;
	if (ftruncate(file->descriptor, (off_t)whole) == -1)
		return journal_file_fail(file, "cannot be written", error);
	if (journal_file_append(file, &header[whole],
		JOURNAL_HEADER_LENGTH - whole, error) == -1)
		return -1;
	if (fsync(file->descriptor) == -1)
		return journal_file_fail(file, "cannot be synced", error);
	return sync_directory(file, error);
}

int
journal_file_begin(struct journal_file *file, struct svc_error *error)
{
	char text[JOURNAL_HEADER_MAX];
	ssize_t got = read_at(file->descriptor, text, sizeof(text), 0);
	size_t header;

	if (got == -1)
		return journal_file_fail(file, "cannot be read", error);
	switch (journal_header_read(text, (size_t)got, &header, error)) {
	case 1:
		file->size = (int64_t)header;
		return (size_t)got > header;
	case 0:
		return write_header(file, header, error);
	default:
		if (error != NULL)
			svc_error_set(error, error->code, "%s: %s", file->path,
			    error->message);
		return -1;
	}
}

int
journal_file_cut(struct journal_file *file, struct svc_error *error)
{
	if (ftruncate(file->descriptor, (off_t)file->size) == -1)
		return journal_file_fail(file, "cannot be written", error);
	/* An earlier run may have been killed before it synced. */
	if (fsync(file->descriptor) == -1)
		return journal_file_fail(file, "cannot be synced", error);
	return 0;
}

/* 0; or errno, and *written is how much got there. */
static int
write_all(int descriptor, const char *data, size_t length, size_t *written)
{
	ssize_t count;

	for (*written = 0; *written < length;) {
		count = write(descriptor, data + *written, length - *written);
		if (count > 0)
			*written += (size_t)count;
		else if (count == 0)
			return EIO;
		else if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* Whether what was written is where it was meant to be: with O_APPEND the
 * offset is behind it, wherever the end was. */
static bool
was_alone(const struct journal_file *file, size_t written)
{
	return written == 0 || lseek(file->descriptor, 0, SEEK_CUR) ==
				   (off_t)(file->size + (int64_t)written);
}

static size_t
whole_lines(const char *lines, size_t length)
{
	const char *end = length == 0 ? NULL : memrchr(lines, '\n', length);

	return end == NULL ? 0 : (size_t)(end - lines) + 1;
}

int
journal_file_append(struct journal_file *file, const char *lines, size_t length,
    struct svc_error *error)
{
	size_t written;
	int failure = write_all(file->descriptor, lines, length, &written);

	if (!was_alone(file, written))
		return svc_error_set(error, EX_IOERR,
		    "%s: was written to by another program", file->path);
	file->size += (int64_t)whole_lines(lines, written);
	if (failure == 0)
		return 0;
	errno = failure;
	journal_file_fail(file, "cannot be written", error);
	/* What cannot be cut off is torn: the next run does it. */
	if (written > 0)
		(void)!ftruncate(file->descriptor, (off_t)file->size);
	return -1;
}
