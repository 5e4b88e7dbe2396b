/*
 * By key: the same key goes to the same instance, as long as that has room, and
 * few keys move when an instance comes or goes.
 *
 * Consistent hashing with bounded loads: Mirrokni, Thorup, Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads", SODA 2018, with their c = 1.25.  The
 * instances have points on a ring (hash_view.h), and a task goes to the first
 * one clockwise from its key that stays within its bound:
 *
 *	max(slots, 10, ceil(1.25 x (placed + 1) x slots / sum of slots))
 *
 * placed is what the instances of the list have been given and not given back,
 * by way of whatever list: so their bounds add up to more than they have, and
 * one of them has room.
 */
#include "sched/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_pointer.h"
#include "line/json_write.h"
#include "sched/hash_view.h"

#define BOUND 1.25

/*
 * Nobody is full with fewer: where each one's part of the tasks is one, the few
 * tasks of a small run would be spread although they have the same key.
 */
#define BOUND_FLOOR 10

/* Changes of load that are remembered, for lists that have missed them. */
#define CHANGES_MAX 1024

/* Keys that may have very many tasks at the same time. */
#define DETOURS 64

struct member {
	double slots;
	uint64_t load; /* tasks placed on it and not given back */
};

struct change {
	uint32_t member;
	int by; /* 1, -1 */
};

/* Of one list. */
struct total {
	uint64_t serial;
	double slots;
	uint64_t placed; /* the sum of its members' loads */
	uint64_t seen; /* changes that placed contains */
};

/*
 * A part of the ring in which all of a list are full.  The walk of a key that
 * has very many tasks gets long, and differs little from one to the next.
 */
struct detour {
	uint64_t serial; /* of the list */
	size_t from, to; /* points; to may have room */
	double until; /* as long as no more are placed than this, */
	uint64_t given_back; /* and no more given back than this */
};

struct state {
	struct member *members; /* of the pool */
	struct hash_views *views;
	struct total totals[POOL_SETS_MAX]; /* by slot */
	struct change changes[CHANGES_MAX]; /* the latest ones, a ring */
	uint64_t change_count;
	uint64_t given_back;
	struct detour detours[DETOURS]; /* by from */
};

static int
configure(
    struct policy_options *options, const char *text, struct svc_error *error)
{
	if (json_pointer_check(text, error) == -1)
		return -1;
	options->pointer = text;
	return 0;
}

static void
describe(const struct policy_options *options, struct buffer *out)
{
	if (options->pointer != NULL)
		buffer_append_format(out, "=%s", options->pointer);
}

static int
open_state(struct policy *policy, struct svc_error *error)
{
	size_t count = pool_count(policy->pool), i;
	struct state *state;

	state = policy->state = calloc(1, sizeof(*state));
	if (state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	state->members = calloc(count + 1, sizeof(*state->members));
	if (state->members == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < count; i++)
		state->members[i].slots =
		    pool_member(policy->pool, (uint32_t)i)->slots;
	return hash_views_open(&state->views, policy->pool, error);
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;

	if (state == NULL)
		return;
	hash_views_close(state->views);
	free(state->members);
	free(state);
}

/* Members of a list ascend, as ids do. */
static bool
list_holds(const struct eligible *list, uint32_t member)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->members[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->members[low] == member;
}

static void
count_all(
    const struct state *state, const struct eligible *list, struct total *total)
{
	size_t i;

	total->serial = list->serial;
	total->slots = 0;
	total->placed = 0;
	for (i = 0; i < list->count; i++) {
		total->slots += state->members[list->members[i]].slots;
		total->placed += state->members[list->members[i]].load;
	}
	total->seen = state->change_count;
}

static void
count_changes(
    const struct state *state, const struct eligible *list, struct total *total)
{
	const struct change *change;

	for (; total->seen < state->change_count; total->seen++) {
		change = &state->changes[total->seen % CHANGES_MAX];
		if (list_holds(list, change->member))
			total->placed += (uint64_t)change->by;
	}
}

/* The list's total as of now, got in the quicker way. */
static struct total *
total_of(struct state *state, const struct eligible *list)
{
	struct total *total = &state->totals[list->slot];
	uint64_t missed = state->change_count - total->seen;

	if (total->serial != list->serial || missed > CHANGES_MAX ||
	    missed > list->count / 8)
		count_all(state, list, total);
	else
		count_changes(state, list, total);
	return total;
}

/* The part of the bound that grows, before it is rounded up. */
static double
fair_bound(const struct total *total, const struct member *member)
{
	return BOUND * ((double)total->placed + 1) * member->slots /
	       total->slots;
}

static double
bound_of(const struct total *total, const struct member *member)
{
	return fmax(
	    fmax(member->slots, BOUND_FLOOR), ceil(fair_bound(total, member)));
}

/* Whether load + 1 <= bound_of(): whole numbers under ceil(x) are under x. */
static bool
has_room(const struct total *total, const struct member *member)
{
	double load = (double)member->load;

	return load + 1 <= BOUND_FLOOR || load + 1 <= member->slots ||
	       load < fair_bound(total, member);
}

/*
 * Up to how many placed tasks a full member stays so: what fair_bound() says,
 * less one or two for its rounding.
 */
static double
full_until(const struct total *total, const struct member *member)
{
	return (double)member->load * total->slots / (BOUND * member->slots) -
	       2;
}

/* The detour that begins at a point: one of length 0 if none is known. */
static struct detour
detour_from(const struct state *state, const struct total *total, size_t from)
{
	const struct detour *known = &state->detours[from % DETOURS];

	if (known->serial == total->serial && known->from == from &&
	    known->given_back == state->given_back &&
	    (double)total->placed <= known->until)
		return *known;
	return (struct detour){
	    total->serial, from, from, INFINITY, state->given_back};
}

/*
 * The first one clockwise that has room.  Somebody has, so that the walk ends
 * before it has gone round.
 */
static uint32_t
walk(struct state *state, const struct hash_view *view,
    const struct total *total, uint64_t key)
{
	size_t from = hash_ring_find(view->ring, key), left;
	struct detour detour = detour_from(state, total, from);
	uint32_t member, last = 0;

	for (left = view->ring->count; left > 0; left--) {
		member = hash_ring_node(view->ring, detour.to);
		if (hash_view_holds(view, member)) {
			last = member;
			if (has_room(total, &state->members[member]))
				break;
			detour.until = fmin(detour.until,
			    full_until(total, &state->members[member]));
		}
		detour.to = hash_ring_next(view->ring, detour.to);
	}
	if (detour.to != from)
		state->detours[from % DETOURS] = detour;
	return last;
}

static void
change_load(struct state *state, uint32_t member, int by)
{
	struct change *change =
	    &state->changes[state->change_count++ % CHANGES_MAX];

	state->members[member].load += (uint64_t)by;
	change->member = member;
	change->by = by;
}

static uint64_t
key_of(const struct policy_task *task)
{
	return task == NULL ? 0 : task->key;
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	struct state *state = policy->state;
	const struct hash_view *view =
	    hash_views_find(state->views, list, error);
	struct total *total;

	if (view == NULL)
		return -1;
	total = total_of(state, list);
	*member = walk(state, view, total, key_of(task));
	change_load(state, *member, 1);
	count_changes(state, list, total);
	return 1;
}

static void
give_back(struct policy *policy, const struct demand *demand, uint32_t member)
{
	struct state *state = policy->state;

	(void)demand;
	if (state->members[member].load == 0)
		return;
	change_load(state, member, -1);
	state->given_back++;
}

static int
refuses(const struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct reason *reason)
{
	struct state *state = policy->state;
	const struct total *total = total_of(state, list);

	(void)task;
	if (has_room(total, &state->members[member]))
		return 0;
	memset(reason, 0, sizeof(*reason));
	reason->code = REASON_FULL;
	reason->need = (double)state->members[member].load + 1;
	reason->most = bound_of(total, &state->members[member]);
	return 1;
}

static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	struct state *state = policy->state;
	const struct member *asked = &state->members[member];

	buffer_append_string(out, ",\"distance\":");
	json_append_number(
	    out, hash_views_distance(state->views, member, key_of(task)));
	buffer_append_string(out, ",\"load\":");
	json_append_number(out, (double)asked->load);
	buffer_append_string(out, ",\"bound\":");
	json_append_number(out, bound_of(total_of(state, list), asked));
}

const struct policy_type policy_hash = {
    .name = "hash",
    .summary = "the same key to the same instance, within a bounded load",
    .argument = "/POINTER",
    .configure = configure,
    .describe = describe,
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .give_back = give_back,
    .refuses = refuses,
    .explain = explain,
};
