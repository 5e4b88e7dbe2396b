/*
 * Events for people and programs: json, table, tsv, or a FORMAT such as
 * "%{at} %{event} %{instance.address}" (ui/template.h).
 *
 * It reads the lines that registry/event.h makes; a member that it does not
 * find is empty.  All but json escapes what records say (ui/escape.h).
 *
 *	json	the line itself
 *	table	one line an event, in columns: local time, event, service/id,
 *		and a clause: status and reason, for change the members that
 *		differ, for sync how many instances have which status
 *	tsv	at, event, service, id, status, reason
 */
#ifndef SVCKIT_UI_EVENT_FORMAT_H
#define SVCKIT_UI_EVENT_FORMAT_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "ui/format.h"

struct event_format;

/*
 * name is one of those above or a FORMAT; NULL is json.  A string without "%{"
 * that is no known name is EX_USAGE.
 */
int event_format_parse(
    struct event_format **format, const char *name, struct svc_error *error);

/* NULL is allowed. */
void event_format_free(struct event_format *format);

/*
 * Appends the event whose JSON is length bytes at line (with or without its
 * LF) as one line, LF included.  EX_DATAERR: line is no JSON object.
 *
 * screen is looked at for the table alone, and of it the color: nothing is
 * cut, since a line that has gone by cannot be asked for its end.  The column
 * of instances is as wide as the widest so far; a sync, which names them all,
 * makes it wide enough at once.
 */
int event_format_line(struct event_format *format, const char *line,
    size_t length, const struct format_screen *screen, struct buffer *out,
    struct svc_error *error);

#endif
