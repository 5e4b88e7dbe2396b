/* Harmless text: see escape.h. */
#include "ui/escape.h"

#include <stdbool.h>
#include <stdint.h>

#include "line/utf8.h"

/* What the size bytes at text, one valid character, stand for. */
static uint32_t
decode(const unsigned char *text, size_t size)
{
	uint32_t point = text[0] & (0xffu >> (size + 1));
	size_t i;

	for (i = 1; i < size; i++)
		point = point << 6 | (text[i] & 0x3fu);
	return point;
}

/* Beyond ASCII: C1, and what turns the direction or breaks the line. */
static bool
is_hostile(uint32_t point)
{
	return (point >= 0x80 && point <= 0x9f) || point == 0x61c ||
	       (point >= 0x200e && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}

static void
append_byte(struct buffer *out, unsigned char byte)
{
	static const char letters[] = {
	    ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};

	if (byte < sizeof(letters) && letters[byte] != '\0')
		buffer_append_format(out, "\\%c", letters[byte]);
	else
		buffer_append_format(out, "\\x%02x", byte);
}

void
escape_append(struct buffer *out, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i, plain = 0, size;
	uint32_t point;

	for (i = 0; i < length; i += size) {
		size = 1;
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			continue;
		size = utf8_length(text + i, length - i);
		point = size > 1 ? decode(bytes + i, size) : 0;
		if (size > 1 && !is_hostile(point))
			continue;
		buffer_append(out, text + plain, i - plain);
		if (size > 1)
			buffer_append_format(out, "\\u{%04x}", (unsigned)point);
		else
			append_byte(out, bytes[i]);
		size = size == 0 ? 1 : size;
		plain = i + size;
	}
	if (plain < length)
		buffer_append(out, text + plain, length - plain);
}
