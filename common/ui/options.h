/*
 * A utility's options as one table: getopt_long(3)'s arguments and the text of
 * --help come from it, so that they cannot differ.
 */
#ifndef SVCKIT_UI_OPTIONS_H
#define SVCKIT_UI_OPTIONS_H

#include <getopt.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"

/* Long-only options have values from here on. */
#define OPTION_LONG 256

struct option_row {
	int value; /* the letter, or OPTION_LONG + n; 0 ends the table */
	const char *name; /* "jobs" */
	const char *argument; /* "N"; NULL: none; "[=FIELD]": optional, and
				 then of a long-only option */
	const char *help; /* one clause, lower case */
};

/* The rows that every utility has: -R -v -q -h -V. */
/* clang-format off */
#define OPTION_ROWS_COMMON                                                \
	{'R', "registry", "PLACE", "the registry: a directory or a URL"}, \
	{'v', "verbose", NULL, "say more on standard error"},             \
	{'q', "quiet", NULL, "say less"},                                 \
	{'h', "help", NULL, "print this and exit"},                       \
	{'V', "version", NULL, "print the version and exit"}
/* clang-format on */

struct option_parser {
	char *letters; /* "+:ab:..." for getopt_long(3) */
	struct option *longs; /* the same; names are borrowed from the rows */
};

/*
 * Builds the parser from rows, which must outlive it; the caller releases it.
 * A missing argument is told apart from an unknown option (':' and '?').
 * -1: EX_OSERR, no memory; EX_SOFTWARE, a row that getopt_long(3) cannot do.
 */
int option_parser_init(struct option_parser *parser,
    const struct option_row *rows, struct svc_error *error);
void option_parser_release(struct option_parser *parser);

/* The row whose value is value, NULL when there is none. */
const struct option_row *option_row_find(
    const struct option_row *rows, int value);

/*
 * How many rows' names begin with the length bytes at name: what tells an
 * ambiguous option from an unknown one.
 */
size_t option_row_matches(
    const struct option_row *rows, const char *name, size_t length);

/*
 * Appends the text of --help: usage lines (synopsis, one a line, without
 * "usage:"), the summary, a column of options.  Lines are broken between words
 * at 80 characters; within brackets never.
 */
void option_help(const struct option_row *rows, const char *synopsis,
    const char *summary, struct buffer *out);

#endif
