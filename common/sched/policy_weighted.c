/*
 * By weight: w_i = r_i / sum of all r_j, drawn at random, or smooth: as evenly
 * interleaved as the weights allow.
 */
#include "sched/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_write.h"
#include "sched/member_load.h"
#include "sched/shares.h"

struct state {
	double *weights; /* of each member of the pool; NAN: has none */
	struct member_load *load; /* headroom; or NULL */
	struct shares *shares;
};

static int
bad_weight(const struct instance *instance, const char *field, const char *what,
    struct svc_error *error)
{
	return svc_error_set(error, EX_DATAERR, "%s/%s: \"%s\": %s",
	    instance->service, instance->id, field, what);
}

/* It follows the load; what else is written behind "weighted=" does not. */
static bool
is_headroom(const struct policy_options *options)
{
	return options->field != NULL &&
	       strcmp(options->field, "headroom") == 0;
}

static int
read_weight(const struct instance *instance, const char *field, double *weight,
    struct svc_error *error)
{
	if (strcmp(field, "utilization") == 0) {
		*weight = instance->utilization;
	} else {
		switch (instance_number(instance, field, weight)) {
		case 0:
			return bad_weight(instance, field,
			    "no such member, so it has no weight", error);
		case -1:
			return bad_weight(
			    instance, field, "not a number", error);
		}
	}
	if (!isfinite(*weight))
		return bad_weight(
		    instance, field, "not a finite number", error);
	if (*weight < 0)
		return bad_weight(
		    instance, field, "negative, so it is no weight", error);
	return 0;
}

static const char *
field_of(const struct policy_options *options)
{
	return options->field == NULL ? "utilization" : options->field;
}

static const char *
unweighed(const struct policy_options *options, const struct instance *instance,
    struct svc_error *error)
{
	const char *field = field_of(options);
	double ignored;

	if (is_headroom(options) ||
	    read_weight(instance, field, &ignored, error) == 0)
		return NULL;
	return field;
}

/* A weight that is wrong is told when its service is asked for. */
static int
read_member(
    const struct policy *policy, uint32_t member, struct svc_error *error)
{
	const struct pool_member *known = pool_member(policy->pool, member);
	const struct instance *instance = known->instance;
	const char *service = policy->options.service;
	struct state *state = policy->state;

	if (!pool_works(policy->pool, member) || known->unweighed != NULL ||
	    read_weight(instance, field_of(&policy->options),
		&state->weights[member], error) == 0)
		return 0;
	if (service == NULL || strcmp(instance->service, service) == 0)
		return -1;
	state->weights[member] = NAN;
	return 0;
}

static int
read_weights(struct policy *policy, struct svc_error *error)
{
	size_t count = pool_count(policy->pool), i;
	struct state *state = policy->state;

	for (i = 0; i < count; i++) {
		if (state->load != NULL)
			state->weights[i] =
			    member_load_headroom(state->load, (uint32_t)i);
		else if (read_member(policy, (uint32_t)i, error) == -1)
			return -1;
	}
	return 0;
}

static int
open_state(struct policy *policy, struct svc_error *error)
{
	const struct policy_options *options = &policy->options;
	struct state *state;

	state = policy->state = calloc(1, sizeof(*state));
	if (state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	state->weights =
	    calloc(pool_count(policy->pool) + 1, sizeof(*state->weights));
	if (state->weights == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (is_headroom(options) &&
	    member_load_open(&state->load, policy->pool, NULL, options->stale,
		options->now, error) == -1)
		return -1;
	if (read_weights(policy, error) == -1)
		return -1;
	return shares_open(
	    &state->shares, state->weights, options->smooth, error);
}

/* Other weights are read from the line once and for all. */
static void
observe(struct policy *policy, int64_t now)
{
	struct state *state = policy->state;

	if (state->load == NULL)
		return;
	member_load_observe(state->load, now);
	(void)read_weights(policy, NULL);
	shares_reweigh(state->shares);
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;

	if (state == NULL)
		return;
	shares_close(state->shares);
	member_load_close(state->load);
	free(state->weights);
	free(state);
}

/* NULL: error, which names who of the list has no weight. */
static const struct share *
find_share(const struct policy *policy, const struct eligible *list,
    struct svc_error *error)
{
	const struct state *state = policy->state;
	const struct share *share = shares_find(state->shares, list, error);
	double ignored;
	size_t i;

	for (i = 0; share == NULL && i < list->count; i++)
		if (isnan(state->weights[list->members[i]])) {
			(void)read_weight(
			    pool_member(policy->pool, list->members[i])
				->instance,
			    field_of(&policy->options), &ignored, error);
			break;
		}
	return share;
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	const struct share *share = find_share(policy, list, error);
	struct smooth *smooth;

	(void)task;
	if (share == NULL)
		return -1;
	smooth = share_smooth(share);
	*member =
	    list->members[smooth != NULL ? smooth_next(smooth)
					 : share_draw(share, &policy->random)];
	return 1;
}

static const double *
weights(const struct policy *policy)
{
	const struct state *state = policy->state;

	return state->weights;
}

static size_t
place_of(const struct eligible *list, uint32_t member)
{
	size_t low = 0, high = list->count - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->members[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	const struct state *state = policy->state;
	struct random random = policy->random;
	double weight = state->weights[member];
	const struct share *share = find_share(policy, list, NULL);

	(void)task;
	if (state->load != NULL)
		member_load_explain(state->load, member, out);
	buffer_append_string(out, ",\"weight\":");
	json_append_number(out, weight);
	if (share == NULL)
		return;
	buffer_append_string(out, ",\"share\":");
	json_append_number(out, share_of(share, weight));
	if (share_smooth(share) != NULL) {
		buffer_append_string(out, ",\"credit\":");
		json_append_number(out,
		    smooth_credit(share_smooth(share), place_of(list, member)));
	} else if (list->members[share_draw(share, &random)] == member) {
		buffer_append_string(out, ",\"drawn\":true");
	}
}

static int
configure(
    struct policy_options *options, const char *text, struct svc_error *error)
{
	if (*text == '\0')
		return svc_error_set(error, EX_USAGE,
		    "not a member: '' (say capacity.cpu, or headroom)");
	options->field = text;
	return 0;
}

static void
describe(const struct policy_options *options, struct buffer *out)
{
	if (options->field != NULL)
		buffer_append_format(out, "=%s", options->field);
	if (options->smooth)
		buffer_append_string(out, ", smooth");
}

const struct policy_type policy_weighted = {
    .name = "weighted",
    .summary = "in proportion to a member's value, utilization unless said",
    .argument = "FIELD",
    .configure = configure,
    .describe = describe,
    .unweighed = unweighed,
    .weighs_load = is_headroom,
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .observe = observe,
    .weights = weights,
    .explain = explain,
};
