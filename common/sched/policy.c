#include "sched/policy.h"

#include <string.h>

const struct policy_type *const policy_types[] = {
    &policy_random,
    &policy_round_robin,
    &policy_weighted,
    &policy_constrained,
    &policy_p2c,
    NULL,
};

const struct policy_type *
policy_find(const char *name)
{
	const struct policy_type *const *type;

	for (type = policy_types; *type != NULL; type++)
		if (strcmp((*type)->name, name) == 0)
			return *type;
	return NULL;
}

int
policy_open(struct policy *policy, const struct policy_type *type,
    struct pool *pool, const struct policy_options *options,
    struct svc_error *error)
{
	memset(policy, 0, sizeof(*policy));
	policy->type = type;
	policy->pool = pool;
	policy->options = *options;
	random_seed(&policy->random, options->seed);
	if (type->open != NULL && type->open(policy, error) == -1) {
		policy_close(policy);
		return -1;
	}
	return 0;
}

void
policy_close(struct policy *policy)
{
	if (policy->type != NULL && policy->type->close != NULL)
		policy->type->close(policy);
	memset(policy, 0, sizeof(*policy));
}

int
policy_choose(struct policy *policy, const struct eligible *list,
    uint32_t *member, struct svc_error *error)
{
	return policy->type->choose(policy, list, member, error);
}

void
policy_settle(struct policy *policy)
{
	if (policy->type->settle != NULL)
		policy->type->settle(policy);
}
