#include "line/base64.h"

#include <sys/types.h>

#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>

#define NO_DIGIT (1U << 24) /* beyond the bits of four digits */

void
base64_encode(struct buffer *out, const void *data, size_t length)
{
	size_t size = (length + 2) / 3 * 4 + 1;
	char *to = buffer_reserve(out, size);
	int written;

	if (to == NULL)
		return;
	written = b64_ntop(data, length, to, size);
	if (written == -1)
		out->failed = true;
	else
		out->length += (size_t)written;
}

/* What a digit stands for; NO_DIGIT: it is none. */
static unsigned
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

/* The bits of count digits, 6 each; what is no digit makes it NO_DIGIT. */
static unsigned
bits_of(const char *text, size_t count)
{
	unsigned bits = 0, bad = 0, value;

	for (; count > 0; count--, text++) {
		value = value_of(*text);
		bad |= value & NO_DIGIT;
		bits = bits << 6 | (value & 63);
	}
	return bad | bits;
}

/* The 2 or 3 digits in front of the padding; bits that no byte takes are 0. */
static bool
decode_rest(const char *text, size_t digits, unsigned char *to)
{
	unsigned bits = bits_of(text, digits);
	unsigned unused = digits == 2 ? 4 : 2;

	if (bits >= NO_DIGIT || (bits & ((1U << unused) - 1)) != 0)
		return false;
	bits >>= unused;
	if (digits == 3)
		*to++ = (unsigned char)(bits >> 8);
	*to = (unsigned char)bits;
	return true;
}

int
base64_decode(struct buffer *out, const char *text, size_t length)
{
	size_t digits = length, rest, i;
	unsigned char *to;
	unsigned bits;

	if (length % 4 != 0)
		return -1;
	while (digits > 0 && length - digits < 2 && text[digits - 1] == '=')
		digits--;
	to = (unsigned char *)buffer_reserve(out, length / 4 * 3);
	if (to == NULL)
		return -1;
	rest = digits % 4;
	for (i = 0; i < digits - rest; i += 4, to += 3) {
		bits = bits_of(text + i, 4);
		if (bits >= NO_DIGIT)
			return -1;
		to[0] = (unsigned char)(bits >> 16);
		to[1] = (unsigned char)(bits >> 8);
		to[2] = (unsigned char)bits;
	}
	if (rest > 0 && !decode_rest(text + i, rest, to))
		return -1;
	out->length += digits * 3 / 4;
	return 0;
}
