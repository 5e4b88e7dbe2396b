/*
 * The power of two choices: the less loaded of two random ones.  Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing", IEEE Transactions
 * on Parallel and Distributed Systems 12(10), 2001.
 */
#include "sched/policy.h"

/* Own outstanding requests a slot: what is known without anybody's report. */
static double
outstanding(const struct policy *policy, uint32_t member)
{
	double slots = pool_member(policy->pool, member)->instance->slots;

	if (policy->options.outstanding == NULL)
		return 0;
	return policy->options.outstanding(
		   policy->options.outstanding_argument, member) /
	       (slots > 0 ? slots : 1);
}

static double
utilization(const struct policy *policy, uint32_t member)
{
	return pool_member(policy->pool, member)->instance->utilization;
}

static int
choose(struct policy *policy, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	uint32_t one, two;
	double first, second;
	uint64_t i, j;

	(void)error;
	i = random_below(&policy->random, list->count);
	*member = one = list->members[i];
	if (list->count == 1)
		return 1;
	j = random_below(&policy->random, list->count - 1);
	two = list->members[j < i ? j : j + 1];
	first = outstanding(policy, one);
	second = outstanding(policy, two);
	if (second < first || (second == first && utilization(policy, two) <
						      utilization(policy, one)))
		*member = two;
	return 1;
}

static void
explain(const struct policy *policy, uint32_t member, struct buffer *out)
{
	buffer_append_string(out, ",\"outstanding\":");
	json_append_number(out, outstanding(policy, member));
	buffer_append_string(out, ",\"utilization\":");
	json_append_number(out, utilization(policy, member));
}

const struct policy_type policy_p2c = {
    .name = "p2c",
    .summary = "the less loaded of two random ones",
    .choose = choose,
    .explain = explain,
};
