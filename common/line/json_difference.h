/*
 * By which members two JSON objects differ.
 *
 * Values are compared by their bytes, without the space between tokens; the
 * order of members, also of objects inside them, is no difference.  Of several
 * members with one name the last counts, as for jq(1).
 */
#ifndef SVCKIT_LINE_JSON_DIFFERENCE_H
#define SVCKIT_LINE_JSON_DIFFERENCE_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json_value.h"

/* One member.  name is decoded; the values are as they were written. */
struct json_change {
	struct json_span name;
	struct json_span before; /* data NULL: absent */
	struct json_span after; /* the same */
};

/* Zeroes will do to begin with; release it afterwards. */
struct json_difference {
	struct json_change *changes; /* sorted by name, byte by byte */
	size_t count;
	struct buffer names[2]; /* private: what names point into */
};

/*
 * Finds by which members after differs from before: valid objects, which must
 * live as long as difference.  0; -1: no memory, and difference is empty.
 */
int json_difference_find(struct json_difference *difference,
    struct json_span before, struct json_span after, struct svc_error *error);

/*
 * Adds a member that the caller knows to differ, in its place.  What change
 * points to must live as long as difference.
 */
int json_difference_add(struct json_difference *difference,
    const struct json_change *change, struct svc_error *error);

void json_difference_release(struct json_difference *difference);

#endif
