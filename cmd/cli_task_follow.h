/*
 * task-status --follow: prints records as the tasks change.
 */
#ifndef SVCKIT_CMD_CLI_TASK_FOLLOW_H
#define SVCKIT_CMD_CLI_TASK_FOLLOW_H

#include "cli_task_ids.h"
#include "cli_tasks.h"

struct cli_task_follow {
	unsigned first; /* QUEUE_STATE_BITs of what is printed to begin with */
	unsigned states; /* of what is printed */
	const char *service; /* NULL: of any */
	struct cli_task_ids *ids; /* empty: all; those that ended are removed */
};

/*
 * Prints what there is, and goes on until a signal comes, or the ids have all
 * ended.  Returns the exit status: 1 when one of them failed or is not there.
 */
int cli_task_follow(struct cli_tasks *tasks, struct registry *registry,
    const struct cli_task_follow *follow);

#endif
