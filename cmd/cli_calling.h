/*
 * What utilities that call have in common: options that say how tasks are
 * sent, what is told meanwhile, and how an orderly stop ends.  Their rows are
 * OPTION_ROWS_CALLING.
 *
 *	cli_calling_init(&calling, &cli);
 *	while ((option = cli_option(&cli, argc, argv)) != -1)
 *		if (!cli_calling_option(&calling, option))
 *			...
 *	cli_calling_complete(&calling, "stdin");
 *	...
 *	status = cli_worse(status, cli_calling_report(&calling));
 *	return cli_calling_finish(&calling, writer, status);
 */
#ifndef SVCKIT_CMD_CLI_CALLING_H
#define SVCKIT_CMD_CLI_CALLING_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "cli_http.h"
#include "cli_policy.h"
#include "cli_progress.h"
#include "cli_rotation.h"
#include "cli_stats.h"
#include "line/selector.h"
#include "net/call.h"
#include "net/call_item.h"
#include "net/call_watch.h"

struct event_base;

struct cli_calling {
	const struct cli *cli;
	struct call_options call;
	struct call_item_options item;
	struct call_watch_options watch;
	struct selector *selector;
	struct cli_policy policy;
	struct registry *registry; /* until the watch has it; NULL: none yet */
	struct cli_rotation rotation;
	struct cli_http http;
	bool keep_order;
	bool dry_run;
	bool retries_said;
	bool show; /* --progress */
	struct cli_progress *progress; /* NULL: not asked for */
	const char *stats_file;
	struct cli_stats *stats; /* NULL: not asked for */
	bool lost; /* error lines of -o result, for want of room */
	int signal; /* that asked for an orderly stop; 0 */
	char run[40];
};

/* The defaults.  cli is borrowed. */
void cli_calling_init(struct cli_calling *calling, const struct cli *cli);

/* Takes an option of those rows, or exits; false: it is none of them. */
bool cli_calling_option(struct cli_calling *calling, int option);

/* Exits with 64 where options exclude each other. */
void cli_calling_check(const struct cli_calling *calling);

/*
 * What the options leave open: fills call, item and watch; source is what
 * messages call the input.  calls: instances are called, of the registry where
 * registry is set; else neither is looked at.
 */
void cli_calling_complete(
    struct cli_calling *calling, const char *source, bool calls, bool registry);

/* --progress, on tasks that are read from input (-1: none). */
void cli_calling_show(struct cli_calling *calling, int input);

/* How long a line of input may be. */
size_t cli_calling_line_limit(const struct cli_calling *calling);

/* warn() and complain() of pipes and runs: argument is calling. */
void cli_calling_say(void *argument, const char *message);
void cli_calling_complain(void *argument, const char *text, size_t length);

/* INT, TERM, HUP: stop(argument) is called for each; as long as base runs. */
struct cli_stops;
void cli_calling_catch(struct cli_stops **stops, struct cli_calling *calling,
    struct event_base *base, void (*stop)(void *argument), void *argument);
void cli_calling_release(struct cli_stops *stops);

/* Before anything ends the process: 0, or 74 after a message. */
int cli_calling_report(struct cli_calling *calling);

/*
 * What was read or (output) written is broken: returns the status, or dies as
 * a filter does.
 */
int cli_calling_fail(struct cli_calling *calling, struct event_base *base,
    bool output, const struct svc_error *error);

/* Flushes and frees; dies of the signal that asked for the end, if any. */
int cli_calling_finish(
    struct cli_calling *calling, struct writer *writer, int status);

#endif
