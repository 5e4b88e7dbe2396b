/*
 * What every utility does alike, and the library must not: messages, the
 * environment, exit statuses, signals.  svckit(7), EXIT STATUS, describes it.
 *
 * Calling sequence:
 *
 *	cli_init(&cli);
 *	while ((letter = cli_option(&cli, argc, argv)) != -1)
 *		...
 *	registry = cli_registry(&cli, false);
 *	writer = cli_stdout();
 *	...
 *	return cli_finish(writer, status);
 *
 * SIGPIPE: a filter leaves it alone and dies of it.  Where the parent ignores
 * it (as systemd makes its units do) writes fail with EPIPE instead, and
 * cli_finish() and cli_output_failed() come to the same end; so a reader that
 * goes away never causes a message.  What links net/ calls cli_ignore_pipe().
 */
#ifndef SVCKIT_CMD_CLI_H
#define SVCKIT_CMD_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/task.h"
#include "line/writer.h"
#include "registry/registry.h"
#include "ui/format.h"
#include "ui/options.h"

struct cli {
	const struct option_row *rows;
	const char *synopsis; /* lines, no "usage:" */
	const char *summary;
	struct option_parser parser;
	const char *registry; /* -R; NULL: not given */
	int verbose;
	bool quiet;
};

/*
 * Builds the parser from cli->rows, or exits with 71.  Descriptors 0 to 2 that
 * are closed are opened so that reading and writing them fails, and no file of
 * ours can come to stand there.
 */
void cli_init(struct cli *cli);

/*
 * The next option's value, or -1 when they end, which also releases the
 * parser; handles -R -v -q -h -V itself.  An unknown, ambiguous or incomplete
 * option is cli_usage().
 */
int cli_option(struct cli *cli, int argc, char *argv[]);

/*
 * Prints "svc-call: MESSAGE; try 'svc-call --help'" and exits with 64.
 */
void cli_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/*
 * The same for the argument of the option whose value is option, with its long
 * name in front: "--timeout: MESSAGE".
 */
void cli_refuse(const struct cli *cli, int option, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/*
 * Exits with 64 when one of the operands is an option that came too late; "-"
 * alone is an operand.  before: what options come before ("NAME").
 */
void cli_check_operands(
    const struct cli *cli, int argc, char *argv[], const char *before);

/*
 * Takes an option of OPTION_ROWS_LINES, or exits; false: it is none of them.
 */
bool cli_line_option(
    const struct cli *cli, int option, struct envelope_options *lines);

/*
 * The one door of messages: "svc-call: MESSAGE", one line in one write(2), so
 * that lines of a pipeline's stages do not mix.  Control characters are
 * escaped: a message may quote what a stranger wrote.  Where standard error is
 * the journal (systemd.exec(5), JOURNAL_STREAM) each line has its level in
 * front (sd-daemon(3)): "<4>", "<3>" of what ends the process, "<6>" of a
 * report.
 */
void cli_warn_line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Writes lines that are no message of a fault to standard error: a report. */
void cli_report(const struct buffer *text);

/* One line of error->message; returns the exit status it deserves. */
int cli_warn(const struct svc_error *error);
/* The same, and exits with it. */
void cli_fail(const struct svc_error *error) __attribute__((noreturn));

/*
 * The statuses that may come together: the one that comes first in
 * svckit(7)'s order wins.
 */
int cli_worse(int status, int other);

/*
 * Opens the registry that -R or the environment names, or exits; create makes
 * it when it does not exist.  -v says which it is.  What is skipped in it is
 * warned of, unless -q.
 */
struct registry *cli_registry(const struct cli *cli, bool create);

/*
 * The same for those to whom a registry that does not exist is an empty one:
 * NULL then.
 */
struct registry *cli_registry_if_any(const struct cli *cli);

/*
 * After that was NULL, when instances are to be waited for: makes the user's
 * own, if it can be made.  One that -R or the environment names is made by
 * nobody who only looks: NULL, unless it exists by this time.
 */
struct registry *cli_registry_again(const struct cli *cli);

/*
 * Appends "no instances in the registry PLACE", behind "SERVICE: " if any, and
 * ", which does not exist" where that is so.
 */
void cli_append_empty(
    const struct cli *cli, const char *service, struct buffer *out);

/*
 * Appends where that is: -R beats SVC_REGISTRY, which beats registry_place()'s
 * defaults.  Where HOME is unset (system units) the user database says it.
 */
int cli_place(
    const struct cli *cli, struct buffer *place, struct svc_error *error);

/*
 * What stdout's terminal is like, if it is one, for tables; the environment
 * says what ioctl(2) does not.  Sets LC_CTYPE's locale.
 */
void cli_screen(struct format_screen *screen);

/*
 * A writer on stdout, or exits with 71.  It flushes each line when stdout is a
 * terminal.
 */
struct writer *cli_stdout(void);

/*
 * Flushes and closes it; returns status, or the worse of it and 74 with a
 * message when the output is lost.
 */
int cli_finish(struct writer *writer, int status);

/*
 * After a failed write to stdout (errno as the writer left it): dies of
 * SIGPIPE when the reader has gone, else as cli_fail().
 */
void cli_output_failed(const struct svc_error *error) __attribute__((noreturn));

/* Dies of signal with its default action, after an orderly stop. */
void cli_die_of(int signal) __attribute__((noreturn));

/* Ignores SIGPIPE: EPIPE on stdout is then the order to stop. */
void cli_ignore_pipe(void);

/* Exits with 64 unless name is one; what says whose ("service", "id"). */
void cli_check_name(const struct cli *cli, const char *what, const char *name);

/*
 * Checks operands that are names of services, or exits, and sorts them, as the
 * output is sorted, so that each stands once: returns how many are left.
 */
size_t cli_services(const struct cli *cli, int count, char *names[]);

#endif
