#include "line/writer.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define FILE_CHUNK (128UL * 1024)

struct writer {
	int descriptor;
	char *name;
	size_t chunk; /* gathered before it is written */
	bool shared; /* no file: others may write to it, and it may block */
	bool prompt;
	bool queued;
	int failure; /* errno of the write that failed; 0 */
	struct buffer buffer;
	size_t written; /* so much of buffer has gone */
};

static void
inspect(struct writer *writer, const struct stat *status)
{
	writer->shared =
	    S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode) ||
	    (S_ISCHR(status->st_mode) && isatty(writer->descriptor));
	writer->chunk = writer->shared ? PIPE_BUF : FILE_CHUNK;
}

int
writer_open(struct writer **writer, int descriptor, const char *name,
    struct svc_error *error)
{
	struct writer *new;
	struct stat status;

	if (fstat(descriptor, &status) == -1)
		return svc_error_errno(error, "%s", name);
	new = calloc(1, sizeof(*new));
	if (new == NULL || (new->name = strdup(name)) == NULL) {
		free(new);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	new->descriptor = descriptor;
	inspect(new, &status);
	buffer_init(&new->buffer);
	*writer = new;
	return 0;
}

void
writer_close(struct writer *writer)
{
	if (writer == NULL)
		return;
	buffer_release(&writer->buffer);
	free(writer->name);
	free(writer);
}

void
writer_set_prompt(struct writer *writer, bool prompt)
{
	writer->prompt = prompt;
}

void
writer_set_queued(struct writer *writer, bool queued)
{
	writer->queued = queued;
}

size_t
writer_pending(const struct writer *writer)
{
	return writer->buffer.length - writer->written;
}

bool
writer_pollable(const struct writer *writer)
{
	return writer->shared;
}

static int
report(struct writer *writer, struct svc_error *error)
{
	errno = writer->failure;
	svc_error_errno(error, "%s", writer->name);
	if (error != NULL)
		error->code = EX_IOERR;
	return -1;
}

/*
 * How much the next write(2) takes.  Where lines of others may come between:
 * as many whole lines as PIPE_BUF holds, else (a longer line, or its rest)
 * pieces of that size, or all of the line when it may block.
 */
static size_t
next_length(const struct writer *writer, bool may_block)
{
	const char *data = writer->buffer.data + writer->written, *lf;
	size_t waiting = writer_pending(writer);

	if (!writer->shared)
		return waiting < FILE_CHUNK ? waiting : FILE_CHUNK;
	if (waiting <= PIPE_BUF)
		return waiting;
	lf = memrchr(data, '\n', PIPE_BUF);
	if (lf == NULL && !may_block)
		return PIPE_BUF;
	if (lf == NULL)
		lf = memchr(data, '\n', waiting);
	return (size_t)(lf - data) + 1;
}

/* Forgets what has gone, without copying the rest too often. */
static void
advance(struct writer *writer, size_t count)
{
	struct buffer *buffer = &writer->buffer;

	writer->written += count;
	if (writer->written == buffer->length) {
		buffer_trim(buffer, 2 * FILE_CHUNK);
		writer->written = 0;
	} else if (writer->written > FILE_CHUNK &&
		   writer->written > buffer->length / 2) {
		buffer->length -= writer->written;
		memmove(buffer->data, buffer->data + writer->written,
		    buffer->length);
		buffer_shrink(buffer);
		writer->written = 0;
	}
}

/* One write(2).  1: done; 0: it would block; -1. */
static int
write_once(struct writer *writer, bool may_block, struct svc_error *error)
{
	ssize_t count;

	if (writer->failure != 0)
		return report(writer, error);
	do
		count = write(writer->descriptor,
		    writer->buffer.data + writer->written,
		    next_length(writer, may_block));
	while (count == -1 && errno == EINTR);
	if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (count == -1) {
		writer->failure = errno;
		return report(writer, error);
	}
	advance(writer, (size_t)count);
	return 1;
}

static int
wait_writable(struct writer *writer, struct svc_error *error)
{
	struct pollfd pollfd = {writer->descriptor, POLLOUT, 0};

	if (poll(&pollfd, 1, -1) == -1 && errno != EINTR) {
		writer->failure = errno;
		return report(writer, error);
	}
	return 0;
}

int
writer_flush(struct writer *writer, struct svc_error *error)
{
	int done;

	while (writer_pending(writer) > 0) {
		done = write_once(writer, true, error);
		if (done == -1 ||
		    (done == 0 && wait_writable(writer, error) == -1))
			return -1;
	}
	return 0;
}

int
writer_step(struct writer *writer, struct svc_error *error)
{
	if (writer_pending(writer) > 0 &&
	    write_once(writer, false, error) == -1)
		return -1;
	return writer_pending(writer) > 0;
}

static int
append(struct writer *writer, const char *data, size_t length,
    struct svc_error *error)
{
	char *room = buffer_reserve(&writer->buffer, length + 1);

	if (room == NULL) {
		writer->failure = ENOMEM;
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", writer->name);
	}
	if (length > 0)
		memcpy(room, data, length);
	if (length == 0 || data[length - 1] != '\n')
		room[length++] = '\n';
	writer->buffer.length += length;
	return 0;
}

int
writer_line(struct writer *writer, const char *data, size_t length,
    struct svc_error *error)
{
	size_t pending = writer_pending(writer);

	if (writer->failure != 0)
		return report(writer, error);
	if (!writer->queued && pending > 0 &&
	    pending + length >= writer->chunk &&
	    writer_flush(writer, error) == -1)
		return -1;
	if (append(writer, data, length, error) == -1)
		return -1;
	if (writer->queued ||
	    (!writer->prompt && writer_pending(writer) < writer->chunk))
		return 0;
	return writer_flush(writer, error);
}

int
writer_take(
    struct writer *writer, struct buffer *lines, struct svc_error *error)
{
	struct buffer empty;
	int result;

	if (writer->failure != 0)
		return report(writer, error);
	if (writer->queued && writer_pending(writer) == 0) {
		empty = writer->buffer;
		writer->buffer = *lines;
		*lines = empty;
		result = 0;
	} else {
		result = writer_line(writer, lines->data, lines->length, error);
	}
	buffer_clear(lines);
	return result;
}
