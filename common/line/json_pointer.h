/*
 * JSON Pointer, RFC 6901, on the bytes of a document.
 */
#ifndef SVCKIT_LINE_JSON_POINTER_H
#define SVCKIT_LINE_JSON_POINTER_H

#include "line/error.h"
#include "line/json.h"

/* Whether text is a pointer: "" or "/a/0/b~1c".  EX_USAGE says why not. */
int json_pointer_check(const char *text, struct svc_error *error);

/*
 * The value that pointer, which json_pointer_check() accepts, names in
 * document, which a scan has accepted; "" names the whole, "-" in an array
 * nothing.  Of names that stand twice the last one counts, as jq and Python
 * take it.  1: *value, its bytes those of document; 0: there is none; -1:
 * EX_OSERR.
 */
int json_pointer_find(const struct json_value *document, const char *pointer,
    struct json_value *value, struct svc_error *error);

#endif
