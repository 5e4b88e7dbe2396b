/*
 * A strict JSON scanner that keeps bytes.
 *
 * It accepts and rejects exactly as RFC 8259 does, checks UTF-8 (RFC 3629),
 * bounds depth and length, and yields where each top-level member lies, so that
 * a payload can travel on byte for byte.  Nothing is converted until asked for.
 * cJSON reads what svckit interprets; this scanner stands in front of it.
 *
 * Spans point into the text that was scanned and live as long as it does.
 *
 * line/json_value.h reads the values that are found, line/json_tree.h hands
 * them to cJSON, line/json_write.h makes such: all come with this header.
 */
#ifndef SVCKIT_LINE_JSON_H
#define SVCKIT_LINE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json_scanner.h" /* JSON_DEPTH_MAX */
#include "line/json_tree.h"
#include "line/json_value.h"
#include "line/json_write.h"

struct json_member {
	struct json_span name; /* between the quotes, as written */
	bool escaped; /* the name has at least one backslash */
	struct json_value value;
};

/*
 * One scanned document.  Its members array is reused by the next scan with the
 * same struct: initialise once (zeroes will do), scan often, release once.
 */
struct json_document {
	struct json_value value; /* the whole, without surrounding space */
	struct json_member *members; /* of an object, in the order written */
	size_t count;
	size_t capacity;
};

void json_document_release(struct json_document *document);

/*
 * Scans text, which must be one JSON value with optional space around it.
 * Returns 0, or -1 with EX_DATAERR and a message that names the byte
 * ("byte 17: ...", counted from 1), or EX_OSERR when memory ran out.
 */
int json_scan(struct json_document *document, const char *text, size_t length,
    struct svc_error *error);

/*
 * The same without memory: of an object each member goes to take() (or NULL) as
 * soon as it is scanned, so that some may have gone when the rest turns out to
 * be no JSON.
 */
int json_scan_members(const char *text, size_t length, struct json_value *value,
    void (*take)(void *argument, const struct json_member *member),
    void *argument, struct svc_error *error);

/* Whether text is one valid value; no members, no memory. */
bool json_valid(const char *text, size_t length);

/*
 * The first member called name (compared after unescaping) of a scanned
 * object, NULL when there is none.
 */
const struct json_member *json_member(
    const struct json_document *document, const char *name);

/* Whether the member's name is name, after unescaping. */
bool json_name_is(const struct json_member *member, const char *name);

/*
 * Follows path, member names joined by dots, into the object text, which must
 * be valid JSON.  A member whose own name contains dots is found when the rest
 * of the path equals it.  Of several with one name the first counts.  Returns 1
 * and fills value, or 0.
 */
int json_path(
    struct json_span text, const char *path, struct json_value *value);

/*
 * The members of a valid object, one call each: cursor starts as object.data
 * and is moved on.  Returns 1 and fills member, or 0 at the end.
 */
int json_next_member(
    struct json_span object, const char **cursor, struct json_member *member);

/* The same for the elements of a valid array. */
int json_next_element(
    struct json_span array, const char **cursor, struct json_value *value);

#endif
