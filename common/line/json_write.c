#include "line/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/utf8.h"

#define WHOLE_MAX	      9007199254740992.0 /* 2^53 */
#define REPLACEMENT_CHARACTER "\xef\xbf\xbd"

/* How many bytes at string can be copied as they are. */
static size_t
plain_length(const char *string, size_t length)
{
	size_t i = 0, character;
	unsigned char c;

	while (i < length) {
		c = (unsigned char)string[i];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		character = c < 0x80 ? 1 : utf8_length(string + i, length - i);
		if (character == 0)
			break;
		i += character;
	}
	return i;
}

static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

static const char *
find_special(unsigned char c)
{
	return c == '\0' ? NULL : strchr(special, c);
}

static void
append_escaped(struct buffer *out, unsigned char c)
{
	const char *found = find_special(c);

	if (c >= 0x80) {
		buffer_append_string(out, REPLACEMENT_CHARACTER);
	} else if (found != NULL) {
		buffer_append_char(out, '\\');
		buffer_append_char(out, letters[found - special]);
	} else {
		buffer_append_format(out, "\\u%04x", c);
	}
}

void
json_append_string(struct buffer *out, const char *string, size_t length)
{
	size_t plain;

	buffer_append_char(out, '"');
	while (length > 0) {
		plain = plain_length(string, length);
		buffer_append(out, string, plain);
		string += plain;
		length -= plain;
		if (length == 0)
			break;
		append_escaped(out, (unsigned char)*string);
		string++;
		length--;
	}
	buffer_append_char(out, '"');
}

size_t
json_string_length(const char *string, size_t length)
{
	size_t total = strlen("\"\""), i = 0;
	unsigned char c;

	for (;; i++) {
		i += plain_length(string + i, length - i);
		if (i == length)
			return total + length;
		c = (unsigned char)string[i];
		total += (c >= 0x80 ? strlen(REPLACEMENT_CHARACTER)
			     : find_special(c) != NULL ? strlen("\\n")
						       : strlen("\\u0000")) -
			 1;
	}
}

/* The digits of a whole number up to WHOLE_MAX: most numbers on lines. */
static void
append_whole(struct buffer *out, double number)
{
	char digits[24], *p = digits + sizeof(digits);
	unsigned long long rest = (unsigned long long)fabs(number);

	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (signbit(number))
		*--p = '-';
	buffer_append(out, p, (size_t)(digits + sizeof(digits) - p));
}

void
json_append_number(struct buffer *out, double number)
{
	char text[40];
	int digits;

	if (!isfinite(number)) {
		buffer_append_string(out, "null");
		return;
	}
	if (number == floor(number) && fabs(number) <= WHOLE_MAX) {
		append_whole(out, number);
		return;
	}
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buffer_append_string(out, text);
}

void
json_append_line(struct buffer *out, struct json_span text)
{
	char *room = buffer_reserve(out, text.length);
	size_t i;

	if (room == NULL)
		return;
	for (i = 0; i < text.length; i++)
		room[i] = text.data[i] == '\n' || text.data[i] == '\r'
			      ? ' '
			      : text.data[i];
	out->length += text.length;
}
