/*
 * How an instance is chosen, as options say it, for every utility that chooses:
 * its rows are OPTION_ROWS_POLICY, or OPTION_ROWS_POLICY_NAMED.
 *
 *	while ((option = cli_option(&cli, argc, argv)) != -1)
 *		if (!cli_policy_option(&cli, option, &policy))
 *			...
 *	cli_policy_check(&cli, &policy, NULL);
 *	cli_policy_seed(&cli, &policy);
 */
#ifndef SVCKIT_CMD_CLI_POLICY_H
#define SVCKIT_CMD_CLI_POLICY_H

#include <stdbool.h>

#include "cli.h"
#include "sched/policy.h"
#include "sched/policy_list.h"

/* All zero: nothing was said. */
struct cli_policy {
	const struct policy_type *type; /* NULL: not said */
	struct policy_options options;
	bool score; /* said */
	bool stale;
	bool seed;
};

/* Takes an option of those rows, or exits; false: it is none of them. */
bool cli_policy_option(
    const struct cli *cli, int option, struct cli_policy *policy);

/*
 * Exits with 64 where an option was said that does not go with the policy, or
 * with none of list, which is then named instead of a policy; NULL: it is not.
 */
void cli_policy_check(const struct cli *cli, const struct cli_policy *policy,
    const struct policy_list *list);

/* Makes the seed, unless it was said; -v tells it, so that it can be said. */
void cli_policy_seed(const struct cli *cli, struct cli_policy *policy);

#endif
