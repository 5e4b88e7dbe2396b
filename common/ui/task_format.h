/*
 * Records of the queue (registry/queue_record.h) for people and programs: json,
 * table, tsv, result, or a FORMAT such as "%{id} %{line.result}"
 * (ui/template.h).  Read from their JSON, so that no format knows more than
 * another.
 *
 *	json	the record itself
 *	table	ID SERVICE STATE TRY AGE DETAIL, the last where it is or was,
 *		or why it waits or has failed
 *	tsv	id, service, state, attempt, where, since, reason, message
 *	result	the result of a done one, nothing of others
 *
 * Counts of tasks have the same formats but result; their columns are their
 * members.
 */
#ifndef SVCKIT_UI_TASK_FORMAT_H
#define SVCKIT_UI_TASK_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "ui/format.h"

struct task_format;

/*
 * name is one of those above or a FORMAT; NULL is json.  A string without "%{"
 * that is no known name is EX_USAGE.
 */
int task_format_parse(
    struct task_format **format, const char *name, struct svc_error *error);
/* NULL is allowed. */
void task_format_free(struct task_format *format);

/* Whether it is the table, which needs setlocale(3) of LC_CTYPE first. */
bool task_format_is_table(const struct task_format *format);
bool task_format_is_result(const struct task_format *format);
/* Whether it shows a record's member "line". */
bool task_format_wants_line(const struct task_format *format);

/*
 * Appends a record, length bytes of JSON, as one line, LF included.  Of the
 * table nothing is appended before task_format_end(); now (ms since 1970) is
 * what its ages count to.  EX_DATAERR: it is no JSON object.
 */
int task_format_add(struct task_format *format, const char *record,
    size_t length, int64_t now, struct buffer *out, struct svc_error *error);

/* The same for a count. */
int task_format_add_count(struct task_format *format, const char *count,
    size_t length, struct buffer *out, struct svc_error *error);

/* Appends the table of what was added, if anything was. */
int task_format_end(struct task_format *format,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error);

/*
 * The same as task_format_add() for a list that has no end: of the table a line
 * without heading, with the time at which the state began, not cut.
 */
int task_format_line(struct task_format *format, const char *record,
    size_t length, const struct format_screen *screen, struct buffer *out,
    struct svc_error *error);

#endif
