#include "line/json_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/utf8.h"

#define NUMBER_SHORT	      64
#define REPLACEMENT_CHARACTER 0xfffd

/* What is still to be decoded of a string that the scanner has accepted. */
struct decoder {
	const char *p, *end;
	char character[4]; /* of the escape decoded last */
	bool unpaired; /* there was a surrogate alone */
};

/* Four hexadecimal digits. */
static unsigned long
hex(const char *p)
{
	unsigned long number = 0;
	int i;

	for (i = 0; i < 4; i++, p++) {
		number *= 16;
		if (*p >= '0' && *p <= '9')
			number += (unsigned long)(*p - '0');
		else
			number += (unsigned long)((*p | 0x20) - 'a' + 10);
	}
	return number;
}

static bool
is_high_surrogate(unsigned long unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool
is_low_surrogate(unsigned long unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static unsigned long
replace_surrogate(struct decoder *decoder)
{
	decoder->unpaired = true;
	return REPLACEMENT_CHARACTER;
}

/* The code point at \uXXXX, with the second half of a pair if there is one. */
static unsigned long
decode_unicode(struct decoder *decoder)
{
	unsigned long unit = hex(decoder->p + 2), low;

	decoder->p += 6;
	if (is_low_surrogate(unit))
		return replace_surrogate(decoder);
	if (!is_high_surrogate(unit))
		return unit;
	if (decoder->end - decoder->p < 6 || decoder->p[0] != '\\' ||
	    decoder->p[1] != 'u')
		return replace_surrogate(decoder);
	low = hex(decoder->p + 2);
	if (!is_low_surrogate(low))
		return replace_surrogate(decoder);
	decoder->p += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static size_t
decode_escape(struct decoder *decoder)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *letter;
	char c = decoder->p[1];

	if (c == 'u')
		return utf8_encode(decode_unicode(decoder), decoder->character);
	letter = strchr(letters, c);
	decoder->character[0] = letter == NULL ? c : meant[letter - letters];
	decoder->p += 2;
	return 1;
}

/*
 * The next stretch of decoded bytes: what stands up to a backslash, or one
 * escape.  False at the end.
 */
static bool
decoder_next(struct decoder *decoder, struct json_span *piece)
{
	const char *backslash;

	if (decoder->p == decoder->end)
		return false;
	if (*decoder->p == '\\') {
		piece->length = decode_escape(decoder);
		piece->data = decoder->character;
		return true;
	}
	backslash =
	    memchr(decoder->p, '\\', (size_t)(decoder->end - decoder->p));
	piece->data = decoder->p;
	decoder->p = backslash == NULL ? decoder->end : backslash;
	piece->length = (size_t)(decoder->p - piece->data);
	return true;
}

static struct decoder
decoder_of(const struct json_value *value)
{
	struct decoder decoder = {value->span.data + 1,
	    value->span.data + value->span.length - 1, {0}, false};

	return decoder;
}

bool
json_decode(const struct json_value *value, struct buffer *out)
{
	struct decoder decoder = decoder_of(value);
	struct json_span piece;

	while (decoder_next(&decoder, &piece))
		buffer_append(out, piece.data, piece.length);
	return !decoder.unpaired;
}

int
json_string(const struct json_value *value, char *out, size_t size)
{
	struct decoder decoder;
	struct json_span piece;
	size_t length = 0;

	if (value->span.data == NULL || value->type != JSON_STRING)
		return -1;
	decoder = decoder_of(value);
	while (decoder_next(&decoder, &piece)) {
		if (piece.length >= size - length || piece.data[0] == '\0')
			return -1;
		memcpy(out + length, piece.data, piece.length);
		length += piece.length;
	}
	if (length >= size)
		return -1;
	out[length] = '\0';
	return (int)length;
}

bool
json_text_is(struct json_span written, const char *text, size_t length)
{
	struct decoder decoder = {
	    written.data, written.data + written.length, {0}, false};
	struct json_span piece;

	/* No escape is shorter than what it means. */
	if (written.length < length)
		return false;
	while (decoder_next(&decoder, &piece)) {
		if (piece.length > length ||
		    memcmp(piece.data, text, piece.length) != 0)
			return false;
		text += piece.length;
		length -= piece.length;
	}
	return length == 0;
}

/* Sees to it that piece is not empty; false at the end. */
static bool
decoder_fill(struct decoder *decoder, struct json_span *piece)
{
	return piece->length > 0 || decoder_next(decoder, piece);
}

bool
json_text_equal(struct json_span a, struct json_span b)
{
	struct decoder one = {a.data, a.data + a.length, {0}, false};
	struct decoder two = {b.data, b.data + b.length, {0}, false};
	struct json_span left = {NULL, 0}, right = {NULL, 0};
	size_t length;

	while (decoder_fill(&one, &left)) {
		if (!decoder_fill(&two, &right))
			return false;
		length =
		    left.length < right.length ? left.length : right.length;
		if (memcmp(left.data, right.data, length) != 0)
			return false;
		left.data += length;
		left.length -= length;
		right.data += length;
		right.length -= length;
	}
	return !decoder_fill(&two, &right);
}

double
json_number(const struct json_value *value)
{
	char digits[NUMBER_SHORT], *copy = digits;
	size_t length = value->span.length;
	double number;

	if (value->span.data == NULL || value->type != JSON_NUMBER)
		return NAN;
	/* strtod(3) needs an end, and the text may have none. */
	if (length >= sizeof(digits) && (copy = malloc(length + 1)) == NULL)
		return NAN;
	memcpy(copy, value->span.data, length);
	copy[length] = '\0';
	number = strtod(copy, NULL);
	if (copy != digits)
		free(copy);
	return number;
}
