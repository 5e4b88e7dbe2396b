/*
 * The check of an instance: how to find out whether it works.
 *
 *	"check":{"http":"/health","interval":5,"timeout":1,"rise":2,"fall":3}
 *	"check":{"tcp":true}
 *
 * instance_parse() keeps the member as it stands: a mistake in it must not hide
 * an instance that is registered.  Whoever takes records in (svc-register)
 * refuses what check_read() refuses; a prober makes it the reason of a warning.
 */
#ifndef SVCKIT_LINE_CHECK_H
#define SVCKIT_LINE_CHECK_H

#include <stdbool.h>

#include "line/error.h"
#include "line/instance.h"

#define CHECK_PATH_SIZE	   512 /* with its NUL */
#define CHECK_INTERVAL	   5.0 /* seconds */
#define CHECK_INTERVAL_MIN 0.01
#define CHECK_TIMEOUT	   1.0
#define CHECK_TIMEOUT_MAX  60.0
#define CHECK_RISE	   2
#define CHECK_FALL	   3
#define CHECK_COUNT_MAX	   1000 /* of rise and fall */

enum check_kind {
	CHECK_NONE,
	CHECK_HTTP, /* GET path; beside it "tcp" says nothing more */
	CHECK_TCP /* a connection is enough: "tcp":true, or it does not say */
};

struct check {
	enum check_kind kind;
	char path[CHECK_PATH_SIZE]; /* of CHECK_HTTP; begins with '/' */
	double interval; /* seconds, CHECK_INTERVAL_MIN to a century */
	double timeout; /* seconds, over 0 to CHECK_TIMEOUT_MAX */
	int rise; /* 1 to CHECK_COUNT_MAX results in a row turn the status */
	int fall;
};

/*
 * Reads an instance's check; default_interval (seconds) is of one that does not
 * say.  1: it has one; 0: it has none (no member, null, or "tcp":false and no
 * path), check is then filled with the defaults; -1 with EX_DATAERR: it is
 * malformed, and the message names the member.  Members of other names are left
 * alone.  No memory is allocated.
 */
int check_read(const struct instance *instance, double default_interval,
    struct check *check, struct svc_error *error);

/*
 * Whether it has a check at all, well formed or not: then it is unknown until
 * it has been probed.
 */
bool check_wanted(const struct instance *instance);

#endif
