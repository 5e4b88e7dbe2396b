/*
 * The power of two choices: the less loaded of two random ones.  Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing", IEEE Transactions
 * on Parallel and Distributed Systems 12(10), 2001.
 *
 * They are drawn in proportion to what they can do, slots x speed: with the
 * same chance for all, two that can do little would be drawn too often, and get
 * more than they can do.  Where no record tells of that, their lines do: when
 * both look loaded above the mean, another two are drawn, once, and the least
 * loaded of the four is taken.
 */
#include "sched/policy.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <sysexits.h>

#include "sched/member_load.h"
#include "sched/shares.h"

struct state {
	struct member_load *load;
	double *weights; /* slots x speed of each member of the pool */
	struct shares *shares;
};

/* Who has been drawn for one choice. */
struct drawn {
	uint32_t members[4];
	int count;
	bool probe; /* the only one, whatever its load */
};

static int
open_state(struct policy *policy, struct svc_error *error)
{
	const struct policy_options *options = &policy->options;
	size_t count = pool_count(policy->pool), i;
	struct state *state;

	state = policy->state = calloc(1, sizeof(*state));
	if (state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	state->weights = calloc(count + 1, sizeof(*state->weights));
	if (state->weights == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < count; i++) {
		const struct pool_member *member =
		    pool_member(policy->pool, (uint32_t)i);

		state->weights[i] =
		    fmin(member->slots * member->speed, DBL_MAX);
	}
	if (shares_open(&state->shares, state->weights, false, error) == -1)
		return -1;
	return member_load_open(&state->load, policy->pool, options->own,
	    options->stale, options->now, error);
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;

	if (state == NULL)
		return;
	member_load_close(state->load);
	shares_close(state->shares);
	free(state->weights);
	free(state);
}

/* Adds two different ones; whether both look loaded above the mean. */
static bool
draw_two(const struct state *state, const struct share *share,
    const struct eligible *list, struct random *random, struct drawn *drawn)
{
	uint32_t *pair = &drawn->members[drawn->count];
	size_t first = share_draw(share, random);

	pair[0] = list->members[first];
	pair[1] = list->members[share_draw_other(share, first, random)];
	drawn->count += 2;
	return member_load_above(state->load, pair[0]) &&
	       member_load_above(state->load, pair[1]);
}

static int
draw(const struct state *state, const struct eligible *list,
    struct random *random, struct drawn *drawn, struct svc_error *error)
{
	const struct share *share;

	drawn->count = 1;
	drawn->members[0] = list->members[0];
	drawn->probe = list->count > 1 && member_load_probe(state->load, random,
					      list, &drawn->members[0]);
	if (drawn->probe || list->count == 1)
		return 0;
	share = shares_find(state->shares, list, error);
	if (share == NULL)
		return -1;
	drawn->count = 0;
	if (draw_two(state, share, list, random, drawn) && list->count > 2)
		draw_two(state, share, list, random, drawn);
	return 0;
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	struct state *state = policy->state;
	struct drawn drawn;
	int i;

	(void)task;
	if (draw(state, list, &policy->random, &drawn, error) == -1)
		return -1;
	*member = drawn.members[0];
	for (i = 1; i < drawn.count; i++)
		if (member_load_compare(
			state->load, drawn.members[i], *member) < 0)
			*member = drawn.members[i];
	member_load_placed(state->load, *member);
	return 1;
}

static void
give_back(struct policy *policy, const struct demand *demand, uint32_t member)
{
	struct state *state = policy->state;

	(void)demand;
	member_load_ended(state->load, member);
}

static void
observe(struct policy *policy, int64_t now)
{
	struct state *state = policy->state;

	member_load_observe(state->load, now);
}

static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	const struct state *state = policy->state;
	struct random random = policy->random;
	struct drawn drawn;
	int i;

	(void)task;
	member_load_explain(state->load, member, out);
	if (draw(state, list, &random, &drawn, NULL) == -1)
		return;
	for (i = 0; i < drawn.count; i++)
		if (member == drawn.members[i]) {
			buffer_append_string(out, drawn.probe
						      ? ",\"probe\":true"
						      : ",\"drawn\":true");
			break;
		}
}

static bool
weighs_load(const struct policy_options *options)
{
	(void)options;
	return true;
}

const struct policy_type policy_p2c = {
    .name = "p2c",
    .summary = "the less loaded of two random ones",
    .weighs_load = weighs_load,
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .give_back = give_back,
    .observe = observe,
    .explain = explain,
};
