#include "line/reader.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CAPACITY_BASE (128UL * 1024)
#define LINE_END_MAX  2 /* CR and LF */
/* Doubling beyond this would take twice what a long line needs. */
#define GROWTH_MAX (1024UL * 1024)

struct reader {
	int descriptor;
	char *name;
	size_t limit;
	char *data;
	size_t capacity;
	size_t start; /* of what has not been yielded */
	size_t searched; /* up to here from start there is no LF */
	size_t end; /* of what has been read */
	uint64_t dropped; /* bytes of input that are no more in data */
	unsigned long number;
	bool ended; /* read(2) has returned 0 */
	bool stopped; /* reader_stop() */
	bool skipping; /* the rest of a line that was too long */
};

enum outcome { FAILED = -1, ENDED, CAME, NOTHING_YET };

int
reader_open(struct reader **reader, int descriptor, const char *name,
    size_t limit, struct svc_error *error)
{
	struct reader *new = calloc(1, sizeof(*new));

	if (new == NULL || (new->name = strdup(name)) == NULL ||
	    (new->data = malloc(CAPACITY_BASE)) == NULL) {
		reader_close(new);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	new->descriptor = descriptor;
	new->limit = limit;
	new->capacity = CAPACITY_BASE;
	*reader = new;
	return 0;
}

void
reader_close(struct reader *reader)
{
	if (reader == NULL)
		return;
	free(reader->name);
	free(reader->data);
	free(reader);
}

const char *
reader_name(const struct reader *reader)
{
	return reader->name;
}

int
reader_descriptor(const struct reader *reader)
{
	return reader->descriptor;
}

bool
reader_pollable(const struct reader *reader)
{
	struct stat status;

	if (fstat(reader->descriptor, &status) == -1)
		return false;
	return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
	       (S_ISCHR(status.st_mode) && isatty(reader->descriptor));
}

static int
resize(struct reader *reader, size_t capacity)
{
	char *data = realloc(reader->data, capacity);

	if (data == NULL)
		return -1;
	reader->data = data;
	reader->capacity = capacity;
	return 0;
}

uint64_t
reader_consumed(const struct reader *reader)
{
	return reader->dropped + reader->start;
}

/* Moves what waits to the front. */
static void
compact(struct reader *reader)
{
	if (reader->start == 0)
		return;
	memmove(reader->data, reader->data + reader->start,
	    reader->end - reader->start);
	reader->dropped += reader->start;
	reader->end -= reader->start;
	reader->start = 0;
}

int
reader_take(struct reader *reader, struct buffer *store)
{
	size_t waiting = reader->end - reader->start;
	size_t capacity = waiting > CAPACITY_BASE ? waiting : CAPACITY_BASE;
	char *data = malloc(capacity);

	if (data == NULL)
		return -1;
	memcpy(data, reader->data + reader->start, waiting);
	store->data = reader->data;
	store->length = reader->start;
	store->capacity = reader->capacity;
	store->failed = false;
	reader->dropped += reader->start;
	reader->data = data;
	reader->capacity = capacity;
	reader->start = 0;
	reader->end = waiting;
	return 0;
}

/*
 * Makes room behind what waits.  A line never needs more than its limit and
 * its end; the memory of a long one is given back once it has gone.
 */
static int
make_room(struct reader *reader, struct svc_error *error)
{
	size_t waiting = reader->end - reader->start;
	size_t most = reader->limit + LINE_END_MAX, capacity;

	compact(reader);
	/* A smaller block is a wish: without it, all goes on as before. */
	if (reader->capacity > CAPACITY_BASE && waiting < CAPACITY_BASE / 2)
		(void)resize(reader, CAPACITY_BASE);
	if (waiting < reader->capacity)
		return 0;
	capacity = reader->capacity < GROWTH_MAX
		       ? reader->capacity * 2
		       : reader->capacity + GROWTH_MAX;
	if (capacity > most && most > reader->capacity)
		capacity = most;
	if (resize(reader, capacity) == -1)
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", reader->name);
	return 0;
}

static enum outcome
read_once(struct reader *reader, struct svc_error *error)
{
	ssize_t count;

	if (reader->ended)
		return ENDED;
	if (make_room(reader, error) == -1)
		return FAILED;
	do
		count = read(reader->descriptor, reader->data + reader->end,
		    reader->capacity - reader->end);
	while (count == -1 && errno == EINTR);
	if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NOTHING_YET;
	if (count == -1) {
		svc_error_errno(error, "%s", reader->name);
		return FAILED;
	}
	if (count == 0) {
		reader->ended = true;
		return ENDED;
	}
	reader->end += (size_t)count;
	return CAME;
}

int
reader_fill(struct reader *reader, struct svc_error *error)
{
	switch (read_once(reader, error)) {
	case FAILED:
		return -1;
	case ENDED:
		return 0;
	case CAME:
	case NOTHING_YET:
		break;
	}
	return 1;
}

/* Drops the rest of a line that was too long, as far as it has come. */
static void
skip_rest(struct reader *reader)
{
	char *data = reader->data + reader->start;
	char *lf = memchr(data, '\n', reader->end - reader->start);

	reader->searched = 0;
	if (lf == NULL) {
		reader->start = reader->end;
		return;
	}
	reader->start += (size_t)(lf - data) + 1;
	reader->skipping = false;
}

static void
yield_line(struct reader *reader, struct line *line, size_t length)
{
	line->data = reader->data + reader->start;
	line->too_long = length > reader->limit;
	line->length = line->too_long ? reader->limit : length;
	line->number = reader->number;
	line->cut = false;
	line->has_nul = memchr(line->data, '\0', line->length) != NULL;
}

/*
 * How long the next line is, without its end, and how many bytes it takes with
 * it.  1; 0: it is not whole.  One that is too long already counts as whole.
 */
static int
measure(struct reader *reader, size_t *length, size_t *taken)
{
	const char *data = reader->data + reader->start, *lf;
	size_t waiting = reader->end - reader->start;

	lf = memchr(data + reader->searched, '\n', waiting - reader->searched);
	if (lf != NULL) {
		*length = (size_t)(lf - data);
		*taken = *length + 1;
	} else if (waiting >= reader->limit + LINE_END_MAX) {
		*length = *taken = waiting;
		reader->skipping = true;
		return 1;
	} else if (reader->ended && waiting > 0) {
		*length = *taken = waiting;
	} else {
		reader->searched = waiting;
		return 0;
	}
	if (*length > 0 && data[*length - 1] == '\r')
		--*length;
	return 1;
}

int
reader_next(struct reader *reader, struct line *line)
{
	size_t length, taken;

	do {
		if (reader->skipping)
			skip_rest(reader);
		if (measure(reader, &length, &taken) == 0)
			return 0;
		reader->searched = 0;
		reader->number++;
		if (length > 0)
			yield_line(reader, line, length);
		reader->start += taken;
		if (length > 0 && reader->stopped && !line->too_long)
			line->cut = reader->data[reader->start - 1] != '\n';
	} while (length == 0);
	return 1;
}

/* Whether the last line lacks its LF, and may still get it. */
static bool
ends_open(const struct reader *reader)
{
	const char *data = reader->data + reader->start, *lf;
	size_t waiting = reader->end - reader->start;

	if (waiting == 0 || reader->skipping)
		return false;
	lf = memrchr(data, '\n', waiting);
	if (lf != NULL)
		waiting -= (size_t)(lf + 1 - data);
	return waiting > 0 && waiting < reader->limit + LINE_END_MAX;
}

/* Reads the rest of the last line.  What lies behind it is as never read. */
static int
complete(struct reader *reader, struct svc_error *error)
{
	size_t before;
	char *lf;

	if (reader->skipping)
		skip_rest(reader);
	while (ends_open(reader)) {
		before = reader->end - reader->start;
		switch (read_once(reader, error)) {
		case FAILED:
			return -1;
		case CAME:
			break;
		case ENDED:
		case NOTHING_YET:
			return 0;
		}
		lf = memchr(reader->data + reader->start + before, '\n',
		    reader->end - reader->start - before);
		if (lf != NULL)
			reader->end = (size_t)(lf + 1 - reader->data);
	}
	return 0;
}

int
reader_stop(struct reader *reader, struct svc_error *error)
{
	int result = reader_pollable(reader) ? 0 : complete(reader, error);

	reader->stopped = !reader->ended;
	reader->ended = true;
	return result;
}

static int
wait_readable(const struct reader *reader, struct svc_error *error)
{
	struct pollfd pollfd = {reader->descriptor, POLLIN, 0};

	if (poll(&pollfd, 1, -1) == -1 && errno != EINTR)
		return svc_error_errno(error, "%s: poll", reader->name);
	return 0;
}

int
reader_line(struct reader *reader, struct line *line, struct svc_error *error)
{
	while (reader_next(reader, line) == 0) {
		switch (read_once(reader, error)) {
		case FAILED:
			return -1;
		case ENDED:
			return reader_next(reader, line);
		case NOTHING_YET:
			if (wait_readable(reader, error) == -1)
				return -1;
			break;
		case CAME:
			break;
		}
	}
	return 1;
}
