#include "registry/queue_look.h"

#include <stdint.h>
#include <string.h>

/* How often a task whose id exists is looked for: see look_once(). */
#define PASSES 64

/* 1: place is right; 0; -1. */
static int
is_at(struct store *store, const struct queue_place *place,
    struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];

	queue_key(place, key);
	return store_exists(store, key, error);
}

/* In a directory of names with claims: 1, 0, -1. */
static int
look_waiting(struct store *store, enum queue_state state,
    struct queue_place *place, struct svc_error *error)
{
	int found;

	place->state = state;
	for (place->claims = 0; place->claims <= QUEUE_CLAIMS_MAX;
	     place->claims++) {
		found = is_at(store, place, error);
		if (found != 0)
			return found;
	}
	return 0;
}

struct search {
	const char *id;
	struct queue_place *place;
	bool found;
};

static int
compare_running(void *argument, const char *key, struct svc_error *error)
{
	struct search *search = argument;
	struct queue_place place;

	(void)error;
	if (!queue_place_read(&place, key) || strcmp(place.id, search->id) != 0)
		return 0;
	*search->place = place;
	search->found = true;
	return -1;
}

static int
look_running(struct store *store, const char *id, struct queue_place *place,
    struct svc_error *error)
{
	struct search search = {id, place, false};
	int status = store_keys(store, queue_directory(QUEUE_RUNNING),
	    compare_running, &search, error);

	return search.found ? 1 : status;
}

static int
look_ended(struct store *store, enum queue_state state,
    struct queue_place *place, struct svc_error *error)
{
	place->state = state;
	place->claims = 0;
	return is_at(store, place, error);
}

/*
 * From where a task comes to where it goes: who was not here yet comes by
 * further on.
 *
 * Why this finds what is there.  Say that a pass misses a task, and that
 * nobody has held, released or retried it meanwhile, for which he would need
 * the guard.  At the end it was neither done nor failed, and what has ended
 * stays: so it had not ended, and it was not held, so it waited or ran all the
 * time.  It did not wait at the first look at that, so it ran; it did not run
 * when what runs was listed, so it had come back to wait; it did not wait at
 * the second look, so it had been claimed anew.  (Claims only grow, and are
 * looked at in that order: between two of them it ran.  A name that is there
 * as long as a directory is read is read.)
 *
 * So each pass that misses it takes one return within the pass.  A task returns
 * because its claimant is gone, QUEUE_CLAIMS_MAX - 1 times at most, or because
 * he gives it back, and then he lets it rest for seconds, which is longer than
 * all passes take: once a claimant.  Without the guard each hold, release and
 * retry, which are commands of somebody's, may cost a pass, too.  To be told
 * that it is nowhere, then, a task has to be handed round by some PASSES
 * claimants within the milliseconds in which it is looked for.
 */
static int
look_once(struct store *store, const char *id, struct queue_place *place,
    struct svc_error *error)
{
	int found = look_waiting(store, QUEUE_WAITING, place, error);

	if (found == 0)
		found = look_waiting(store, QUEUE_HELD, place, error);
	if (found == 0)
		found = look_running(store, id, place, error);
	if (found == 0)
		found = look_waiting(store, QUEUE_WAITING, place, error);
	if (found == 0)
		found = look_ended(store, QUEUE_DONE, place, error);
	if (found == 0)
		found = look_ended(store, QUEUE_FAILED, place, error);
	return found;
}

int
queue_look(struct store *store, const char *id, struct queue_place *place,
    struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];
	int pass, found, exists;

	memset(place, 0, sizeof(*place));
	if (!name_valid(id, strlen(id)))
		return 0;
	memcpy(place->id, id, strlen(id) + 1);
	queue_id_key(id, key);
	/* Of much that is asked for, and, since it stays, no slip. */
	found = look_ended(store, QUEUE_DONE, place, error);
	if (found == 0)
		found = look_ended(store, QUEUE_FAILED, place, error);
	if (found == 0)
		found = look_once(store, id, place, error);
	for (pass = 1; pass < PASSES && found == 0; pass++) {
		exists = store_exists(store, key, error);
		if (exists == 1)
			found = look_once(store, id, place, error);
		else if (exists == -1)
			found = -1;
		else
			break;
	}
	if (found != 1) {
		place->state = QUEUE_ABSENT;
		place->claims = 0;
	}
	return found;
}

int
queue_read(struct store *store, const struct queue_place *place,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];

	queue_key(place, key);
	return store_get(store, key, STORE_VALUE_MAX, scratch, entry, error);
}

static int
list_key(void *argument, const char *key, struct svc_error *error)
{
	const struct queue_list *list = argument;
	struct queue_place place;

	return queue_place_read(&place, key)
		   ? list->fn(list->argument, &place, NULL, error)
		   : 0;
}

static int
list_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	const struct queue_list *list = argument;
	struct queue_place place;

	return queue_place_read(&place, entry->key)
		   ? list->fn(list->argument, &place, entry, error)
		   : 0;
}

static void
skip(void *argument, const char *key, const char *why)
{
	const struct queue_list *list = argument;

	if (list->skip != NULL)
		list->skip(list->argument, key, why);
}

static int
list_state(struct store *store, const struct queue_list *list,
    enum queue_state state, struct svc_error *error)
{
	const struct store_list values = {
	    .directory = queue_directory(state),
	    .suffix = "",
	    .entry = list_entry,
	    .skip = skip,
	    .argument = (void *)(uintptr_t)list,
	};

	if (list->values)
		return store_list(store, &values, error);
	return store_keys(
	    store, values.directory, list_key, values.argument, error);
}

int
queue_list(
    struct store *store, const struct queue_list *list, struct svc_error *error)
{
	int state;

	for (state = QUEUE_WAITING; state < QUEUE_STATE_COUNT; state++)
		if ((list->states & QUEUE_STATE_BIT(state)) != 0 &&
		    list_state(store, list, (enum queue_state)state, error) ==
			-1)
			return -1;
	return 0;
}
