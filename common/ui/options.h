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

/* The values of the long-only rows below, above those of any utility's own. */
enum {
	OPTION_ACCEPTS = 2 * OPTION_LONG,
	OPTION_META,
	OPTION_PRODUCES,
	OPTION_BARE,
	OPTION_MAX_TASK,
	OPTION_RETRY,
	OPTION_RANDOM,
	OPTION_ROUND_ROBIN,
	OPTION_WEIGHTED,
	OPTION_SMOOTH,
	OPTION_CONSTRAINED,
	OPTION_SCORE,
	OPTION_LEAST_LOADED,
	OPTION_P2C,
	OPTION_HASH,
	OPTION_STALE,
	OPTION_SEED,
	OPTION_POLICY,
	OPTION_HTTP1,
	OPTION_CACERT,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_TOKEN_FILE,
	OPTION_DENY_PRIVATE,
	OPTION_RETRIES,
	OPTION_IDEMPOTENT,
	OPTION_HEDGE,
	OPTION_RATE,
	OPTION_MAX_RESULT,
	OPTION_STATS,
	OPTION_PROGRESS
};

/* clang-format off */

/* The rows of what describes an instance; record_set() takes them by name. */
#define OPTION_ROWS_RECORD                                                \
	{'i', "id", "ID", "the instance's id (HOST-PORT)"},               \
	{'l', "label", "K=V", "a label; may be repeated"},                \
	{'c', "capacity", "K=N", "a capacity, as mem=16G; may be repeated"}, \
	{'u', "utilization", "N", "its load, pinned"},                    \
	{OPTION_META, "meta", "K=V", "a member of its meta; may be repeated"}, \
	{OPTION_ACCEPTS, "accepts", "TYPE", "the media type of its tasks"}, \
	{OPTION_PRODUCES, "produces", "TYPE", "the media type of its results"}

/* The rows of how lines are read; cli_line_option() takes them. */
#define OPTION_ROWS_LINES                                                 \
	{'L', "text", NULL, "each line is a payload of plain text"},      \
	{OPTION_BARE, "bare", NULL, "each line is a payload, whatever it is"}, \
	{OPTION_MAX_TASK, "max-task", "SIZE", "the largest payload (8M)"}, \
	{OPTION_RETRY, "retry", NULL, "failed tasks go again, the rest passes"}

/* The rows of how an instance is chosen; cli_policy_option() takes them. */
#define OPTION_ROWS_POLICY                                                \
	{OPTION_RANDOM, "random", NULL, "any, with the same chance"},     \
	{OPTION_ROUND_ROBIN, "round-robin", NULL,                         \
	    "one after the other, shared by all your processes"},         \
	{OPTION_WEIGHTED, "weighted", "[=FIELD]",                         \
	    "in proportion to FIELD (utilization); also headroom"},       \
	{OPTION_CONSTRAINED, "constrained", NULL,                         \
	    "by what is left of the capacity that tasks ask for"},        \
	{OPTION_LEAST_LOADED, "least-loaded", NULL,                       \
	    "the least load per slot"},                                   \
	{OPTION_P2C, "p2c", NULL, "the less loaded of two random ones"},  \
	{OPTION_HASH, "hash", "[=/POINTER]",                              \
	    "the same key (or value in the task) to the same instance"},  \
	OPTION_ROWS_POLICY_DETAILS

/* The same in one option, for those to whom it is one among many. */
#define OPTION_ROWS_POLICY_NAMED                                          \
	{OPTION_POLICY, "policy", "P",                                    \
	    "random, weighted=FIELD, hash...: as task-schedule (p2c)"},   \
	OPTION_ROWS_POLICY_DETAILS

#define OPTION_ROWS_POLICY_DETAILS                                        \
	{OPTION_SMOOTH, "smooth", NULL, "weighted, but interleaved evenly"}, \
	{OPTION_SCORE, "score", "HOW",                                    \
	    "constrained: spread (least allocated) or pack (most)"},      \
	{OPTION_STALE, "stale", "D",                                      \
	    "load reported longer ago is not known (15s)"},               \
	{OPTION_SEED, "seed", "N", "the same choices each time"}

/* The rows of how servers are talked to; cli_http_option() takes them. */
#define OPTION_ROWS_HTTP                                                  \
	{'H', "header", "HEADER", "send 'Name: value' along"},            \
	{OPTION_HTTP1, "http1", NULL, "no HTTP/2, also over TLS"},        \
	{OPTION_CACERT, "cacert", "FILE", "who vouches for servers (PEM)"}, \
	{OPTION_CERT, "cert", "FILE", "the client's certificate (PEM)"},  \
	{OPTION_KEY, "key", "FILE", "the client's key (PEM)"},            \
	{OPTION_TOKEN_FILE, "token-file", "FILE",                         \
	    "send the bearer token that FILE has"},                       \
	{OPTION_DENY_PRIVATE, "deny-private", NULL,                       \
	    "connect to public addresses only"}

/* The rows of how tasks are called; cli_calling_option() takes them. */
#define OPTION_ROWS_CALLING                                               \
	{'j', "jobs", "N", "at most N at once (16)"},                     \
	{'k', "keep-order", NULL, "print in the order of the input"},     \
	{'n', "dry-run", NULL, "print what would be done, do nothing"},   \
	{'o', "output", "FORMAT", "json, or result: the results alone"},  \
	{'T', "timeout", "DURATION", "give up a task after DURATION (30s)"}, \
	{'l', "label", "SELECTOR", "only instances that match: zone=eu,gpu"}, \
	OPTION_ROWS_LINES,                                                \
	{OPTION_RETRIES, "retries", "N", "after a failure, N times more (2)"}, \
	{OPTION_IDEMPOTENT, "idempotent", NULL,                           \
	    "executing a task twice is harmless"},                        \
	{OPTION_HEDGE, "hedge", "DURATION",                               \
	    "no answer by then: ask a second instance, too"},             \
	{OPTION_RATE, "rate", "N/s", "send at most N requests a second"}, \
	{OPTION_MAX_RESULT, "max-result", "SIZE", "the largest result (8M)"}, \
	OPTION_ROWS_POLICY_NAMED,                                         \
	{OPTION_STATS, "stats", "FILE", "write what it came to into FILE"}, \
	{OPTION_PROGRESS, "progress", NULL,                               \
	    "show on standard error how far it is"},                      \
	OPTION_ROWS_HTTP

/* The rows that every utility has: -R -v -q -h -V. */
#define OPTION_ROWS_COMMON                                                \
	{'R', "registry", "PLACE", "the registry's directory"},           \
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
