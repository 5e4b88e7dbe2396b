/*
 * task-run --exec: tasks go to a command on this machine.
 */
#ifndef SVCKIT_CMD_CLI_EXEC_H
#define SVCKIT_CMD_CLI_EXEC_H

#include "cli_calling.h"
#include "cli_instances.h"
#include "flow/command_pool.h"

struct cli_exec {
	struct cli_calling *calling; /* borrowed */
	struct command_pool_options pool;
	char host[256];
};

/* Exits with 64 where options make no sense with it, or there is no COMMAND. */
void cli_exec_check(const struct cli_calling *calling,
    const struct cli_instances_options *from, int argc);

/*
 * Fills exec->pool for the command, or exits: with 127 where there is none of
 * that name, 126 where it cannot be run.
 */
void cli_exec_complete(
    struct cli_exec *exec, struct cli_calling *calling, char *argv[]);

#endif
