#include "flow/journal_read.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "flow/journal_line.h"
#include "line/buffer.h"
#include "line/reader.h"

#define CHUNK (1024UL * 1024)
/* What a run writes is shorter: it could not be read as a task line else. */
#define LENGTH_MAX (LINE_LENGTH_MAX + LINE_ROOM)

struct reading {
	struct journal_file *file;
	struct journal_index *index;
	const struct journal_options *options;
	struct buffer buffer; /* read, and not taken yet */
	int64_t offset; /* of the buffer in the file */
	unsigned long number; /* of the next line */
	unsigned long bad;
	bool too_long; /* the line has begun in front of the buffer */
};

static void
tell(const struct reading *reading, const struct svc_error *message)
{
	if (reading->options->warn != NULL)
		reading->options->warn(
		    reading->options->argument, message->message);
}

static void
tell_of_line(struct reading *reading, const char *why)
{
	struct svc_error message;

	if (++reading->bad > JOURNAL_WARNINGS_MAX)
		return;
	svc_error_set(&message, EX_DATAERR,
	    "%s:%lu: %s: ignored, its task runs again", reading->file->path,
	    reading->number, why);
	tell(reading, &message);
}

static int
take_line(struct reading *reading, const char *text, size_t length,
    struct svc_error *error)
{
	const struct line_place place = {
	    .offset = reading->offset + (text - reading->buffer.data),
	    .length = length + 1,
	};
	struct journal_line line;
	struct svc_error why;

	if (reading->too_long || length > LENGTH_MAX) {
		reading->too_long = false;
		tell_of_line(reading, "too long");
	} else if (journal_line_read(&line, text, length, &why) == -1) {
		tell_of_line(reading, why.message);
	} else if (journal_index_add(reading->index, &line, &place) == -1) {
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", reading->file->path);
	}
	reading->number++;
	return 0;
}

/* Takes the whole lines, and keeps what follows them. */
static int
take_lines(struct reading *reading, struct svc_error *error)
{
	struct buffer *buffer = &reading->buffer;
	const char *p = buffer->data, *end = p + buffer->length, *lf;

	while ((lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (take_line(reading, p, (size_t)(lf - p), error) == -1)
			return -1;
		p = lf + 1;
		reading->file->size = reading->offset + (p - buffer->data);
	}
	if ((size_t)(end - p) > LENGTH_MAX) {
		reading->too_long = true;
		p = end;
	}
	reading->offset += p - buffer->data;
	buffer->length = (size_t)(end - p);
	memmove(buffer->data, p, buffer->length);
	return 0;
}

/* One read(2).  1; 0: the end. */
static int
fill(struct reading *reading, struct svc_error *error)
{
	struct buffer *buffer = &reading->buffer;
	char *room = buffer_reserve(buffer, CHUNK);
	ssize_t count;

	if (room == NULL)
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", reading->file->path);
	do
		count = pread(reading->file->descriptor, room, CHUNK,
		    (off_t)(reading->offset + (int64_t)buffer->length));
	while (count == -1 && errno == EINTR);
	if (count == -1)
		return journal_file_fail(
		    reading->file, "cannot be read", error);
	buffer->length += (size_t)count;
	return count > 0;
}

static void
tell_of_end(const struct reading *reading)
{
	int64_t torn = reading->offset + (int64_t)reading->buffer.length -
		       reading->file->size;
	struct svc_error message;

	if (reading->bad > JOURNAL_WARNINGS_MAX) {
		svc_error_set(&message, EX_DATAERR,
		    "%s: %lu lines ignored in all", reading->file->path,
		    reading->bad);
		tell(reading, &message);
	}
	if (torn > 0) {
		svc_error_set(&message, EX_DATAERR,
		    "%s:%lu: a torn line (%lld bytes, and no end): cut off, "
		    "its task runs again",
		    reading->file->path, reading->number, (long long)torn);
		tell(reading, &message);
	}
}

int
journal_read(struct journal_file *file, struct journal_index *index,
    const struct journal_options *options, struct svc_error *error)
{
	struct reading reading = {
	    .file = file,
	    .index = index,
	    .options = options,
	    .buffer = BUFFER_INIT,
	    .offset = file->size,
	    .number = 2, /* the first says what it is */
	};
	int result;

	while ((result = fill(&reading, error)) == 1) {
		if (take_lines(&reading, error) == -1) {
			result = -1;
			break;
		}
	}
	if (result == 0)
		tell_of_end(&reading);
	buffer_release(&reading.buffer);
	return result;
}
