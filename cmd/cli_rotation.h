/*
 * The place of round-robin in the registry, which all processes of a user
 * share.
 */
#ifndef SVCKIT_CMD_CLI_ROTATION_H
#define SVCKIT_CMD_CLI_ROTATION_H

#include "cli.h"
#include "registry/cursor.h"
#include "registry/registry.h"
#include "sched/policy.h"

struct cli_rotation {
	const struct cli *cli;
	struct registry *registry; /* if it was opened for this alone */
	struct cursor_set *set; /* NULL: in memory */
};

/*
 * Makes options->cursor, which borrows the rotation.  opened: the registry that
 * instances came from; NULL: the one that -R or the environment names is opened
 * for this.  Where it cannot be shared, round-robin goes on in memory: -v tells
 * why, here and later.
 */
void cli_rotation_open(struct cli_rotation *rotation, const struct cli *cli,
    struct registry *opened, struct policy_options *options);

/* Also of one that is all zero. */
void cli_rotation_close(struct cli_rotation *rotation);

#endif
