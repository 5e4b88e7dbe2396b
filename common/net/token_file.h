/*
 * A file with a bearer token: one line, as RFC 6750, section 2.1, has it
 * (letters, digits and -._~+/, then =).  White space around it is not part of
 * it.
 */
#ifndef SVCKIT_NET_TOKEN_FILE_H
#define SVCKIT_NET_TOKEN_FILE_H

#include "line/buffer.h"
#include "line/error.h"

#define TOKEN_LENGTH_MAX 8192

/*
 * Appends the token that the file at path has, and a NUL, so that
 * token->data is a string.  EX_DATAERR: it has no token, more than one, or what
 * is none (no message ever quotes it); else as svc_error_errno().
 */
int token_file_read(
    const char *path, struct buffer *token, struct svc_error *error);

#endif
