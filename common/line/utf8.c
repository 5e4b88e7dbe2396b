#include "line/utf8.h"

#include <stdbool.h>

/* The bytes of a well-formed sequence: table 3-7 of the Unicode standard. */
static const struct {
	unsigned char first, last; /* the leading byte */
	unsigned char low, high; /* the second byte */
	unsigned char length;
} sequences[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_length(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t row, i;

	if (p[0] < 0x80)
		return 1;
	for (row = 0; row < sizeof(sequences) / sizeof(sequences[0]); row++)
		if (p[0] <= sequences[row].last)
			break;
	if (row == sizeof(sequences) / sizeof(sequences[0]) ||
	    p[0] < sequences[row].first || length < sequences[row].length ||
	    p[1] < sequences[row].low || p[1] > sequences[row].high)
		return 0;
	for (i = 2; i < sequences[row].length; i++)
		if (!is_continuation(p[i]))
			return 0;
	return sequences[row].length;
}

size_t
utf8_encode(unsigned long codepoint, char out[4])
{
	size_t length, i;

	if (codepoint < 0x80) {
		out[0] = (char)codepoint;
		return 1;
	}
	length = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
	for (i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (codepoint & 0x3f));
		codepoint >>= 6;
	}
	out[0] = (char)((0xf00 >> length) | codepoint);
	return length;
}
