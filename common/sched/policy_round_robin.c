/*
 * One after the other, by id.  What was chosen last is an id, not an index: an
 * instance that comes or goes moves nobody else's turn.
 */
#include "sched/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_write.h"

struct place {
	uint64_t serial; /* of the set it belongs to; 0: none yet */
	char key[POLICY_KEY_SIZE];
	size_t next; /* index in the list */
	bool chosen; /* here, since it was loaded */
	uint32_t last; /* the member that was chosen last */
	char before[NAME_MAX_LENGTH + 1]; /* what others chose last; "": none */
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

/* The cursor cannot be shared: goes on in memory. */
static void
lose(struct policy *policy, const struct svc_error *error)
{
	struct policy_cursor *cursor = &policy->options.cursor;
	struct state *state = policy->state;
	size_t i;

	for (i = 0; i < state->used; i++)
		if (state->places[i] != NULL)
			state->places[i]->loaded = false;
	cursor->set = NULL;
	cursor->lost(cursor->argument, error);
}

/* Stores a place that was loaded: others may go on from it. */
static void
let_go(struct policy *policy, struct place *place)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	struct svc_error error;

	if (!place->loaded)
		return;
	place->loaded = false;
	/* who explained and chose nothing has nothing to store */
	if (!place->chosen)
		return;
	if (cursor->store(cursor->set, place->key,
		member_id(policy, place->last), &error) == -1)
		lose(policy, &error);
}

/* What the place of the list's set is called. */
static int
make_key(const struct policy *policy, const struct eligible *list,
    char key[POLICY_KEY_SIZE], struct svc_error *error)
{
	const char **ids = calloc(list->count, sizeof(*ids));
	size_t i;

	if (ids == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < list->count; i++)
		ids[i] = member_id(policy, list->members[i]);
	policy->options.cursor.key(list->service, ids, list->count, key);
	free(ids);
	return 0;
}

/* The place of the list's set, a fresh one where the set is new. */
static struct place *
find_place(
    struct policy *policy, const struct eligible *list, struct svc_error *error)
{
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
	} else {
		let_go(policy, place);
	}
	place->serial = list->serial;
	place->next = 0;
	place->chosen = false;
	place->before[0] = '\0';
	if (policy->options.cursor.set != NULL &&
	    make_key(policy, list, place->key, error) == -1)
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

static void
load(struct policy *policy, struct place *place, const struct eligible *list)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	struct svc_error error;

	if (place->loaded || cursor->set == NULL)
		return;
	if (cursor->load(cursor->set, place->key, place->before, &error) ==
	    -1) {
		place->before[0] = '\0';
		lose(policy, &error);
		return;
	}
	place->loaded = true;
	place->chosen = false;
	place->next = index_after(policy, list, place->before);
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	struct place *place = find_place(policy, list, error);

	(void)task;
	if (place == NULL)
		return -1;
	load(policy, place, list);
	place->last = *member = list->members[place->next];
	place->chosen = true;
	if (++place->next == list->count)
		place->next = 0;
	return 1;
}

static void
settle(struct policy *policy)
{
	const struct policy_cursor *cursor = &policy->options.cursor;
	struct state *state = policy->state;
	struct svc_error error;
	size_t i;

	for (i = 0; i < state->used; i++)
		if (state->places[i] != NULL)
			let_go(policy, state->places[i]);
	if (cursor->set != NULL && cursor->commit(cursor->set, &error) == -1)
		lose(policy, &error);
}

/*
 * What was chosen last, also by others: the cursor is loaded, as the choice
 * that is explained would do next.
 */
static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	struct svc_error error;
	struct place *place = find_place(policy, list, &error);
	const char *last;

	(void)task;
	if (place == NULL)
		return;
	load(policy, place, list);
	last = place->chosen ? member_id(policy, place->last) : place->before;
	buffer_append_string(out, ",\"last\":");
	if (*last == '\0')
		buffer_append_string(out, "null");
	else
		json_append_string(out, last, strlen(last));
	if (list->members[place->next] == member)
		buffer_append_string(out, ",\"next\":true");
}

const struct policy_type policy_round_robin = {
    .name = "round-robin",
    .summary = "one after the other, shared by all your processes",
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .settle = settle,
    .explain = explain,
};
