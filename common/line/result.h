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

/* Whether what has this Content-Type is JSON; NULL, none, is. */
bool media_type_is_json(const char *content_type);

/* A body that is a result, and how it is written. */
struct result {
	enum { RESULT_NULL, RESULT_JSON, RESULT_TEXT, RESULT_BASE64 } kind;
	struct json_span body; /* borrowed */
	size_t length; /* of VALUE, in bytes */
};

/*
 * Looks at a body with this Content-Type, which may be NULL, for a line that
 * has used bytes so far.  -1: EX_PROTOCOL, the body is not what its type says;
 * EX_DATAERR, the line would be longer than LINE_LENGTH_MAX.
 */
int result_read(struct result *result, size_t used, const char *content_type,
    const char *body, size_t length, struct svc_error *error);

/*
 * Appends ,"result":VALUE (and ,"encoding":"base64" where it is) to out, in
 * two steps.
 */
void result_write_name(const struct result *result, struct buffer *out);
void result_write_value(const struct result *result, struct buffer *out);

/*
 * The second step of a body that lies in store (not an empty one): it is
 * written from its end, and store shrinks meanwhile, so that both together
 * never take much more than the larger.  store is released.
 */
void result_pour(
    const struct result *result, struct buffer *store, struct buffer *out);

/* All of that in one.  -1, and out is unchanged: as result_read(). */
int result_append(struct buffer *out, const char *content_type,
    const char *body, size_t length, struct svc_error *error);

/*
 * Appends the bytes of a request: the payload as it is, or decoded when base64.
 * -1 with EX_DATAERR when it is not base64; out is then unchanged.
 */
int payload_append(struct buffer *out, const struct json_value *task,
    bool base64, struct svc_error *error);

/*
 * The same without a copy where the bytes lie in task; else they go to store,
 * which is empty.  Where content_type, the one that the caller names or NULL,
 * is text/ (but not one of JSON) task must be a string, of which the characters
 * are sent, in UTF-8.  -1: EX_OSERR; EX_DATAERR, it cannot be sent so.
 */
int payload_read(struct json_span *body, const struct json_value *task,
    bool base64, const char *content_type, struct buffer *store,
    struct svc_error *error);

#endif
