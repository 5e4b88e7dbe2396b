/*
 * Bytes that may be text: whether they are UTF-8, and where they may be cut.
 */
#ifndef SVCKIT_LINE_TEXT_H
#define SVCKIT_LINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all length bytes are UTF-8. */
bool text_valid(const char *text, size_t length);

/*
 * How many of text's length bytes stay when it is cut to at most limit bytes
 * and no character is split.  Bytes that are not UTF-8 count as characters of
 * their own.
 */
size_t text_cut(const char *text, size_t length, size_t limit);

#endif
