/*
 * What a server says beside an error, in a few words: of a JSON object its
 * "detail" (RFC 9457), else "title", "message" or "error", if that is a string.
 */
#ifndef SVCKIT_NET_CALL_DETAIL_H
#define SVCKIT_NET_CALL_DETAIL_H

#include <stddef.h>

#define CALL_DETAIL_MAX 200 /* bytes */

/*
 * Fills detail with it, in one line: control characters are spaces.  Returns
 * its length; 0, and "": body says nothing.
 */
size_t call_detail(
    const char *body, size_t length, char detail[CALL_DETAIL_MAX + 1]);

#endif
