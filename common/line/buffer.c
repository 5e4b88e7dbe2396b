#include "line/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

void
buffer_init(struct buffer *buffer)
{
	*buffer = (struct buffer)BUFFER_INIT;
}

void
buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer);
}

void
buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
}

void
buffer_trim(struct buffer *buffer, size_t limit)
{
	if (buffer->capacity > limit)
		buffer_release(buffer);
	else
		buffer_clear(buffer);
}

void
buffer_shrink(struct buffer *buffer)
{
	size_t capacity =
	    buffer->length < CAPACITY_MIN ? CAPACITY_MIN : buffer->length;
	char *data;

	if (capacity >= buffer->capacity)
		return;
	/* Without a smaller block the larger one is as good. */
	data = realloc(buffer->data, capacity);
	if (data == NULL)
		return;
	buffer->data = data;
	buffer->capacity = capacity;
}

bool
buffer_failed(const struct buffer *buffer)
{
	return buffer->failed;
}

/* Grows by doubling, so that n appends cost O(n). */
static bool
grow(struct buffer *buffer, size_t length)
{
	size_t needed = buffer->length + length;
	size_t capacity = buffer->capacity;
	char *data = NULL;

	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	while (capacity < needed && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	if (needed >= buffer->length && capacity >= needed)
		data = realloc(buffer->data, capacity);
	if (data == NULL) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

char *
buffer_reserve(struct buffer *buffer, size_t length)
{
	if (buffer->failed)
		return NULL;
	if ((buffer->data == NULL ||
		length > buffer->capacity - buffer->length) &&
	    !grow(buffer, length))
		return NULL;
	return buffer->data + buffer->length;
}

void
buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	char *room;

	if (length == 0 || (room = buffer_reserve(buffer, length)) == NULL)
		return;
	memcpy(room, data, length);
	buffer->length += length;
}

void
buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void
buffer_append_char(struct buffer *buffer, char c)
{
	char *room = buffer_reserve(buffer, 1);

	if (room == NULL)
		return;
	*room = c;
	buffer->length++;
}

void
buffer_append_unsigned(struct buffer *buffer, unsigned long number)
{
	char digits[3 * sizeof(number)];
	size_t first = sizeof(digits);

	do
		digits[--first] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	buffer_append(buffer, digits + first, sizeof(digits) - first);
}

void
buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	size_t spare = buffer->capacity - buffer->length;
	va_list arguments;
	char *room;
	int length;

	if (buffer->failed)
		return;
	va_start(arguments, format);
	length = vsnprintf(spare == 0 ? NULL : buffer->data + buffer->length,
	    spare, format, arguments);
	va_end(arguments);
	if (length < 0) {
		buffer->failed = true;
		return;
	}
	if ((size_t)length >= spare) {
		room = buffer_reserve(buffer, (size_t)length + 1);
		if (room == NULL)
			return;
		va_start(arguments, format);
		vsnprintf(room, (size_t)length + 1, format, arguments);
		va_end(arguments);
	}
	buffer->length += (size_t)length;
}

const char *
buffer_string(struct buffer *buffer)
{
	char *end = buffer_reserve(buffer, 1);

	if (end == NULL)
		return NULL;
	*end = '\0';
	return buffer->data;
}

char *
buffer_detach(struct buffer *buffer)
{
	char *data;

	if (buffer_string(buffer) == NULL) {
		buffer_release(buffer);
		return NULL;
	}
	data = buffer->data;
	buffer_init(buffer);
	return data;
}
