/*
 * Load that the holder of an instance reports, in its own record:
 *
 *	"utilization":0.42,"reported":"2026-11-22T10:00:00.000Z"
 *
 * instance-line(5) describes both.  A report is a write that every watcher of
 * the registry wakes for, so it is made only where it tells something.
 */
#ifndef SVCKIT_REGISTRY_LOAD_H
#define SVCKIT_REGISTRY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/json.h"

#define LOAD_INTERVAL 5.0 /* seconds between two reports, at least */
#define LOAD_STEP     0.05

/*
 * Whether load is to be reported: elapsed seconds after told, the last report
 * (negative: there was none), it is another by LOAD_STEP or more, or it has
 * come to be 0, or 1 and more.  A timer may be early by a tick or two, so 0.1 s
 * less than LOAD_INTERVAL will do.
 */
bool load_due(double told, double elapsed, double load);

/* What is reported of a load: not less than 0, in thousandths. */
double load_round(double load);

/*
 * Appends record, an instance's, that has no utilization, with the load
 * (rounded) and when it is reported (ms since 1970), as one line with LF.
 */
void load_append(
    struct buffer *out, struct json_span record, double load, int64_t reported);

#endif
