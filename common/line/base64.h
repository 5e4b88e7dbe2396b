/*
 * Base64 as RFC 4648, section 4, has it: padded, nothing between the
 * characters, and one spelling only for each run of bytes.
 *
 * libresolv has b64_ntop(3), which encodes; its b64_pton(3) is not strict.
 */
#ifndef SVCKIT_LINE_BASE64_H
#define SVCKIT_LINE_BASE64_H

#include <stddef.h>

#include "line/buffer.h"

void base64_encode(struct buffer *out, const void *data, size_t length);

/*
 * Appends the bytes that length characters of text stand for.  -1 when they are
 * not base64; out is then unchanged.
 */
int base64_decode(struct buffer *out, const char *text, size_t length);

#endif
