/*
 * How deep JSON nests.  What is put inside a task line must leave room for the
 * line's own object, or the next reader would refuse the line.
 */
#ifndef SVCKIT_LINE_DEPTH_H
#define SVCKIT_LINE_DEPTH_H

#include <stdbool.h>

#include "line/json.h"

/* Whether valid JSON may stand as the value of a member of a line. */
bool json_fits_inside(struct json_span text);

#endif
