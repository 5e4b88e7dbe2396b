/*
 * Lines from a descriptor, of any length up to a limit.
 *
 * LF ends a line, a CR in front of it is dropped, the last line may lack its
 * LF, empty lines are skipped (they count for the numbers).  A line over the
 * limit is yielded once, cut, with too_long set, and the rest of it is read
 * over in constant memory.  A NUL byte sets has_nul.
 *
 * A filter calls reader_line() until it returns 0.  An event loop calls
 * reader_fill() once each time the descriptor is readable (one read(2), which
 * then does not block), and reader_next() until it returns 0; after
 * reader_fill() has returned 0, too, for a last line without LF.
 *
 * A filter whose output should not lag behind a slow input flushes it when
 * reader_next() returns 0, before it calls reader_line().
 */
#ifndef SVCKIT_LINE_READER_H
#define SVCKIT_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"

#define LINE_LENGTH_MAX (20UL * 1024 * 1024)

struct line {
	const char *data; /* no LF; owned by the reader until its next call */
	size_t length;
	unsigned long number; /* from 1 */
	bool too_long; /* data is its first limit bytes */
	bool has_nul; /* in data */
	bool cut; /* reader_stop() came before its LF: it may go on */
};

struct reader;

/*
 * Reads from descriptor, which stays the caller's, blocking or not.  name
 * ("stdin", a path) is copied, for messages.  limit is the longest line in
 * bytes, without its end.
 */
int reader_open(struct reader **reader, int descriptor, const char *name,
    size_t limit, struct svc_error *error);
void reader_close(struct reader *reader);

const char *reader_name(const struct reader *reader);
int reader_descriptor(const struct reader *reader);

/*
 * Whether POLLIN is worth waiting for: false for regular files and devices like
 * /dev/null, which never block and which epoll(7) refuses.
 */
bool reader_pollable(const struct reader *reader);

/*
 * One read(2).  1: something came (or, from a descriptor with O_NONBLOCK,
 * nothing yet); 0: end of input; -1: error.
 */
int reader_fill(struct reader *reader, struct svc_error *error);

/*
 * The next whole line that has been read already: 1; 0: none, fill first (or,
 * after the end, no more).
 */
int reader_next(struct reader *reader, struct line *line);

/*
 * Nothing more is read: reader_next() yields what has come, and at last what
 * has come of a line that has not ended, as cut.  Of what never blocks (a file)
 * the rest of that line is read, and it is whole.  -1: reading it failed; it is
 * cut, then.
 */
int reader_stop(struct reader *reader, struct svc_error *error);

/* Bytes of the input that have been yielded, or passed over. */
uint64_t reader_consumed(const struct reader *reader);

/*
 * Hands over the memory that the line yielded last lies in, so that a long one
 * is not copied; what has come behind it is kept.  The caller releases store.
 * -1: there is no memory for the rest; all is as before.
 */
int reader_take(struct reader *reader, struct buffer *store);

/* The next line, reading as often as needed.  1, 0 at the end, -1. */
int reader_line(
    struct reader *reader, struct line *line, struct svc_error *error);

#endif
