/*
 * The scanner beneath line/json.h: where one JSON value ends, and whether it is
 * one.
 *
 * Each function takes the place where it is to begin, between the text's begin
 * and scanner->end, and returns the place behind what it read; or NULL, with
 * where and why filled.  It reads no byte twice, allocates nothing and does not
 * recurse.
 */
#ifndef SVCKIT_LINE_JSON_SCANNER_H
#define SVCKIT_LINE_JSON_SCANNER_H

#include <stdbool.h>

#include "line/json_value.h"

#define JSON_DEPTH_MAX 512 /* arrays and objects inside one another */

struct json_scanner {
	const char *end; /* of the text */
	const char *where; /* of the mistake */
	const char *why; /* a phrase that lives for ever */
};

/* Behind the white space at p, if any. */
const char *json_scanner_space(
    const struct json_scanner *scanner, const char *p);

/*
 * A member's name and its colon, with white space around them: to where the
 * value must begin.  name is what stands between the quotes.
 */
const char *json_scanner_name(struct json_scanner *scanner, const char *p,
    struct json_span *name, bool *escaped);

/*
 * The value at p, which must begin there; outside is how many arrays and
 * objects stand around it.
 */
const char *json_scanner_value(struct json_scanner *scanner, const char *p,
    unsigned outside, struct json_value *value);

#endif
