#include "registry/queue_change.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json_write.h"
#include "line/task.h"
#include "line/text.h"
#include "registry/queue_look.h"

/* How often a task is looked for again that has moved meanwhile. */
#define TRIES 100

#define ENTRY_SIZE 16384 /* of the user database, bytes */

static const struct {
	const char *name;
	unsigned states; /* in which it can be done */
	enum queue_state target;
} changes[] = {
    [QUEUE_CANCEL] = {"cancel", QUEUE_STATES_OPEN, QUEUE_FAILED},
    [QUEUE_RETRY] = {"retry", QUEUE_STATE_BIT(QUEUE_FAILED), QUEUE_WAITING},
    [QUEUE_HOLD] = {"hold", QUEUE_STATE_BIT(QUEUE_WAITING), QUEUE_HELD},
    [QUEUE_RELEASE] = {"release", QUEUE_STATE_BIT(QUEUE_HELD), QUEUE_WAITING},
    [QUEUE_PURGE] = {"purge", QUEUE_STATES_ENDED, QUEUE_ABSENT},
};

const char *
queue_change_name(enum queue_change change)
{
	return changes[change].name;
}

/* One command on its way. */
struct change {
	struct store *store;
	const char *id;
	enum queue_change change;
	bool known; /* the id is one of the queue's, be the task nowhere */
	bool dry;
	/* Of QUEUE_CANCEL: what was to be put into failed, when the task moved
	 * meanwhile: who moved it may have taken that along. */
	struct buffer written;
};

/* "cancelled by alice while it waited" */
static void
describe(struct task_failure *failure, enum queue_state state)
{
	char memory[ENTRY_SIZE], user[64];
	struct passwd entry, *found = NULL;

	snprintf(user, sizeof(user), "uid %lu", (unsigned long)getuid());
	if (getpwuid_r(getuid(), &entry, memory, sizeof(memory), &found) == 0 &&
	    found != NULL)
		snprintf(user, sizeof(user), "%s", found->pw_name);
	task_failure_set(failure, CODE_CANCELLED, "cancelled by %s while it %s",
	    user,
	    state == QUEUE_RUNNING ? "ran"
	    : state == QUEUE_HELD  ? "was held"
				   : "waited");
}

/* What is a line, but none of this task: svckit has not put it here. */
static void
write_foreign(const struct line *line, const struct queue_place *place,
    struct buffer *out)
{
	size_t shown = text_cut(line->data, line->length, INVALID_INPUT_MAX);
	struct task_failure failure;

	task_failure_set(
	    &failure, CODE_INVALID, "not a line of the task '%s'", place->id);
	buffer_append_format(out, "{\"id\":\"%s\",\"task\":null", place->id);
	task_failure_append(&failure, out);
	buffer_append_string(out, ",\"input\":");
	json_append_string(out, line->data, shown);
	if (shown < line->length)
		buffer_append_string(out, ",\"truncated\":true");
	envelope_end(out);
}

static bool
is_foreign(const struct envelope *envelope, const struct queue_place *place)
{
	return envelope->wrapped || envelope->made_id ||
	       strcmp(envelope->id, place->id) != 0;
}

/*
 * The line of a task that is cancelled, in out: 1; 0: it has ended, and *state
 * says how; -1.
 */
static int
write_cancelled(const struct line *line, const struct queue_place *place,
    struct buffer *out, enum queue_state *state, struct svc_error *error)
{
	const struct envelope_options options = {
	    .run = place->id, .source = queue_directory(place->state)};
	struct task_failure failure;
	struct envelope envelope;
	int status = 1;

	envelope_init(&envelope);
	switch (envelope_enter(&envelope, line, &options, error)) {
	case ENVELOPE_READY:
		if (is_foreign(&envelope, place)) {
			write_foreign(line, place, out);
		} else if (envelope.turned) {
			*state = QUEUE_DONE;
			status = 0;
		} else {
			describe(&failure, place->state);
			envelope_fail(&envelope, out, &failure);
		}
		break;
	case ENVELOPE_PASS:
		*state = QUEUE_FAILED;
		status = 0;
		break;
	case ENVELOPE_INVALID:
		if (error->code == EX_OSERR)
			status = -1;
		else
			envelope_copy(&envelope, out);
		break;
	}
	envelope_release(&envelope);
	if (status == 1 && buffer_failed(out))
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
	if (moved == -1 && error->code == EX_CANTCREAT)
		return svc_error_set(error, EX_DATAERR,
		    "%s: is in two places, %s and %s: remove one of them",
		    place->id, from, to);
	if (moved == 1 && value == NULL &&
	    (store_sync(store, queue_directory(state), error) == -1 ||
		store_sync(store, queue_directory(place->state), error) == -1))
		return -1;
	return moved;
}

/* The line at a place, "" for an empty file: 1; 0: it is there no more; -1. */
static int
read_line(struct store *store, const struct queue_place *place,
    struct buffer *scratch, struct line *line, struct svc_error *error)
{
	struct store_entry entry = {.value = "", .length = 0};
	int status = queue_read(store, place, scratch, &entry, error);
	char key[QUEUE_KEY_MAX];

	if (status == 0) {
		queue_key(place, key);
		status = store_exists(store, key, error);
	}
	*line = (struct line){.data = entry.value, .length = entry.length};
	if (line->length > 0 && line->data[line->length - 1] == '\n')
		line->length--;
	return status;
}

static int
cancel(struct change *change, const struct queue_place *place,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT, out = BUFFER_INIT, swap;
	enum queue_state state = QUEUE_FAILED;
	struct store *store = change->store;
	struct line line;
	int status = read_line(store, place, &scratch, &line, error);
	int open;

	if (status == 1) {
		open = write_cancelled(&line, place, &out, &state, error);
		if (open == -1)
			status = -1;
		else if (open == 0)
			/* It is looked for again, and found to have ended. */
			status = move(store, place, state, NULL, error) == -1
				     ? -1
				     : 0;
		else
			status = move(store, place, QUEUE_FAILED, &out, error);
		if (open == 1 && status == 0) {
			swap = change->written;
			change->written = out;
			out = swap;
		}
	}
	buffer_release(&scratch);
	buffer_release(&out);
	return status;
}

/*
 * Whether the task failed because a scheduler took the cancelled line along,
 * while it was put in the place of the task's, and moved it on: 1, 0, -1.
 */
static int
was_cancelled(const struct change *change, const struct queue_place *place,
    struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	int status;

	if (change->written.length == 0)
		return 0;
	status = queue_read(change->store, place, &scratch, &entry, error);
	if (status == 1)
		status = entry.length == change->written.length &&
			 memcmp(entry.value, change->written.data,
			     entry.length) == 0;
	buffer_release(&scratch);
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
		    "%s: %s is gone or empty: what was submitted is lost",
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
apply(struct change *change, const struct queue_place *place,
    struct svc_error *error)
{
	struct store *store = change->store;

	switch (change->change) {
	case QUEUE_CANCEL:
		return cancel(change, place, error);
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

static bool
is_possible(const struct change *change, const struct queue_place *place)
{
	unsigned states = changes[change->change].states;

	return (QUEUE_STATE_BIT(place->state) & states) != 0 ||
	       (change->change == QUEUE_PURGE && change->known &&
		   place->state == QUEUE_ABSENT);
}

/*
 * It cannot be done where the task is: 0; 1: it has been done; -1.  That it is
 * where it was to go is not said before it is on disk: who moved it may have
 * died before that.
 */
static int
settle(struct change *change, const struct queue_place *place,
    struct svc_error *error)
{
	enum queue_state target = changes[change->change].target;

	if (change->dry || place->state != target || target == QUEUE_ABSENT)
		return 0;
	if (store_sync(change->store, queue_directory(target), error) == -1)
		return -1;
	return was_cancelled(change, place, error);
}

static int
attempt(
    struct change *change, struct queue_place *place, struct svc_error *error)
{
	struct queue_place was = {0};
	int tries, status;

	for (tries = 0; tries < TRIES; tries++) {
		if (queue_look(change->store, change->id, place, error) == -1)
			return -1;
		if (!is_possible(change, place)) {
			status = settle(change, place, error);
			if (status == 1)
				*place = was;
			return status;
		}
		if (change->dry)
			return 1;
		was = *place;
		status = apply(change, place, error);
		if (status != 0)
			return status;
	}
	return svc_error_set(error, EX_TEMPFAIL,
	    "%s: it moves faster than it can be followed", change->id);
}

int
queue_change(struct store *store, const char *id, enum queue_change which,
    bool dry, struct queue_place *place, struct svc_error *error)
{
	struct change change = {.store = store,
	    .id = id,
	    .change = which,
	    .dry = dry,
	    .written = BUFFER_INIT};
	char key[QUEUE_KEY_MAX];
	int guard = -1;
	int status;

	memset(place, 0, sizeof(*place));
	if (!name_valid(id, strlen(id)))
		return 0;
	queue_id_key(id, key);
	status = dry ? store_exists(store, key, error)
		     : store_guard(store, key, &guard, error);
	if (status == -1)
		return -1;
	change.known = status == 1;
	status = attempt(&change, place, error);
	buffer_release(&change.written);
	if (guard != -1)
		close(guard);
	return status;
}
