#include "flow/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TEMPLATE "/svckit.XXXXXX"

struct line_file {
	const char *directory;
	int descriptor; /* -1: there is none yet */
	int64_t size;
};

int
line_file_open(
    struct line_file **result, const char *directory, struct svc_error *error)
{
	struct line_file *file = malloc(sizeof(*file));

	*result = NULL;
	if (file == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	file->directory = directory;
	file->descriptor = -1;
	file->size = 0;
	*result = file;
	return 0;
}

void
line_file_close(struct line_file *file)
{
	if (file == NULL)
		return;
	if (file->descriptor != -1)
		close(file->descriptor);
	free(file);
}

/* A file with a name, which is taken away at once. */
static int
make_and_remove(const char *directory)
{
	size_t length = strlen(directory);
	char *path = malloc(length + sizeof(TEMPLATE));
	int fd;

	if (path == NULL)
		return -1;
	memcpy(path, directory, length);
	memcpy(path + length, TEMPLATE, sizeof(TEMPLATE));
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1 && unlink(path) == -1) {
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

static int
make(struct line_file *file, struct svc_error *error)
{
	int fd = open(
	    file->directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	/* EISDIR: a file system, or kernel, that knows no O_TMPFILE. */
	if (fd == -1 &&
	    (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = make_and_remove(file->directory);
	if (fd == -1) {
		svc_error_errno(
		    error, "%s: no temporary file", file->directory);
		if (error != NULL && error->code != EX_OSERR)
			error->code = EX_CANTCREAT;
		return -1;
	}
	file->descriptor = fd;
	return 0;
}

static int
fail(const struct line_file *file, struct svc_error *error)
{
	svc_error_errno(error, "a temporary file in %s", file->directory);
	if (error != NULL)
		error->code = EX_IOERR;
	return -1;
}

int
line_file_put(struct line_file *file, const char *data, size_t length,
    struct line_place *place, struct svc_error *error)
{
	size_t written = 0;
	ssize_t count;

	if (file->descriptor == -1 && make(file, error) == -1)
		return -1;
	while (written < length) {
		count = pwrite(file->descriptor, data + written,
		    length - written, (off_t)(file->size + (int64_t)written));
		if (count > 0) {
			written += (size_t)count;
			continue;
		}
		if (count == -1 && errno == EINTR)
			continue;
		if (count == 0)
			errno = EIO;
		fail(file, error);
		/* A disk that is full needs what half a line takes; if that
		 * fails, the next line is written over it. */
		(void)!ftruncate(file->descriptor, (off_t)file->size);
		return -1;
	}
	place->offset = file->size;
	place->length = length;
	file->size += (int64_t)length;
	return 0;
}

int
line_file_get(const struct line_file *file, const struct line_place *place,
    struct buffer *out, struct svc_error *error)
{
	char *room = buffer_reserve(out, place->length);
	size_t got = 0;
	ssize_t count;

	if (room == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	while (got < place->length) {
		count = pread(file->descriptor, room + got, place->length - got,
		    (off_t)(place->offset + (int64_t)got));
		if (count > 0) {
			got += (size_t)count;
			continue;
		}
		if (count == -1 && errno == EINTR)
			continue;
		if (count == 0)
			errno = EIO;
		return fail(file, error);
	}
	out->length += place->length;
	return 0;
}
