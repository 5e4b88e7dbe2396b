#include "ui/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/utf8.h"
#include "ui/escape.h"

static const char ellipsis[] = "\342\200\246";

/* How wide an ellipsis is, in sizes of the font. */
#define ELLIPSIS_WIDTH 1.0

/* Fewer characters than these tell nothing. */
#define FIT_MIN 3

/* The bytes of the first character; of what is none, one. */
static size_t
character_length(const char *text, size_t length)
{
	size_t size = utf8_length(text, length);

	return size == 0 ? 1 : size;
}

/* How wide a character is, in sizes of the font: DejaVu Sans, rounded up. */
static double
character_width(const char *text, size_t size)
{
	if (size > 1) /* those of three bytes may be ideographs */
		return size == 2 ? 0.7 : 1.0;
	if (strchr("fijlrtI.,:;!'| ()[]/-", text[0]) != NULL)
		return 0.42;
	if (strchr("mwMW%@&+<=>#~", text[0]) != NULL)
		return 1.0;
	return text[0] >= 'A' && text[0] <= 'Z' ? 0.77 : 0.64;
}

static double
width_of(const char *text, size_t length)
{
	double width = 0;
	size_t i, size;

	for (i = 0; i < length; i += size) {
		size = character_length(text + i, length - i);
		width += character_width(text + i, size);
	}
	return width;
}

/* The same text, harmless, and of no more than SVG_TEXT_MAX bytes of it. */
static void
clean(struct buffer *out, const char *text, size_t length)
{
	size_t i = 0, size;

	while (i < length) {
		size = character_length(text + i, length - i);
		if (i + size > SVG_TEXT_MAX)
			break;
		i += size;
	}
	escape_append(out, text, i);
	if (i < length)
		buffer_append_string(out, ellipsis);
}

double
svg_text_width(const char *text, size_t length, double size)
{
	struct buffer cleaned = BUFFER_INIT;
	double width;

	clean(&cleaned, text, length);
	width = width_of(cleaned.data, cleaned.length) * size;
	buffer_release(&cleaned);
	return width;
}

/* What stands for a character that XML reserves or forbids; or NULL. */
static const char *
entity(const char *text, size_t size)
{
	if (size == 3 && memcmp(text, "\357\277\276", 3) == 0)
		return "\\u{fffe}";
	if (size == 3 && memcmp(text, "\357\277\277", 3) == 0)
		return "\\u{ffff}";
	if (size != 1)
		return NULL;
	switch (text[0]) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

/* Appends text that is clean. */
static void
append_xml(struct buffer *out, const char *text, size_t length)
{
	const char *instead;
	size_t i, size;

	for (i = 0; i < length; i += size) {
		size = character_length(text + i, length - i);
		instead = entity(text + i, size);
		if (instead != NULL)
			buffer_append_string(out, instead);
		else
			buffer_append(out, text + i, size);
	}
}

void
svg_text(struct buffer *out, const char *text, size_t length)
{
	struct buffer cleaned = BUFFER_INIT;

	clean(&cleaned, text, length);
	append_xml(out, cleaned.data, cleaned.length);
	if (buffer_failed(&cleaned))
		out->failed = true;
	buffer_release(&cleaned);
}

/* How many bytes at the beginning are at most width wide; and characters. */
static size_t
fit_beginning(const char *text, size_t length, double width, size_t *characters)
{
	size_t i, size;

	*characters = 0;
	for (i = 0; i < length; i += size, ++*characters) {
		size = character_length(text + i, length - i);
		width -= character_width(text + i, size);
		if (width < 0)
			break;
	}
	return i;
}

/* The same at the end. */
static size_t
fit_end(const char *text, size_t length, double width, size_t *characters)
{
	double rest = width_of(text, length);
	size_t i, size;

	*characters = 0;
	for (i = 0; i < length && rest > width; i += size) {
		size = character_length(text + i, length - i);
		rest -= character_width(text + i, size);
	}
	for (size = i; size < length; ++*characters)
		size += character_length(text + size, length - size);
	return length - i;
}

bool
svg_text_fit(struct buffer *out, const char *text, size_t length, double size,
    double width, enum svg_cut cut)
{
	struct buffer cleaned = BUFFER_INIT;
	double room = width / size - ELLIPSIS_WIDTH;
	size_t fits, characters = FIT_MIN;

	clean(&cleaned, text, length);
	if (buffer_failed(&cleaned))
		out->failed = true;
	text = cleaned.data;
	length = fits = cleaned.length;
	if (width_of(text, length) * size > width)
		fits = cut == SVG_CUT_END
			   ? fit_beginning(text, length, room, &characters)
			   : fit_end(text, length, room, &characters);
	if (characters >= FIT_MIN) {
		if (fits < length && cut == SVG_CUT_BEGINNING)
			buffer_append_string(out, ellipsis);
		append_xml(out,
		    cut == SVG_CUT_END || fits == length
			? text
			: text + (length - fits),
		    fits);
		if (fits < length && cut == SVG_CUT_END)
			buffer_append_string(out, ellipsis);
	}
	buffer_release(&cleaned);
	return characters >= FIT_MIN;
}

void
svg_number(struct buffer *out, double number)
{
	long tenths = lround(number * 10);
	long rest = tenths % 10;

	if (rest == 0)
		buffer_append_format(out, "%ld", tenths / 10);
	else
		buffer_append_format(out, "%s%ld.%ld", tenths < 0 ? "-" : "",
		    labs(tenths / 10), labs(rest));
}
