/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond
 * U+10FFFF.
 */
#ifndef SVCKIT_LINE_UTF8_H
#define SVCKIT_LINE_UTF8_H

#include <stddef.h>

/*
 * How many bytes, 1 to 4, the character at text takes; 0 when the first of its
 * length (at least 1) bytes do not make one.
 */
size_t utf8_length(const char *text, size_t length);

/* Writes codepoint (at most 0x10ffff, no surrogate); returns its length. */
size_t utf8_encode(unsigned long codepoint, char out[4]);

#endif
