/*
 * --stats FILE: what a run of calls came to (net/call_stats.h), as one line of
 * JSON, written when it is over.
 *
 * What FILE may be says cli_report_file.h.  A utility that dies of a signal or
 * of a broken output closes the statistics before that, too.
 */
#ifndef SVCKIT_CMD_CLI_STATS_H
#define SVCKIT_CMD_CLI_STATS_H

#include "net/call_stats.h"

struct cli_stats;

/*
 * Begins the statistics, and their time, or exits: with 73 or 77 where path
 * (borrowed) could not be written, so that this is told before anything runs.
 */
void cli_stats_open(struct cli_stats **stats, const char *path);

/* What counts: for struct call_options.  NULL for NULL. */
struct call_stats *cli_stats_counts(const struct cli_stats *stats);

/*
 * Writes and ends them.  Returns 0, or 74 after a message.  NULL is allowed.
 */
int cli_stats_close(struct cli_stats *stats);

#endif
