#include "sched/policy.h"

static int
choose(struct policy *policy, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	(void)error;
	*member = list->members[random_below(&policy->random, list->count)];
	return 1;
}

const struct policy_type policy_random = {
    .name = "random",
    .summary = "any, with the same chance",
    .choose = choose,
};
