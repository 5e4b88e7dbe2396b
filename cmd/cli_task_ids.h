/*
 * The ids of tasks that are named on a command line, or that come on stdin.
 */
#ifndef SVCKIT_CMD_CLI_TASK_IDS_H
#define SVCKIT_CMD_CLI_TASK_IDS_H

#include "cli.h"

/* Zeroes are an empty list. */
struct cli_task_ids {
	char **items; /* owned, in the order in which they came */
	size_t count;
	size_t capacity;
};

/*
 * Takes operands: ids (exits with 64 when one is none), and for "-" those on
 * stdin, one a line: an id, or a JSON object with the member "id".  A line that
 * has none is warned of.  Returns 0, or 65 when there was such a line.
 */
int cli_task_ids_read(const struct cli *cli, struct cli_task_ids *ids,
    int count, char *operands[]);

/* Adds one, or exits. */
void cli_task_ids_add(struct cli_task_ids *ids, const char *id);

/* Sorts them by their bytes; each stands once then. */
void cli_task_ids_sort(struct cli_task_ids *ids);

/* Whether id is among those, which are sorted. */
bool cli_task_ids_have(const struct cli_task_ids *ids, const char *id);

/* Takes it away: whether it was there. */
bool cli_task_ids_remove(struct cli_task_ids *ids, const char *id);

void cli_task_ids_release(struct cli_task_ids *ids);

#endif
