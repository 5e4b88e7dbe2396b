/*
 * task-status --cancel, --retry, --hold, --release and --purge.
 */
#ifndef SVCKIT_CMD_CLI_TASK_CHANGE_H
#define SVCKIT_CMD_CLI_TASK_CHANGE_H

#include "cli_task_ids.h"
#include "cli_tasks.h"
#include "registry/queue_change.h"

struct cli_task_change {
	enum queue_change change;
	bool dry_run;
};

/*
 * Changes the tasks, and prints each: as it is then, what was purged as it was.
 * One line says why one cannot be; the others are.  Returns the exit status.
 */
int cli_task_change(struct cli_tasks *tasks, struct registry *registry,
    const struct cli_task_change *change, const struct cli_task_ids *ids);

/*
 * Adds the ids of those that have been in one of the states (QUEUE_STATE_BITs)
 * for age seconds, or exits.
 */
void cli_task_find_older(struct registry *registry, unsigned states, double age,
    struct cli_task_ids *ids);

#endif
