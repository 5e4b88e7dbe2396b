#include "cli_policy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "line/units.h"

/* Seeds that are made stay whole numbers in every JSON reader. */
#define SEED_MAX ((uint64_t)1 << 53)

/* What an earlier option said of the same policy is forgotten. */
static void
set_type(const struct cli *cli, struct cli_policy *policy, const char *name)
{
	const struct policy_type *type = policy_find(name);
	struct svc_error error;

	if (policy->type != NULL && policy->type != type)
		cli_usage(cli, "--%s and --%s exclude each other",
		    policy->type->name, name);
	policy->type = type;
	policy->options.field = NULL;
	policy->options.pointer = NULL;
	if (optarg != NULL &&
	    type->configure(&policy->options, optarg, &error) == -1)
		cli_usage(cli, "--%s: %s", name, error.message);
}

/* --policy weighted=headroom */
static void
set_named(const struct cli *cli, struct cli_policy *policy, const char *text)
{
	struct svc_error error;

	policy->options.field = NULL;
	policy->options.pointer = NULL;
	if (policy_parse(text, &policy->type, &policy->options, &error) == -1)
		cli_refuse(cli, OPTION_POLICY, "%s", error.message);
}

static void
set_score(const struct cli *cli, struct cli_policy *policy, const char *name)
{
	struct svc_error error;

	policy->score = true;
	if (policy_constrained.configure(&policy->options, name, &error) == -1)
		cli_refuse(cli, OPTION_SCORE, "%s", error.message);
}

static void
set_stale(const struct cli *cli, struct cli_policy *policy, const char *text)
{
	struct svc_error error;

	if (duration_parse(text, &policy->options.stale, &error) == -1)
		cli_refuse(cli, OPTION_STALE, "%s", error.message);
	if (policy->options.stale <= 0)
		cli_refuse(cli, OPTION_STALE,
		    "not a time that passes: '%s' (say 15s)", text);
	policy->stale = true;
}

static void
set_seed(const struct cli *cli, struct cli_policy *policy, const char *text)
{
	struct svc_error error;
	long long seed;

	if (integer_parse(text, 0, INT64_MAX, &seed, &error) == -1)
		cli_refuse(cli, OPTION_SEED, "%s", error.message);
	policy->options.seed = (uint64_t)seed;
	policy->seed = true;
}

bool
cli_policy_option(const struct cli *cli, int option, struct cli_policy *policy)
{
	switch (option) {
	case OPTION_POLICY:
		set_named(cli, policy, optarg);
		break;
	case OPTION_RANDOM:
	case OPTION_ROUND_ROBIN:
	case OPTION_WEIGHTED:
	case OPTION_CONSTRAINED:
	case OPTION_LEAST_LOADED:
	case OPTION_P2C:
	case OPTION_HASH:
		set_type(cli, policy, option_row_find(cli->rows, option)->name);
		break;
	case OPTION_SMOOTH:
		policy->options.smooth = true;
		break;
	case OPTION_SCORE:
		set_score(cli, policy, optarg);
		break;
	case OPTION_STALE:
		set_stale(cli, policy, optarg);
		break;
	case OPTION_SEED:
		set_seed(cli, policy, optarg);
		break;
	default:
		return false;
	}
	return true;
}

static bool
is_weighted(
    const struct policy_type *type, const struct policy_options *options)
{
	(void)options;
	return type == &policy_weighted;
}

static bool
is_constrained(
    const struct policy_type *type, const struct policy_options *options)
{
	(void)options;
	return type == &policy_constrained;
}

/* Whether the policy, or one of those named instead, is like that. */
static bool
any_is(const struct cli_policy *policy, const struct policy_list *list,
    bool (*is)(const struct policy_type *, const struct policy_options *))
{
	size_t i;

	if (list == NULL)
		return policy->type != NULL &&
		       is(policy->type, &policy->options);
	for (i = 0; i < list->count; i++)
		if (is(list->items[i].type, &list->items[i].options))
			return true;
	return false;
}

void
cli_policy_check(const struct cli *cli, const struct cli_policy *policy,
    const struct policy_list *list)
{
	/* How a policy is said: "--weighted", or "--policy weighted". */
	const char *dashes = option_row_find(cli->rows, OPTION_POLICY) != NULL
				 ? "--policy "
				 : "--";

	if (policy->options.smooth && !any_is(policy, list, is_weighted))
		cli_usage(cli, "--smooth needs %sweighted", dashes);
	if (policy->score && !any_is(policy, list, is_constrained))
		cli_usage(cli, "--score needs %sconstrained", dashes);
	if (policy->stale && !any_is(policy, list, policy_weighs_load))
		cli_usage(cli,
		    "--stale needs a policy that looks at load: "
		    "%sweighted=headroom, %sleast-loaded or %sp2c",
		    dashes, dashes, dashes);
}

void
cli_policy_seed(const struct cli *cli, struct cli_policy *policy)
{
	if (!policy->seed) {
		arc4random_buf(
		    &policy->options.seed, sizeof(policy->options.seed));
		policy->options.seed %= SEED_MAX;
	}
	if (cli->verbose > 0 && !cli->quiet)
		cli_warn_line("seed %" PRIu64, policy->options.seed);
}
