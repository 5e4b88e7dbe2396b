/*
 * By what is left: the numbers that tasks ask for are taken from the capacity
 * of the instance they are placed on, until they have ended.  The score is the
 * mean, over the numbers asked for, of the part that is allocated once the task
 * is there: the least wins (spread) or the most (pack), as in Kubernetes'
 * NodeResourcesFit plugin, LeastAllocated and MostAllocated with equal weights.
 */
#include "sched/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/room.h"
#include "sched/room_scan.h"

/* Those of a mixed list that pass. */
struct passing {
	uint64_t serial; /* of the list */
	size_t count;
	uint32_t members[];
};

struct state {
	struct room room;
	double *scores; /* scratch; one a member of the pool */
	struct passing *passing[POOL_SETS_MAX]; /* by the list's slot */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
configure(
    struct policy_options *options, const char *text, struct svc_error *error)
{
	if (strcmp(text, "spread") == 0)
		options->score = SCORE_SPREAD;
	else if (strcmp(text, "pack") == 0)
		options->score = SCORE_PACK;
	else
		return svc_error_set(error, EX_USAGE,
		    "not a score: '%s' (say spread or pack)", text);
	return 0;
}

static void
describe(const struct policy_options *options, struct buffer *out)
{
	if (options->score == SCORE_PACK)
		buffer_append_string(out, "=pack");
}

static int
open_state(struct policy *policy, struct svc_error *error)
{
	struct state *state = calloc(1, sizeof(*state));

	policy->state = state;
	if (state == NULL)
		return no_memory(error);
	state->scores =
	    calloc(pool_count(policy->pool) + 1, sizeof(*state->scores));
	if (room_init(&state->room, policy->pool) == -1 ||
	    state->scores == NULL)
		return no_memory(error);
	return 0;
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;
	size_t i;

	if (state == NULL)
		return;
	for (i = 0; i < POOL_SETS_MAX; i++)
		free(state->passing[i]);
	free(state->scores);
	room_release(&state->room);
	free(state);
}

/* Those of list that pass; kept, since a list serves many tasks.  Or NULL. */
static const struct passing *
find_passing(struct policy *policy, const struct eligible *list)
{
	struct state *state = policy->state;
	struct passing **kept = &state->passing[list->slot], *passing;
	size_t i;

	if (*kept != NULL && (*kept)->serial == list->serial)
		return *kept;
	passing =
	    malloc(sizeof(*passing) + list->count * sizeof(*passing->members));
	if (passing == NULL)
		return NULL;
	passing->serial = list->serial;
	passing->count = 0;
	for (i = 0; i < list->count; i++)
		if (pool_member(policy->pool, list->members[i])
			->instance->status == STATUS_PASSING)
			passing->members[passing->count++] = list->members[i];
	free(*kept);
	*kept = passing;
	return passing;
}

/* Whether one of members would take the task if it had nothing else to do. */
static bool
could_take(const struct room_number *numbers, size_t number_count,
    const uint32_t *members, size_t count)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < number_count; k++)
			if (!(numbers[k].total[members[i]] >=
				numbers[k].amount))
				break;
		if (k == number_count)
			return true;
	}
	return false;
}

/* As choose(), of some members only. */
static int
choose_of(const struct policy *policy, const struct room_number *numbers,
    size_t number_count, const uint32_t *members, size_t count,
    uint32_t *member)
{
	const struct state *state = policy->state;
	double sign = policy->options.score == SCORE_PACK ? -1 : 1;
	size_t place = 0;

	if (number_count > 0)
		place = room_scan(
		    numbers, number_count, members, count, sign, state->scores);
	if (place == count)
		return 0;
	*member = members[place];
	return 1;
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	const struct demand *demand = list->demand;
	struct state *state = policy->state;
	struct room_number numbers[DEMAND_NUMBERS_MAX];
	const struct passing *passing;
	int found;

	(void)task;
	found = room_find(&state->room, demand, numbers);
	if (found == -1)
		return no_memory(error);
	if (found == 0)
		return 0;
	found = 0;
	if (list->mixed) {
		passing = find_passing(policy, list);
		if (passing == NULL)
			return no_memory(error);
		found = choose_of(policy, numbers, demand->count,
		    passing->members, passing->count, member);
		if (found == 0 && could_take(numbers, demand->count,
				      passing->members, passing->count))
			return 0;
	}
	if (found == 0)
		found = choose_of(policy, numbers, demand->count, list->members,
		    list->count, member);
	if (found == 1)
		room_take(&state->room, demand, *member);
	return found;
}

static void
give_back(struct policy *policy, const struct demand *demand, uint32_t member)
{
	struct state *state = policy->state;

	room_give_back(&state->room, demand, member);
}

static const double *
left(const struct policy *policy, const char *name)
{
	const struct state *state = policy->state;

	return room_left(&state->room, name);
}

/*
 * "room": what is used now of each number asked for, of how much, and after;
 * "score": the mean part used then; "left": what is left now of everything that
 * was ever asked for.
 */
static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	struct state *state = policy->state;

	(void)task;
	room_explain(&state->room, list->demand, member, out);
}

const struct policy_type policy_constrained = {
    .name = "constrained",
    .summary = "by what is left of the capacity that tasks ask for",
    .argument = "spread|pack",
    .configure = configure,
    .describe = describe,
    .takes_room = true,
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .give_back = give_back,
    .left = left,
    .explain = explain,
};
