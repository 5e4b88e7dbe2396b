#include "sched/policy.h"

#include "line/json_write.h"

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	(void)task;
	(void)error;
	*member = list->members[random_below(&policy->random, list->count)];
	return 1;
}

static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	struct random random = policy->random;

	(void)task;
	buffer_append_string(out, ",\"chance\":");
	json_append_number(out, 1 / (double)list->count);
	if (list->members[random_below(&random, list->count)] == member)
		buffer_append_string(out, ",\"drawn\":true");
}

const struct policy_type policy_random = {
    .name = "random",
    .summary = "any, with the same chance",
    .choose = choose,
    .explain = explain,
};
