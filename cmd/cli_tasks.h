/*
 * What task-status prints: records of the queue, with why they wait, in the
 * format that was asked for.
 *
 *	cli_tasks_open(&tasks, &cli, registry, output, ordered);
 *	... cli_tasks_print(tasks, record, NULL) ...
 *	return cli_tasks_close(tasks, status);
 */
#ifndef SVCKIT_CMD_CLI_TASKS_H
#define SVCKIT_CMD_CLI_TASKS_H

#include <stdbool.h>

#include "cli.h"
#include "registry/queue_records.h"
#include "ui/task_format.h"

struct cli_tasks;

/*
 * Opens stdout for it, or exits.  registry may be NULL, an empty one; format is
 * borrowed; ordered: as queue_reasons_open().
 */
void cli_tasks_open(struct cli_tasks **tasks, const struct cli *cli,
    struct registry *registry, struct task_format *format, bool ordered);

/*
 * What is printed from here on is a list without an end: each record at once,
 * the reasons as they are then.
 */
void cli_tasks_follow(struct cli_tasks *tasks);

/* What the registry says of reasons is asked again. */
void cli_tasks_renew(struct cli_tasks *tasks);

/*
 * Reads the task with that id, or says why not, in one line: 0, and *status
 * becomes the worse of it and what that deserves.
 */
int cli_tasks_get(struct cli_tasks *tasks, const char *id,
    struct queue_record *record, int *status);

/*
 * The line of an ended task where the format shows it; the span (data NULL: it
 * has none, or is gone) lives until the next call.
 */
struct json_span cli_tasks_line(
    struct cli_tasks *tasks, const struct queue_record *record);

/* Prints record; would: what --dry-run would do, or NULL.  line: as above. */
void cli_tasks_print(struct cli_tasks *tasks, const struct queue_record *record,
    const char *would, struct json_span line);

void cli_tasks_print_count(struct cli_tasks *tasks,
    const struct queue_count *count, unsigned states, bool by_service);

/* Prints the table, if it is one, and what waits to be written. */
void cli_tasks_flush(struct cli_tasks *tasks);

/* Flushes, frees, and returns the exit status as cli_finish() does. */
int cli_tasks_close(struct cli_tasks *tasks, int status);

#endif
