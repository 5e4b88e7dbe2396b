/*
 * An HTTP/1.x answer, read from bytes that come as they come: the status, and
 * a small body by length, by chunks (RFC 9112) or until the end.
 */
#ifndef SVCKIT_NET_HTTP_ANSWER_H
#define SVCKIT_NET_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

#define ANSWER_MAX (64UL * 1024) /* header and body */

struct http_answer {
	int status; /* 0: its header has not come whole */
};

/*
 * Reads the length bytes that have come so far; ended: no more will.  1: the
 * answer is whole, and its body, decoded, has been appended to body; 0: it is
 * not, status may be known all the same; -1: it is over ANSWER_MAX or no HTTP,
 * whole headers leave status known.
 */
int http_answer_read(struct http_answer *answer, const char *data,
    size_t length, bool ended, struct buffer *body);

#endif
