/* Writing JSON: each appends one value, valid whatever it is given. */
#ifndef SVCKIT_LINE_JSON_WRITE_H
#define SVCKIT_LINE_JSON_WRITE_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/json_value.h"

/*
 * Appends length bytes of UTF-8 as a JSON string, quoted and escaped; bytes
 * that are not UTF-8 become U+FFFD.
 */
void json_append_string(struct buffer *out, const char *string, size_t length);

/* How many bytes that takes. */
size_t json_string_length(const char *string, size_t length);

/*
 * Appends number in the fewest digits, of 15 to 17, that read back as the same
 * double; a whole one up to 2^53 without exponent; null unless finite.
 */
void json_append_number(struct buffer *out, double number);

/* Appends valid JSON, each CR and LF (always between tokens) as a space. */
void json_append_line(struct buffer *out, struct json_span text);

#endif
