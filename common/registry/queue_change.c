#include "registry/queue_change.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/task.h"
#include "registry/queue_look.h"

/* How often a task is looked for again that has moved meanwhile. */
#define TRIES 100

static const struct {
	const char *name;
	unsigned states; /* in which it can be done */
} changes[] = {
    [QUEUE_CANCEL] = {"cancel", QUEUE_STATES_OPEN},
    [QUEUE_RETRY] = {"retry", QUEUE_STATE_BIT(QUEUE_FAILED)},
    [QUEUE_HOLD] = {"hold", QUEUE_STATE_BIT(QUEUE_WAITING)},
    [QUEUE_RELEASE] = {"release", QUEUE_STATE_BIT(QUEUE_HELD)},
    [QUEUE_PURGE] = {"purge", QUEUE_STATES_ENDED},
};

const char *
queue_change_name(enum queue_change change)
{
	return changes[change].name;
}

/*
 * The line of a task that is cancelled, in out: 1; 0: it has ended, and *state
 * says how.
 */
static int
write_cancelled(const struct store_entry *entry,
    const struct queue_place *place, struct buffer *out,
    enum queue_state *state, struct svc_error *error)
{
	const struct envelope_options options = {
	    .run = place->id, .source = entry->key};
	struct line line = {.data = entry->value, .length = entry->length};
	struct task_failure failure;
	struct envelope envelope;
	int status = 1;

	if (line.length > 0 && line.data[line.length - 1] == '\n')
		line.length--;
	envelope_init(&envelope);
	task_failure_set(&failure, CODE_CANCELLED, "cancelled while it %s",
	    place->state == QUEUE_RUNNING ? "ran"
	    : place->state == QUEUE_HELD  ? "was held"
					  : "waited");
	switch (envelope_enter(&envelope, &line, &options, error)) {
	case ENVELOPE_READY:
		envelope_fail(&envelope, out, &failure);
		break;
	case ENVELOPE_PASS:
		*state = envelope.failed ? QUEUE_FAILED : QUEUE_DONE;
		status = 0;
		break;
	case ENVELOPE_INVALID:
		envelope_copy(&envelope, out);
		break;
	}
	envelope_release(&envelope);
	if (buffer_failed(out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return status;
}

/* Moves it durably, with a value or (NULL) without: 1, 0, -1. */
static int
move(struct store *store, const struct queue_place *place,
    enum queue_state state, const struct buffer *value, struct svc_error *error)
{
	struct queue_place target = *place;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	int moved;

	target.state = state;
	if (place->state == QUEUE_FAILED)
		target.claims = 0;
	queue_key(place, from);
	queue_key(&target, to);
	moved = store_move(store, from, to, value == NULL ? NULL : value->data,
	    value == NULL ? 0 : value->length, error);
	if (moved == 1 && value == NULL &&
	    (store_sync(store, queue_directory(state), error) == -1 ||
		store_sync(store, queue_directory(place->state), error) == -1))
		return -1;
	return moved;
}

static int
cancel(struct store *store, const struct queue_place *place,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT, out = BUFFER_INIT;
	enum queue_state state = QUEUE_FAILED;
	struct store_entry entry;
	int status = queue_read(store, place, &scratch, &entry, error);

	if (status == 1) {
		status = write_cancelled(&entry, place, &out, &state, error);
		if (status == 1)
			status = move(store, place, QUEUE_FAILED, &out, error);
		else if (status == 0 &&
			 move(store, place, state, NULL, error) == -1)
			status = -1;
	}
	buffer_release(&scratch);
	buffer_release(&out);
	return status;
}

/* As it was submitted. */
static int
retry(struct store *store, const struct queue_place *place,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct buffer value = BUFFER_INIT;
	struct store_entry entry;
	char key[QUEUE_KEY_MAX];
	int status;

	queue_id_key(place->id, key);
	status =
	    store_get(store, key, STORE_VALUE_MAX, &scratch, &entry, error);
	if (status == 0)
		status = svc_error_set(error, EX_DATAERR,
		    "%s: %s is gone, so nobody knows what was submitted",
		    place->id, key);
	if (status == 1) {
		buffer_append(&value, entry.value, entry.length);
		status = buffer_failed(&value)
			     ? svc_error_set(error, EX_OSERR, "out of memory")
			     : move(store, place, QUEUE_WAITING, &value, error);
	}
	buffer_release(&scratch);
	buffer_release(&value);
	return status;
}

/* The id last: while it is there nobody takes it for a new one. */
static int
purge(struct store *store, const struct queue_place *place,
    struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];

	if (place->state != QUEUE_ABSENT) {
		queue_key(place, key);
		if (store_delete(store, key, NULL, false, error) == -1)
			return -1;
	}
	queue_id_key(place->id, key);
	return store_delete(store, key, NULL, false, error) == -1 ? -1 : 1;
}

static int
apply(struct store *store, const struct queue_place *place,
    enum queue_change change, struct svc_error *error)
{
	switch (change) {
	case QUEUE_CANCEL:
		return cancel(store, place, error);
	case QUEUE_RETRY:
		return retry(store, place, error);
	case QUEUE_HOLD:
		return move(store, place, QUEUE_HELD, NULL, error);
	case QUEUE_RELEASE:
		return move(store, place, QUEUE_WAITING, NULL, error);
	case QUEUE_PURGE:
		return purge(store, place, error);
	}
	return 0;
}

/* guarded: the id is one of the queue's, be the task nowhere. */
static int
change_guarded(struct store *store, const char *id, enum queue_change change,
    bool dry, bool guarded, struct queue_place *place, struct svc_error *error)
{
	int tries, status;

	for (tries = 0; tries < TRIES; tries++) {
		status = queue_look(store, id, place, error);
		if (status == -1)
			return -1;
		if ((QUEUE_STATE_BIT(place->state) & changes[change].states) ==
			0 &&
		    !(guarded && change == QUEUE_PURGE &&
			place->state == QUEUE_ABSENT))
			return 0;
		if (dry)
			return 1;
		status = apply(store, place, change, error);
		if (status != 0)
			return status;
	}
	return svc_error_set(error, EX_TEMPFAIL,
	    "%s: it moves faster than it can be followed", id);
}

int
queue_change(struct store *store, const char *id, enum queue_change change,
    bool dry, struct queue_place *place, struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];
	int guard = -1;
	int status;

	memset(place, 0, sizeof(*place));
	if (!name_valid(id, strlen(id)))
		return 0;
	queue_id_key(id, key);
	status = store_guard(store, key, &guard, error);
	if (status == -1)
		return -1;
	status =
	    change_guarded(store, id, change, dry, status == 1, place, error);
	if (guard != -1)
		close(guard);
	return status;
}
