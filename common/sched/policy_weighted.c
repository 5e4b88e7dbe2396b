/*
 * By weight: w_i = r_i / sum of all r_j, drawn at random, or smooth: as evenly
 * interleaved as the weights allow (the smooth weighted round-robin of nginx
 * 1.3.1, 2012: everybody gains its weight, the highest is chosen and pays the
 * total).
 */
#include "sched/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/alias.h"

/* What is kept for one set of members. */
struct shares {
	uint64_t serial;
	struct alias *alias;
	double *credit; /* smooth: twice count numbers, credits then gains */
	double total; /* of the gains */
};

struct state {
	double *weights; /* of each member of the pool; NAN: has none */
	struct shares shares[POOL_SETS_MAX]; /* by slot */
};

static int
bad_weight(const struct instance *instance, const char *field, const char *what,
    struct svc_error *error)
{
	return svc_error_set(error, EX_DATAERR, "%s/%s: \"%s\": %s",
	    instance->service, instance->id, field, what);
}

static double
headroom(const struct instance *instance)
{
	double slots = 1;

	instance_number(instance, "capacity.slots", &slots);
	return slots * fmax(0, 1 - instance->utilization);
}

static int
read_weight(const struct instance *instance, const char *field, double *weight,
    struct svc_error *error)
{
	if (strcmp(field, "headroom") == 0) {
		*weight = headroom(instance);
	} else if (strcmp(field, "utilization") == 0) {
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
field_of(const struct policy *policy)
{
	const char *field = policy->options.field;

	return field == NULL ? "utilization" : field;
}

/* A weight that is wrong is told when its service is asked for. */
static int
read_member(
    const struct policy *policy, uint32_t member, struct svc_error *error)
{
	const struct instance *instance =
	    pool_member(policy->pool, member)->instance;
	const char *service = policy->options.service;
	struct state *state = policy->state;

	if (!pool_works(policy->pool, member) ||
	    read_weight(instance, field_of(policy), &state->weights[member],
		error) == 0)
		return 0;
	if (service == NULL || strcmp(instance->service, service) == 0)
		return -1;
	state->weights[member] = NAN;
	return 0;
}

static int
open_state(struct policy *policy, struct svc_error *error)
{
	size_t count = pool_count(policy->pool), i;
	struct state *state;

	state = policy->state = calloc(1, sizeof(*state));
	if (state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	state->weights = calloc(count + 1, sizeof(*state->weights));
	if (state->weights == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < count; i++)
		if (read_member(policy, (uint32_t)i, error) == -1)
			return -1;
	return 0;
}

static void
shares_clear(struct shares *shares)
{
	alias_free(shares->alias);
	free(shares->credit);
	memset(shares, 0, sizeof(*shares));
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;
	size_t i;

	if (state == NULL)
		return;
	for (i = 0; i < POOL_SETS_MAX; i++)
		shares_clear(&state->shares[i]);
	free(state->weights);
	free(state);
}

/*
 * Returns the sum of all gains; equal ones where all are zero.  Whole numbers
 * stay whole, so that credits are exact; only what sums up to infinity is
 * scaled.
 */
static double
sum_gains(double *gains, size_t count)
{
	double largest = 0, total = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		largest = fmax(largest, gains[i]);
		total += gains[i];
	}
	if (total > 0 && isfinite(total))
		return total;
	total = 0;
	for (i = 0; i < count; i++) {
		gains[i] = largest > 0 ? gains[i] / largest : 1;
		total += gains[i];
	}
	return total;
}

static int
shares_make(const struct policy *policy, struct shares *shares,
    const struct eligible *list, struct svc_error *error)
{
	const struct state *state = policy->state;
	double *gains, ignored;
	size_t i;

	for (i = 0; i < list->count; i++)
		if (isnan(state->weights[list->members[i]]))
			return read_weight(
			    pool_member(policy->pool, list->members[i])
				->instance,
			    field_of(policy), &ignored, error);
	shares_clear(shares);
	shares->credit = calloc(2 * list->count, sizeof(*shares->credit));
	if (shares->credit == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	gains = shares->credit + list->count;
	for (i = 0; i < list->count; i++)
		gains[i] = state->weights[list->members[i]];
	if (policy->options.smooth) {
		shares->total = sum_gains(gains, list->count);
	} else {
		shares->alias = alias_new(gains, list->count, error);
		if (shares->alias == NULL)
			return -1;
		free(shares->credit);
		shares->credit = NULL;
	}
	shares->serial = list->serial;
	return 0;
}

/* 0.3, 0.1, 0.2 go as 3, 1, 2 do: what rounding alone tells apart is equal. */
static size_t
choose_smooth(struct shares *shares, size_t count)
{
	double *credit = shares->credit, *gains = credit + count;
	double rounding = shares->total * 1e-9;
	size_t i, best = 0;

	for (i = 0; i < count; i++) {
		credit[i] += gains[i];
		if (credit[i] > credit[best] + rounding)
			best = i;
	}
	credit[best] -= shares->total;
	return best;
}

static int
choose(struct policy *policy, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	struct state *state = policy->state;
	struct shares *shares = &state->shares[list->slot];
	size_t i;

	if (shares->serial != list->serial &&
	    shares_make(policy, shares, list, error) == -1)
		return -1;
	i = policy->options.smooth ? choose_smooth(shares, list->count)
				   : alias_draw(shares->alias, &policy->random);
	*member = list->members[i];
	return 1;
}

static void
explain(const struct policy *policy, uint32_t member, struct buffer *out)
{
	const struct state *state = policy->state;

	buffer_append_string(out, ",\"weight\":");
	json_append_number(out, state->weights[member]);
}

const struct policy_type policy_weighted = {
    .name = "weighted",
    .summary = "in proportion to a member's value, utilization unless said",
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .explain = explain,
};
