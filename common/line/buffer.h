/*
 * A growing run of bytes.
 *
 * Appending never fails at the call: when memory runs out the buffer turns
 * failed, further appends do nothing, and buffer_failed() tells before the
 * bytes are used, as ferror(3) does for a stream.
 */
#ifndef SVCKIT_LINE_BUFFER_H
#define SVCKIT_LINE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data; /* owned; not NUL-terminated unless buffer_string() */
	size_t length;
	size_t capacity;
	bool failed;
};

#define BUFFER_INIT               \
	{                         \
		NULL, 0, 0, false \
	}

void buffer_init(struct buffer *buffer);
void buffer_release(struct buffer *buffer);

/* Empties it and clears the failure; the memory is kept for the next use. */
void buffer_clear(struct buffer *buffer);

/* The same, but memory over limit bytes is given back. */
void buffer_trim(struct buffer *buffer, size_t limit);

/* Gives back the memory beyond its length. */
void buffer_shrink(struct buffer *buffer);

bool buffer_failed(const struct buffer *buffer);

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_char(struct buffer *buffer, char c);
/* In decimal, ten times as fast as with a format. */
void buffer_append_unsigned(struct buffer *buffer, unsigned long number);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Makes room for length more bytes and returns where they go, NULL when there
 * is no memory.  The caller adds what it wrote to buffer->length.
 */
char *buffer_reserve(struct buffer *buffer, size_t length);

/*
 * The contents with a NUL behind them (not counted in length), owned by the
 * buffer until its next change; NULL when it has failed.
 */
const char *buffer_string(struct buffer *buffer);

/* The same bytes, now the caller's to free(3); the buffer is empty again. */
char *buffer_detach(struct buffer *buffer);

#endif
