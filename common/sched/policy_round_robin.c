/*
 * One after the other, by id.  What was chosen last is an id, not an index: an
 * instance that comes or goes moves nobody else's turn.
 */
#include "sched/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct place {
	uint64_t serial; /* of the set it belongs to; 0: none yet */
	char key[POLICY_KEY_SIZE];
	size_t next; /* index in the list */
	uint32_t last; /* the member chosen last */
	bool loaded; /* the shared cursor is ours */
};

struct state {
	struct place *places[POOL_SETS_MAX]; /* by slot */
	size_t used; /* slots under it may have a place */
};

static const char *
member_id(const struct policy *policy, uint32_t member)
{
	return pool_member(policy->pool, member)->instance->id;
}

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
	for (i = 0; i < state->used; i++)
		free(state->places[i]);
	free(state);
}

/* Stores a place that was loaded: others may go on from it. */
static int
let_go(struct policy *policy, struct place *place, struct svc_error *error)
{
	const struct policy_cursor *cursor = &policy->options.cursor;

	if (!place->loaded)
		return 0;
	place->loaded = false;
	return cursor->store(cursor->argument, place->key,
	    member_id(policy, place->last), error);
}

/* The place of the list's set, a fresh one where the set is new. */
static struct place *
find_place(
    struct policy *policy, const struct eligible *list, struct svc_error *error)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	struct state *state = policy->state;
	struct place *place = state->places[list->slot];

	if (place != NULL && place->serial == list->serial)
		return place;
	if (place == NULL) {
		place = calloc(1, sizeof(*place));
		if (place == NULL) {
			svc_error_set(error, EX_OSERR, "out of memory");
			return NULL;
		}
		state->places[list->slot] = place;
		if (state->used <= list->slot)
			state->used = list->slot + 1;
	} else if (let_go(policy, place, error) == -1) {
		return NULL;
	}
	place->serial = list->serial;
	place->next = 0;
	if (cursor->key != NULL && cursor->key(cursor->argument, policy->pool,
				       list, place->key, error) == -1)
		return NULL;
	return place;
}

/* The index of the first id greater than id, or of the first. */
static size_t
index_after(
    const struct policy *policy, const struct eligible *list, const char *id)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(member_id(policy, list->members[middle]), id) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low < list->count ? low : 0;
}

static int
load(struct policy *policy, struct place *place, const struct eligible *list,
    struct svc_error *error)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	char id[NAME_MAX_LENGTH + 1];

	if (place->loaded || cursor->load == NULL)
		return 0;
	switch (cursor->load(cursor->argument, place->key, id, error)) {
	case -1:
		return -1;
	case 1:
		place->loaded = true;
		place->next = index_after(policy, list, id);
		break;
	}
	return 0;
}

static int
choose(struct policy *policy, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	struct place *place = find_place(policy, list, error);

	if (place == NULL || load(policy, place, list, error) == -1)
		return -1;
	place->last = *member = list->members[place->next];
	if (++place->next == list->count)
		place->next = 0;
	return 1;
}

static int
settle(struct policy *policy, struct svc_error *error)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	struct state *state = policy->state;
	size_t i;

	for (i = 0; i < state->used; i++)
		if (state->places[i] != NULL &&
		    let_go(policy, state->places[i], error) == -1)
			return -1;
	if (cursor->commit == NULL)
		return 0;
	return cursor->commit(cursor->argument, error);
}

const struct policy_type policy_round_robin = {
    .name = "round-robin",
    .summary = "one after the other, shared by all your processes",
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .settle = settle,
};
