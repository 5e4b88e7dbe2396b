/*
 * Instances for people and programs: json, table, tsv, address, prometheus, or
 * a FORMAT such as "%{address}\t%{labels.zone}\n".
 *
 * json is the instance line; what else is made of it escapes the text of the
 * records (ui/escape.h), but prometheus, which is JSON and quotes it.
 *
 *	json		one object a line
 *	table		SERVICE ID ADDRESS STATUS LOAD AGE LABELS, and WHY where
 *			one of them has a reason
 *	tsv		service, id, address, status, utilization, age, owner,
 *			labels (K=V,K=V); no line of headings
 *	address		the URL
 *	prometheus	one array for file-based service discovery
 *	FORMAT		%{member} is a dotted path, %% a percent sign, \t \n \\
 *			as in C; an absent member is empty; a LF is added
 *			unless FORMAT ends with one
 */
#ifndef SVCKIT_UI_FORMAT_H
#define SVCKIT_UI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"

struct format;

/* What the table is for. */
struct format_screen {
	size_t width; /* columns of the terminal; 0: it is none, cut nothing */
	bool color;
};

/* Takes one line of output, LF included. */
typedef int (*format_line_fn)(
    void *argument, const char *line, size_t length, struct svc_error *error);

/*
 * name is one of those above, or a FORMAT (which is borrowed); NULL is json.
 * A string without "%{" that is no known name is EX_USAGE.
 */
int format_parse(
    struct format **format, const char *name, struct svc_error *error);
void format_free(struct format *format);

/* Whether it is the table, which needs setlocale(3) of LC_CTYPE first. */
bool format_is_table(const struct format *format);

/* Whether no instances make output, too: an empty array. */
bool format_is_document(const struct format *format);

/*
 * Hands count instances to line, line by line; stops with -1 when that returns
 * -1.  screen is only looked at for the table.
 */
int format_instances(const struct format *format,
    const struct instance *instances, size_t count,
    const struct format_screen *screen, format_line_fn line, void *argument,
    struct svc_error *error);

#endif
