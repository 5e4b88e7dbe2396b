/*
 * By what is left: the numbers that tasks ask for are taken from the capacity
 * of the instance they are placed on.  The score is the mean, over the numbers
 * asked for, of the part that is allocated once the task is there: the least
 * wins (spread) or the most (pack), as in Kubernetes' NodeResourcesFit plugin,
 * LeastAllocated and MostAllocated with equal weights.
 */
#include "sched/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/*
 * What rounding alone makes: three times 0.1 is a little more than 0.3 and must
 * fit into it, and 1/3 + 2/3 ties with 1/2 + 1/2.
 */
#define ROUNDING 1e-9

struct resource {
	char name[NAME_MAX_LENGTH + 1];
	const double *total; /* of each member; the pool's; NAN: none */
	double *used;
};

struct state {
	/* a resource comes in when it is first placed, so all are somebody's
	 * capacity, and they are as few as those */
	struct resource *resources;
	size_t count;
};

/* One number of a task, beside the arrays it is compared with. */
struct request {
	const double *total;
	double *used;
	double amount;
};

static int
open_state(struct policy *policy, struct svc_error *error)
{
	policy->state = calloc(1, sizeof(struct state));
	if (policy->state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;
	size_t i;

	if (state == NULL)
		return;
	for (i = 0; i < state->count; i++)
		free(state->resources[i].used);
	free(state->resources);
	free(state);
}

static struct resource *
find_resource(const struct state *state, const char *name)
{
	size_t i;

	for (i = 0; i < state->count; i++)
		if (strcmp(state->resources[i].name, name) == 0)
			return &state->resources[i];
	return NULL;
}

static struct resource *
add_resource(struct policy *policy, const char *name, struct svc_error *error)
{
	struct state *state = policy->state;
	struct resource *resources, *resource;

	resources = reallocarray(
	    state->resources, state->count + 1, sizeof(*resources));
	if (resources != NULL) {
		state->resources = resources;
		resource = &resources[state->count];
		memcpy(resource->name, name, strlen(name) + 1);
		resource->total = pool_capacity(policy->pool, name);
		resource->used =
		    calloc(pool_count(policy->pool), sizeof(double));
		if (resource->total != NULL && resource->used != NULL) {
			state->count++;
			return resource;
		}
		free(resource->used);
	}
	svc_error_set(error, EX_OSERR, "out of memory");
	return NULL;
}

static int
gather(struct policy *policy, const struct demand *demand,
    struct request *requests, struct svc_error *error)
{
	size_t k;

	for (k = 0; k < demand->count; k++) {
		const struct demand_number *number = &demand->numbers[k];
		struct resource *resource =
		    find_resource(policy->state, number->name);

		if (resource == NULL)
			resource = add_resource(policy, number->name, error);
		if (resource == NULL)
			return -1;
		requests[k].total = resource->total;
		requests[k].used = resource->used;
		requests[k].amount = number->amount;
	}
	return 0;
}

/*
 * The sum of the allocated parts (all candidates of a task have as many, so
 * the mean adds nothing); negative when the task does not fit.
 */
static double
score(const struct request *requests, size_t count, uint32_t member)
{
	double sum = 0;
	size_t k;

	for (k = 0; k < count; k++) {
		double total = requests[k].total[member];
		double used = requests[k].used[member] + requests[k].amount;

		if (used > total * (1 + ROUNDING))
			return -1;
		sum += total > 0 ? used / total : 1;
	}
	return sum;
}

static int
choose(struct policy *policy, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	struct request requests[DEMAND_NUMBERS_MAX];
	size_t count = list->demand->count, i, k;
	bool pack = policy->options.score == SCORE_PACK, found = false;
	double best = 0;

	if (gather(policy, list->demand, requests, error) == -1)
		return -1;
	for (i = 0; i < list->count; i++) {
		double s = score(requests, count, list->members[i]);

		if (s < 0 || (found && (pack ? s <= best + ROUNDING
					     : s >= best - ROUNDING)))
			continue;
		found = true;
		best = s;
		*member = list->members[i];
	}
	for (k = 0; found && k < count; k++)
		requests[k].used[*member] += requests[k].amount;
	return found;
}

static double
left(const struct policy *policy, uint32_t member, const char *name,
    double capacity)
{
	const struct resource *resource = find_resource(policy->state, name);

	if (resource == NULL)
		return capacity;
	return fmax(0, capacity - resource->used[member]);
}

/* What is left of everything that was ever asked for. */
static void
explain(const struct policy *policy, uint32_t member, struct buffer *out)
{
	const struct state *state = policy->state;
	const char *comma = "";
	size_t i;

	buffer_append_string(out, ",\"left\":{");
	for (i = 0; i < state->count; i++) {
		const struct resource *resource = &state->resources[i];

		if (isnan(resource->total[member]))
			continue;
		buffer_append_string(out, comma);
		json_append_string(out, resource->name, strlen(resource->name));
		buffer_append_char(out, ':');
		json_append_number(out, left(policy, member, resource->name,
					    resource->total[member]));
		comma = ",";
	}
	buffer_append_char(out, '}');
}

const struct policy_type policy_constrained = {
    .name = "constrained",
    .summary = "by what is left of the capacity that tasks ask for",
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .left = left,
    .explain = explain,
};
