/*
 * Reading one JSON value: strings decoded, numbers converted.
 *
 * The values come from the scanner (line/json.h), which has checked them; their
 * bytes belong to the text that was scanned.
 */
#ifndef SVCKIT_LINE_JSON_VALUE_H
#define SVCKIT_LINE_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

struct json_span {
	const char *data; /* NULL: absent */
	size_t length;
};

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_value {
	struct json_span span; /* of a string: with its quotes */
	enum json_type type;
	bool escaped; /* of a string: it has at least one backslash */
};

/*
 * Appends the decoded characters of a string value (UTF-8; \u0000 becomes a NUL
 * byte, an unpaired surrogate U+FFFD).  false: there was such a surrogate.
 */
bool json_decode(const struct json_value *value, struct buffer *out);

/*
 * Copies a string value decoded and NUL-terminated into out, of size bytes.
 * Returns its length; -1 when value is no string, does not fit, or contains
 * U+0000.
 */
int json_string(const struct json_value *value, char *out, size_t size);

/*
 * Whether written, what stands between the quotes of a string, is text (length
 * bytes) after unescaping.
 */
bool json_text_is(struct json_span written, const char *text, size_t length);

/* Whether two strings, what stands between their quotes, mean the same. */
bool json_text_equal(struct json_span a, struct json_span b);

/*
 * The value of a number (strtod(3) of the C locale); 1e400 is HUGE_VAL.  NAN
 * when value is no number, or has over 1,000 digits and memory ran out.
 */
double json_number(const struct json_value *value);

#endif
