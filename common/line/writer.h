/*
 * Lines to a descriptor, whole.
 *
 * Into a pipe, a socket or a terminal every write(2) is at most PIPE_BUF bytes
 * and consists of whole lines (POSIX makes such writes to a pipe atomic), so
 * that lines of several processes on one pipe do not mix; only a line longer
 * than PIPE_BUF goes by itself: at once, or in pieces of PIPE_BUF in an event
 * loop.  Into a file the writes are large.  O_NONBLOCK is never set: the
 * descriptor may be shared with the shell.  Where somebody else has set it, the
 * blocking calls wait as if it were not.
 *
 * A filter calls writer_line() and at the end writer_flush().  An event loop
 * calls writer_line(), and writer_step() after POLLOUT, which then does not
 * block.
 *
 * After an error the writer stays failed: every further call returns -1 with
 * the same error, so that nothing follows half a line.
 */
#ifndef SVCKIT_LINE_WRITER_H
#define SVCKIT_LINE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"

struct writer;

/* Writes to descriptor, which stays the caller's. name is for messages. */
int writer_open(struct writer **writer, int descriptor, const char *name,
    struct svc_error *error);

/* What still waits is dropped: flush first. */
void writer_close(struct writer *writer);

/*
 * Flush at every line (true: for people and watchers), or when a good chunk has
 * gathered (false, the default).
 */
void writer_set_prompt(struct writer *writer, bool prompt);

/*
 * Queues one line, or several with a LF after each; the last LF is added unless
 * data ends with one.  Without events a full chunk is written at once.  -1:
 * EX_IOERR, and errno is EPIPE when the reader has gone; EX_OSERR without
 * memory.
 */
int writer_line(struct writer *writer, const char *data, size_t length,
    struct svc_error *error);

/*
 * The same for lines that a buffer holds, each with its LF; the buffer is empty
 * afterwards.  In an event loop, where nothing else waits, nothing is copied:
 * the buffer's memory becomes the writer's.
 */
int writer_take(
    struct writer *writer, struct buffer *lines, struct svc_error *error);

/* Writes all that waits, blocking. */
int writer_flush(struct writer *writer, struct svc_error *error);

/* For event loops: writer_line() then only queues, never writes. */
void writer_set_queued(struct writer *writer, bool queued);

/* One write(2), after POLLOUT.  1: more waits; 0: all written; -1. */
int writer_step(struct writer *writer, struct svc_error *error);

/* How many bytes wait. */
size_t writer_pending(const struct writer *writer);

/*
 * Whether POLLOUT is worth waiting for: false for regular files and devices
 * like /dev/null, which never block and which epoll(7) refuses.
 */
bool writer_pollable(const struct writer *writer);

#endif
