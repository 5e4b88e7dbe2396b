#include "line/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buffer *out, const void *data, size_t length)
{
	const unsigned char *from = data;
	char *to = buffer_reserve(out, length / 3 * 4 + 4);
	uint32_t group;
	size_t left;

	if (to == NULL)
		return;
	out->length += (length + 2) / 3 * 4;
	for (left = length; left > 0; from += 3, to += 4) {
		group = (uint32_t)from[0] << 16;
		if (left > 1)
			group |= (uint32_t)from[1] << 8;
		if (left > 2)
			group |= from[2];
		to[0] = digits[group >> 18];
		to[1] = digits[group >> 12 & 63];
		to[2] = left > 1 ? digits[group >> 6 & 63] : '=';
		to[3] = left > 2 ? digits[group & 63] : '=';
		left -= left < 3 ? left : 3;
	}
}

/* The value of a digit, 64 for what is none. */
static uint32_t
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Four characters, the last pad of them '=', into 3 - pad bytes. */
static int
decode_group(const char *text, size_t pad, unsigned char *to)
{
	uint32_t group = 0, value;
	size_t i;

	for (i = 0; i < 4; i++) {
		value = i < 4 - pad ? digit_value(text[i]) : 0;
		if (value == 64)
			return -1;
		group = group << 6 | value;
	}
	/* Bits that no byte takes must be 0: one spelling only. */
	if ((group & (((uint32_t)1 << 8 * pad) - 1)) != 0)
		return -1;
	for (i = 0; i < 3 - pad; i++)
		to[i] = (unsigned char)(group >> (16 - 8 * i));
	return 0;
}

int
base64_decode(struct buffer *out, const char *text, size_t length)
{
	unsigned char *to;
	size_t pad = 0, done;

	if (length == 0)
		return 0;
	if (length % 4 != 0)
		return -1;
	if (text[length - 1] == '=')
		pad = text[length - 2] == '=' ? 2 : 1;
	to = (unsigned char *)buffer_reserve(out, length / 4 * 3);
	if (to == NULL)
		return -1;
	for (done = 0; done < length; done += 4, to += 3) {
		if (decode_group(
			text + done, done + 4 == length ? pad : 0, to) == -1)
			return -1;
	}
	out->length += length / 4 * 3 - pad;
	return 0;
}
