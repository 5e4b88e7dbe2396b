#include "registry/queue_follow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"
#include "registry/queue_look.h"

#define SLOTS_MIN 64

/* What was told last of an id; id 0: the slot is free. */
struct told {
	uint64_t id;
	uint64_t what;
};

struct queue_follow {
	struct registry *registry;
	struct queue_follow_options options;
	struct store_watch *watch;
	struct told *told; /* a hash table, at most half full */
	size_t slots; /* a power of two */
	size_t count;
	struct buffer keys; /* that changed, each with its NUL */
	bool resync;
	struct buffer scratch;
	struct queue_record_reader reader;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint64_t
hash(uint64_t value, const void *data, size_t length)
{
	const unsigned char *byte = data;

	for (; length > 0; length--, byte++)
		value = (value ^ *byte) * 0x100000001b3;
	return value;
}
#define HASH_BEGIN 0xcbf29ce484222325

static uint64_t
hash_id(const char *id)
{
	uint64_t value = hash(HASH_BEGIN, id, strlen(id));

	return value == 0 ? 1 : value;
}

/*
 * Where it is, and of an ended one when that was written.  Others keep their
 * place although their file changes: by its second link, and by the finished
 * line that it gets just before it is moved.
 */
static uint64_t
hash_record(const struct queue_record *record)
{
	uint64_t value =
	    hash(HASH_BEGIN, &record->state, sizeof(record->state));

	value = hash(value, &record->claims, sizeof(record->claims));
	if ((QUEUE_STATE_BIT(record->state) & QUEUE_STATES_ENDED) != 0)
		value =
		    hash(value, &record->submitted, sizeof(record->submitted));
	if (record->where != NULL)
		value = hash(value, record->where, strlen(record->where));
	return value;
}

/* Where id stands, or could. */
static size_t
find(const struct told *told, size_t slots, uint64_t id)
{
	size_t at = id & (slots - 1);

	while (told[at].id != 0 && told[at].id != id)
		at = (at + 1) & (slots - 1);
	return at;
}

static int
grow(struct queue_follow *follow, struct svc_error *error)
{
	size_t slots = follow->slots == 0 ? SLOTS_MIN : 2 * follow->slots;
	struct told *told = calloc(slots, sizeof(*told));
	size_t i;

	if (told == NULL)
		return no_memory(error);
	for (i = 0; i < follow->slots; i++)
		if (follow->told[i].id != 0)
			told[find(told, slots, follow->told[i].id)] =
			    follow->told[i];
	free(follow->told);
	follow->told = told;
	follow->slots = slots;
	return 0;
}

/* 1: it is news; 0: it was told just so; -1. */
static int
note(struct queue_follow *follow, const struct queue_record *record,
    struct svc_error *error)
{
	uint64_t what = hash_record(record);
	struct told *told;

	if (2 * (follow->count + 1) > follow->slots &&
	    grow(follow, error) == -1)
		return -1;
	told =
	    &follow
		 ->told[find(follow->told, follow->slots, hash_id(record->id))];
	if (told->id != 0 && told->what == what)
		return 0;
	follow->count += told->id == 0;
	told->id = hash_id(record->id);
	told->what = what;
	return 1;
}

/* Those behind it move up, each as near as it may to where it should be. */
static void
forget(struct queue_follow *follow, const char *id)
{
	size_t mask = follow->slots - 1, hole, at;
	struct told *told = follow->told;

	if (follow->slots == 0)
		return;
	hole = find(told, follow->slots, hash_id(id));
	if (told[hole].id == 0)
		return;
	follow->count--;
	for (at = (hole + 1) & mask; told[at].id != 0; at = (at + 1) & mask) {
		if (((at - told[at].id) & mask) < ((at - hole) & mask))
			continue;
		told[hole] = told[at];
		hole = at;
	}
	told[hole].id = 0;
}

int
queue_follow_note(struct queue_follow *follow,
    const struct queue_record *record, struct svc_error *error)
{
	return note(follow, record, error) == -1 ? -1 : 0;
}

static void
on_change(void *argument, const struct store_change *change)
{
	struct queue_follow *follow = argument;

	if (change->kind == STORE_RESYNC)
		follow->resync = true;
	else
		buffer_append(
		    &follow->keys, change->key, strlen(change->key) + 1);
}

static int
watch_all(struct queue_follow *follow, struct svc_error *error)
{
	struct store *store = registry_store(follow->registry);
	int state;

	if (store_watch_open(store, queue_directory(QUEUE_WAITING),
		&follow->watch, error) == -1)
		return -1;
	for (state = QUEUE_WAITING + 1; state < QUEUE_STATE_COUNT; state++)
		if (store_watch_add(follow->watch,
			queue_directory((enum queue_state)state), error) == -1)
			return -1;
	/* All that is there is listed by the caller. */
	if (store_watch_read(follow->watch, on_change, follow, error) == -1)
		return -1;
	buffer_clear(&follow->keys);
	follow->resync = false;
	return 0;
}

int
queue_follow_open(struct queue_follow **follow, struct registry *registry,
    const struct queue_follow_options *options, struct svc_error *error)
{
	struct queue_follow *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return no_memory(error);
	made->registry = registry;
	made->options = *options;
	if (watch_all(made, error) == -1) {
		queue_follow_close(made);
		return -1;
	}
	*follow = made;
	return 0;
}

void
queue_follow_close(struct queue_follow *follow)
{
	if (follow == NULL)
		return;
	if (follow->watch != NULL)
		store_watch_close(follow->watch);
	free(follow->told);
	buffer_release(&follow->keys);
	buffer_release(&follow->scratch);
	queue_record_reader_release(&follow->reader);
	free(follow);
}

int
queue_follow_descriptor(const struct queue_follow *follow)
{
	return store_watch_descriptor(follow->watch);
}

static int
tell_record(struct queue_follow *follow, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	const struct queue_follow_options *options = &follow->options;
	struct queue_record record;
	int result;

	if (queue_record_read(&record, &follow->reader, place, entry, error) ==
	    -1) {
		if (error->code != EX_DATAERR)
			return -1;
		registry_warn(follow->registry, entry->key, error->message);
		return 0;
	}
	result = note(follow, &record, error);
	if (result == 1)
		result = options->changed(options->argument, &record, error);
	queue_record_release(&record);
	return result;
}

/* What is at a place of which a change was told. */
static int
look_at(struct queue_follow *follow, const struct queue_place *place,
    struct svc_error *error)
{
	const struct queue_follow_options *options = &follow->options;
	struct store *store = registry_store(follow->registry);
	struct store_entry entry;
	char key[QUEUE_KEY_MAX];
	int found;

	/* Whenever it comes back from there it is news. */
	if (!options->wants(options->argument, place)) {
		forget(follow, place->id);
		return 0;
	}
	found = queue_read(store, place, &follow->scratch, &entry, error);
	if (found == 1)
		return tell_record(follow, place, &entry, error);
	if (found == -1 && error->code == EX_DATAERR) {
		queue_key(place, key);
		registry_warn(follow->registry, key, error->message);
		return 0;
	}
	if (found == -1 ||
	    (QUEUE_STATE_BIT(place->state) & QUEUE_STATES_ENDED) == 0)
		return found;
	forget(follow, place->id);
	return options->gone(options->argument, place->id, error);
}

static int
look_again(void *argument, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	(void)entry;
	return look_at(argument, place, error);
}

/* Events were lost, or a directory came: what is there is compared. */
static int
look_at_all(struct queue_follow *follow, struct svc_error *error)
{
	struct queue_list list = {
	    .states = QUEUE_STATES_OPEN | QUEUE_STATES_ENDED,
	    .fn = look_again,
	    .argument = follow};

	return queue_list(registry_store(follow->registry), &list, error);
}

int
queue_follow_read(struct queue_follow *follow, struct svc_error *error)
{
	struct queue_place place;
	size_t at;

	follow->resync = false;
	buffer_clear(&follow->keys);
	if (store_watch_read(follow->watch, on_change, follow, error) == -1)
		return -1;
	if (buffer_failed(&follow->keys))
		return no_memory(error);
	if (follow->resync)
		return look_at_all(follow, error);
	for (at = 0; at < follow->keys.length;
	     at += strlen(follow->keys.data + at) + 1) {
		if (queue_place_read(&place, follow->keys.data + at) &&
		    look_at(follow, &place, error) == -1)
			return -1;
	}
	return 0;
}
