/*
 * Events as lines of a table that has no end: columns without a heading, made
 * for people who watch.
 *
 *	10:00:00  sync     12 instances of 3 services: 11 passing, 1 critical
 *	10:00:05  down     render/web1  critical: connection refused
 *	10:00:06  change   render/web1  address, labels
 */
#ifndef SVCKIT_UI_EVENT_TABLE_H
#define SVCKIT_UI_EVENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/json.h"

/* Zeroes will do to begin with. */
struct event_table {
	size_t width; /* of the column of instances, as far as is known */
};

/*
 * Appends event, a valid JSON object (ui/event_format.h), as one line, LF
 * included; color: statuses in the colours of the table of instances.  The
 * instances of a sync are counted as they should stand, sorted by service.
 */
void event_table_append(struct event_table *table, struct json_span event,
    bool color, struct buffer *out);

#endif
