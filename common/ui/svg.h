/*
 * Pieces of SVG: text that may stand in XML whatever it holds, how wide it will
 * be, coordinates.
 *
 * XML 1.0 has no way to write most control characters, U+FFFE and U+FFFF, not
 * even as entities: they, and bytes that are no UTF-8, are shown as
 * escape.h shows them, by their numbers.
 */
#ifndef SVCKIT_UI_SVG_H
#define SVCKIT_UI_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

/* Of longer text so many bytes are taken, and an ellipsis. */
#define SVG_TEXT_MAX 160

/* Which end of a text is left out where it does not fit. */
enum svg_cut { SVG_CUT_END, SVG_CUT_BEGINNING };

/* Appends length bytes of text as character data or an attribute's value. */
void svg_text(struct buffer *out, const char *text, size_t length);

/*
 * How wide, in user units, text of a size (of its font) is at most.  The font
 * is the reader's: this goes by a wide one.
 */
double svg_text_width(const char *text, size_t length, double size);

/*
 * Appends as much of text as fits in width, with an ellipsis where it was cut.
 * False: not even three characters of it would fit, and nothing was appended.
 */
bool svg_text_fit(struct buffer *out, const char *text, size_t length,
    double size, double width, enum svg_cut cut);

/* Appends a coordinate, to a tenth: "12", "12.5". */
void svg_number(struct buffer *out, double number);

#endif
