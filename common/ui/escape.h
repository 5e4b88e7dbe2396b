/*
 * Text of strangers, made harmless for terminals and line-based formats.
 */
#ifndef SVCKIT_UI_ESCAPE_H
#define SVCKIT_UI_ESCAPE_H

#include <stddef.h>

#include "line/buffer.h"

/*
 * Appends length bytes of text with what could act on a terminal, break a line
 * or turn its direction escaped: LF, CR and tab as \n, \r and \t, other
 * controls of C0, DEL and bytes that are not UTF-8 as \xNN, C1 and the marks,
 * embeddings, overrides and isolates of bidirectional text as \u{NNNN}, as
 * are the line and paragraph separators.
 */
void escape_append(struct buffer *out, const char *text, size_t length);

#endif
