/*
 * Members of records and task lines: which one a name is, and what is said of
 * one whose value is of the wrong kind.
 */
#ifndef SVCKIT_LINE_MEMBER_H
#define SVCKIT_LINE_MEMBER_H

#include <stddef.h>

#include "line/error.h"
#include "line/json.h"

/* A row of a table of names; common names first make it faster. */
struct member_name {
	char name[14];
	unsigned char length;
	unsigned char value; /* what member_find() returns */
};
#define MEMBER_NAME(name, value)                  \
	{                                         \
		(name), sizeof(name) - 1, (value) \
	}

/*
 * The value of the row of rows (count of them) whose name is the member's,
 * after unescaping; -1 when there is none.
 */
int member_find(const struct member_name *rows, size_t count,
    const struct json_member *member);

/* The name of the row with this value. */
const char *member_name(
    const struct member_name *rows, size_t count, int value);

/*
 * EX_DATAERR: "NAME": not WHAT: VALUE.  Returns -1.  what says what would be
 * right: "a number of at least 0".
 */
int member_refuse(const char *name, const char *what,
    const struct json_value *value, struct svc_error *error);

/* Seconds: a finite number, or a string such as "5m", at least 0. */
int member_seconds(const char *name, const struct json_value *value,
    double *seconds, struct svc_error *error);

/*
 * A finite number of at least 0, or a string that is one with a unit ("16G").
 * 1; 0: it is neither.
 */
int member_quantity(const struct json_value *value, double *quantity);

#endif
