#include "sched/policy.h"

#include <string.h>
#include <sysexits.h>

const struct policy_type *const policy_types[] = {
    &policy_random,
    &policy_round_robin,
    &policy_weighted,
    &policy_constrained,
    &policy_least_loaded,
    &policy_p2c,
    &policy_hash,
    NULL,
};

static const struct policy_type *
find(const char *name, size_t length)
{
	const struct policy_type *const *type;

	for (type = policy_types; *type != NULL; type++)
		if (strlen((*type)->name) == length &&
		    memcmp((*type)->name, name, length) == 0)
			return *type;
	return NULL;
}

const struct policy_type *
policy_find(const char *name)
{
	return find(name, strlen(name));
}

static int
refuse_name(const char *name, size_t length, struct svc_error *error)
{
	struct buffer names = BUFFER_INIT;
	size_t i;

	for (i = 0; policy_types[i] != NULL; i++) {
		if (i > 0)
			buffer_append_string(&names,
			    policy_types[i + 1] == NULL ? " or " : ", ");
		buffer_append_string(&names, policy_types[i]->name);
	}
	if (buffer_string(&names) == NULL)
		svc_error_set(error, EX_OSERR, "out of memory");
	else
		svc_error_set(error, EX_USAGE, "not a policy: '%.*s' (say %s)",
		    (int)length, name, buffer_string(&names));
	buffer_release(&names);
	return -1;
}

int
policy_parse(const char *text, const struct policy_type **type,
    struct policy_options *options, struct svc_error *error)
{
	size_t length = strcspn(text, "=");
	const struct policy_type *found = find(text, length);

	if (found == NULL)
		return refuse_name(text, length, error);
	if (text[length] == '=') {
		const char *argument = text + length + 1;

		if (found->configure == NULL)
			return svc_error_set(error, EX_USAGE,
			    "%s takes no argument: '%s' (say %s)", found->name,
			    argument, found->name);
		if (found->configure(options, argument, error) == -1)
			return -1;
	}
	*type = found;
	return 0;
}

void
policy_describe(const struct policy_type *type,
    const struct policy_options *options, struct buffer *out)
{
	buffer_append_string(out, type->name);
	if (type->describe != NULL)
		type->describe(options, out);
}

bool
policy_weighs_load(
    const struct policy_type *type, const struct policy_options *options)
{
	return type->weighs_load != NULL && type->weighs_load(options);
}

const char *
policy_unweighed(const struct policy_type *type,
    const struct policy_options *options, const struct instance *instance,
    struct svc_error *error)
{
	return type->unweighed == NULL
		   ? NULL
		   : type->unweighed(options, instance, error);
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
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	return policy->type->choose(policy, list, task, member, error);
}

void
policy_give_back(
    struct policy *policy, const struct demand *demand, uint32_t member)
{
	if (policy->type->give_back != NULL)
		policy->type->give_back(policy, demand, member);
}

void
policy_observe(struct policy *policy, int64_t now)
{
	if (policy->type->observe != NULL)
		policy->type->observe(policy, now);
}

const double *
policy_weights(const struct policy *policy)
{
	return policy->type->weights == NULL ? NULL
					     : policy->type->weights(policy);
}

void
policy_settle(struct policy *policy)
{
	if (policy->type->settle != NULL)
		policy->type->settle(policy);
}
