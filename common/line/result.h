/*
 * Results by Content-Type (task-line(5), RESULTS), and payloads for requests.
 *
 * JSON types (application/json, text/json, anything +json), and none: the body
 * must be JSON, and its bytes are kept, with CR and LF as spaces.  text/ in
 * UTF-8: a JSON string.  Anything else: base64.  Empty: null.
 */
#ifndef SVCKIT_LINE_RESULT_H
#define SVCKIT_LINE_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"

/*
 * Appends ,"result":VALUE (and ,"encoding":"base64" where it is) to out, which
 * holds the line so far.  content_type may be NULL.  -1, and out is unchanged:
 * EX_PROTOCOL, the body is not what its type says; EX_DATAERR, the line would
 * be longer than LINE_LENGTH_MAX.
 */
int result_append(struct buffer *out, const char *content_type,
    const char *body, size_t length, struct svc_error *error);

/*
 * Appends the bytes of a request: the payload as it is, or decoded when base64.
 * -1 with EX_DATAERR when it is not base64; out is then unchanged.
 */
int payload_append(struct buffer *out, const struct json_value *task,
    bool base64, struct svc_error *error);

#endif
