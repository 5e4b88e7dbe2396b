/*
 * Instances looked at: printed as lines, and their members by path.
 */
#ifndef SVCKIT_LINE_INSTANCE_VIEW_H
#define SVCKIT_LINE_INSTANCE_VIEW_H

#include "line/buffer.h"
#include "line/json.h"

struct instance;

/*
 * Appends the record and then what was observed: status and utilization
 * always; reported, latency_ms, checked, age, owner and reason where known;
 * pinned, draining and panic where true.  No LF.
 */
void instance_print(const struct instance *instance, struct buffer *out);

/*
 * Appends {"service","id","address","slots"}: what a task line carries; slots
 * only where the record names them.
 */
void instance_print_reference(
    const struct instance *instance, struct buffer *out);

/*
 * A member by dotted path: first what was observed, then the record.  Observed
 * values are made in scratch.  1, 0.
 */
int instance_member(const struct instance *instance, const char *path,
    struct buffer *scratch, struct json_value *value);

/*
 * A member that is a number, or a string that is one with a unit ("16G").
 * 1; 0: absent; -1: present, but no number.
 */
int instance_number(
    const struct instance *instance, const char *path, double *number);

#endif
