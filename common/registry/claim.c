#include "registry/claim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/task.h"
#include "registry/queue_look.h"

/* Files of one name that are put aside. */
#define CORRUPT_MAX 1000

/* What a value in the queue is. */
enum value {
	VALUE_OPEN, /* a task to be executed */
	VALUE_DONE, /* finished, with a result */
	VALUE_FAILED, /* finished, without */
	VALUE_CORRUPT /* no task line, or another task's */
};

/* What a claim is told with. */
struct notes {
	claim_note_fn fn;
	void *argument;
};

static void note(const struct notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(const struct notes *notes, const char *format, ...)
{
	char message[sizeof(((struct svc_error *)0)->message) + 256];
	va_list arguments;

	if (notes->fn == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	notes->fn(notes->argument, message);
}

static struct line
line_of(const char *data, size_t length)
{
	struct line line = {.data = data, .length = length};

	if (length > 0 && data[length - 1] == '\n')
		line.length--;
	return line;
}

/* -1: EX_OSERR; of VALUE_CORRUPT error says why. */
static int
read_value(struct envelope *envelope, const struct queue_place *place,
    const char *data, size_t length, enum value *value, struct svc_error *error)
{
	const struct envelope_options options = {.run = "q", .source = "line"};
	struct line line = line_of(data, length);

	*value = VALUE_CORRUPT;
	switch (envelope_enter(envelope, &line, &options, error)) {
	case ENVELOPE_INVALID:
		return error->code == EX_OSERR ? -1 : 0;
	case ENVELOPE_PASS:
		*value = VALUE_FAILED;
		return 0;
	case ENVELOPE_READY:
		break;
	}
	if (envelope->wrapped || envelope->made_id ||
	    strcmp(envelope->id, place->id) != 0)
		svc_error_set(error, EX_DATAERR, "not a line of the task '%s'",
		    place->id);
	else
		*value = envelope->turned ? VALUE_DONE : VALUE_OPEN;
	return 0;
}

/* Puts what is claimed aside: it stops nobody.  0; -1. */
static int
put_aside(struct store *store, const struct queue_place *place,
    const struct notes *notes, const char *why, struct svc_error *error)
{
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	int i, moved = -1;

	queue_key(place, from);
	for (i = 0; i < CORRUPT_MAX && moved == -1; i++) {
		snprintf(to, sizeof(to),
		    i == 0 ? "tasks/corrupt/%s.%u" : "tasks/corrupt/%s.%u.%d",
		    place->id, place->claims, i);
		moved = store_move(store, from, to, NULL, 0, error);
		if (moved == -1 && error->code != EX_CANTCREAT)
			return -1;
	}
	if (moved == 1)
		note(notes, "%s: put aside as %s: %s", place->id, to, why);
	return moved == -1 ? -1 : 0;
}

/* What is finished goes where it belongs.  0; -1. */
static int
move_on(struct store *store, const struct queue_place *place,
    enum queue_state state, const struct notes *notes, struct svc_error *error)
{
	struct queue_place target = *place;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	int moved;

	target.state = state;
	queue_key(place, from);
	queue_key(&target, to);
	moved = store_move(store, from, to, NULL, 0, error);
	if (moved == -1 && error->code == EX_CANTCREAT)
		return put_aside(
		    store, place, notes, "it has ended already", error);
	if (moved == -1)
		return -1;
	if (moved == 1)
		note(notes, "%s: it had ended, and is moved to %s", place->id,
		    queue_directory(state));
	return 0;
}

/*
 * Looks at what is claimed.  1: it is open, and envelope has it; 0: it has been
 * seen to, or is gone; -1.
 */
static int
look_at(struct store *store, const struct queue_place *place,
    struct envelope *envelope, struct buffer *line, const struct notes *notes,
    struct svc_error *error)
{
	struct store_entry entry;
	enum value value;
	int status = queue_read(store, place, line, &entry, error);

	/* What cannot be read for want of memory, say, is no fault of it. */
	if (status == -1 && error->code != EX_DATAERR)
		return -1;
	if (status == -1)
		return put_aside(store, place, notes, error->message, error);
	if (status == 0)
		return put_aside(store, place, notes, "it is empty", error);
	if (read_value(envelope, place, entry.value, entry.length, &value,
		error) == -1)
		return -1;
	switch (value) {
	case VALUE_OPEN:
		return 1;
	case VALUE_DONE:
		return move_on(store, place, QUEUE_DONE, notes, error);
	case VALUE_FAILED:
		return move_on(store, place, QUEUE_FAILED, notes, error);
	case VALUE_CORRUPT:
		break;
	}
	return put_aside(store, place, notes, error->message, error);
}

int
claim_take(struct store *store, const char *claimant, struct queue_place *place,
    struct buffer *line, claim_note_fn fn, void *argument,
    struct svc_error *error)
{
	const struct notes notes = {fn, argument};
	struct queue_place claimed = *place;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	struct envelope envelope;
	int status;

	claimed.state = QUEUE_RUNNING;
	snprintf(claimed.claimant, sizeof(claimed.claimant), "%s", claimant);
	queue_key(place, from);
	queue_key(&claimed, to);
	status = store_move(store, from, to, NULL, 0, error);
	if (status != 1)
		return status;
	*place = claimed;
	envelope_init(&envelope);
	status = look_at(store, place, &envelope, line, &notes, error);
	envelope_release(&envelope);
	return status;
}

struct end_keys {
	char from[QUEUE_KEY_MAX];
	char to[QUEUE_KEY_MAX];
};

static void
prepare(const struct claim_end *end, struct end_keys *keys,
    struct store_transfer *transfer)
{
	struct queue_place target = end->place;

	target.state = end->failed ? QUEUE_FAILED : QUEUE_DONE;
	queue_key(&end->place, keys->from);
	queue_key(&target, keys->to);
	memset(transfer, 0, sizeof(*transfer));
	transfer->source = keys->from;
	transfer->target = keys->to;
	transfer->value = end->line;
	transfer->length = end->length;
}

/* What ended once is not ended again: what came second is put aside. */
static void
judge(struct store *store, struct claim_end *end,
    const struct store_transfer *transfer)
{
	const struct notes silent = {NULL, NULL};

	end->moved = transfer->moved;
	end->unsynced = transfer->unsynced;
	end->error = transfer->error;
	if (end->moved == -1 && end->error.code == EX_CANTCREAT)
		end->moved =
		    put_aside(store, &end->place, &silent, "", &end->error);
}

int
claim_complete(struct store *store, struct claim_end *ends, size_t count,
    struct svc_error *error)
{
	struct store_transfer *transfers = calloc(count, sizeof(*transfers));
	struct end_keys *keys = calloc(count, sizeof(*keys));
	int result = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		ends[i].moved = -1;
		svc_error_set(&ends[i].error, EX_OSERR, "out of memory");
	}
	if (transfers == NULL || keys == NULL) {
		result = svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	for (i = 0; i < count; i++)
		prepare(&ends[i], &keys[i], &transfers[i]);
	/* Each tells of itself. */
	(void)store_transfers(store, transfers, count, NULL);
	for (i = 0; i < count; i++) {
		judge(store, &ends[i], &transfers[i]);
		if (ends[i].moved == -1 && result == 0) {
			*error = ends[i].error;
			result = -1;
		}
	}
out:
	free(transfers);
	free(keys);
	return result;
}

int
claim_give_back(struct store *store, const struct queue_place *place,
    struct svc_error *error)
{
	struct queue_place target = *place;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];

	target.state = QUEUE_WAITING;
	queue_key(place, from);
	queue_key(&target, to);
	return store_move(store, from, to, NULL, 0, error);
}

/* ,"lost":["CLAIMANT, TIME",...], with one more. */
static void
append_lost(const struct envelope *envelope, const struct queue_place *place,
    struct buffer *out)
{
	const struct json_value *lost = &envelope->members[MEMBER_LOST];
	const char *cursor = lost->span.data;
	struct json_value element;

	buffer_append_string(out, ",\"lost\":[");
	while (cursor != NULL && lost->type == JSON_ARRAY &&
	       json_next_element(lost->span, &cursor, &element) == 1) {
		buffer_append(out, element.span.data, element.span.length);
		buffer_append_char(out, ',');
	}
	buffer_append_format(out, "\"%s, ", place->claimant);
	time_append(out, time_now());
	buffer_append_string(out, "\"]");
}

/* "claimed 3 times, and lost each time: A, TIME; B, TIME; C, TIME" */
static void
describe_lost(struct json_span lost, struct task_failure *failure)
{
	const char *cursor = lost.data;
	struct buffer text = BUFFER_INIT;
	struct json_value element;
	const char *string;

	while (json_next_element(lost, &cursor, &element) == 1) {
		buffer_append_string(&text, text.length == 0 ? "" : "; ");
		json_decode(&element, &text);
	}
	string = buffer_string(&text);
	task_failure_set(failure, CODE_LOST,
	    "claimed %d times, and lost each time: %s", QUEUE_CLAIMS_MAX,
	    string == NULL ? "" : string);
	buffer_release(&text);
}

/* The line as it goes back, or (last) as it has failed. */
static int
write_lost(const struct envelope *envelope, const struct queue_place *place,
    bool last, struct buffer *out, struct svc_error *error)
{
	struct task_failure failure;
	size_t begin;

	envelope_begin(envelope, out,
	    MEMBER_BIT(MEMBER_LOST) | (last ? ENVELOPE_FAIL_DROP : 0));
	begin = out->length + strlen(",\"lost\":");
	append_lost(envelope, place, out);
	if (last && !buffer_failed(out)) {
		describe_lost(
		    (struct json_span){out->data + begin, out->length - begin},
		    &failure);
		task_failure_append(&failure, out);
	}
	envelope_end(out);
	return buffer_failed(out)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}

/* Whether one more lost claim is too many. */
static bool
is_last(const struct queue_place *place)
{
	return place->claims + 1 >= QUEUE_CLAIMS_MAX;
}

/* 1: put back, or failed; 0: somebody else did; -1. */
static int
put_back(struct store *store, const struct queue_place *place,
    const struct envelope *envelope, const struct notes *notes,
    struct svc_error *error)
{
	bool last = is_last(place);
	struct queue_place target = *place;
	struct buffer out = BUFFER_INIT;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	int moved = -1;

	target.state = last ? QUEUE_FAILED : QUEUE_WAITING;
	target.claims++;
	queue_key(place, from);
	queue_key(&target, to);
	if (write_lost(envelope, place, last, &out, error) == 0)
		moved =
		    store_move(store, from, to, out.data, out.length, error);
	if (moved == 1 && last)
		note(notes, "%s: failed: claimed %d times, and lost each time",
		    place->id, QUEUE_CLAIMS_MAX);
	buffer_release(&out);
	return moved;
}

struct recovery {
	struct store *store;
	const struct claimants *claimants;
	struct notes notes;
	struct buffer keys; /* of what is claimed, each with its NUL */
	size_t failed; /* of those that were lost once too often */
};

static int
keep_key(void *argument, const char *key, struct svc_error *error)
{
	struct buffer *keys = argument;

	buffer_append(keys, key, strlen(key) + 1);
	return buffer_failed(keys)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}

/* 1: it was a dead one's, and is put back; 0; -1. */
static int
recover(struct recovery *recovery, const char *key, struct svc_error *error)
{
	struct buffer line = BUFFER_INIT;
	struct queue_place place;
	struct envelope envelope;
	int status;

	if (!queue_place_read(&place, key))
		return 0;
	status = claimants_dead(recovery->claimants, place.claimant, error);
	/* It may have gone, since the keys were listed. */
	if (status == 1)
		status = store_exists(recovery->store, key, error);
	if (status != 1)
		return status;
	envelope_init(&envelope);
	status = look_at(
	    recovery->store, &place, &envelope, &line, &recovery->notes, error);
	if (status == 1)
		status = put_back(recovery->store, &place, &envelope,
		    &recovery->notes, error);
	if (status == 1 && is_last(&place))
		recovery->failed++;
	envelope_release(&envelope);
	buffer_release(&line);
	return status;
}

/*
 * What is claimed is listed before it is asked who is dead: whoever has claimed
 * something by then has a record, unless he is.
 */
int
claim_recover(struct store *store, const struct claimants *claimants,
    claim_note_fn fn, void *argument, size_t *failed, struct svc_error *error)
{
	struct recovery recovery = {
	    .store = store,
	    .claimants = claimants,
	    .notes = {fn, argument},
	    .keys = BUFFER_INIT,
	};
	const char *key, *end;
	int status, count = 0;

	if (store_keys(store, queue_directory(QUEUE_RUNNING), keep_key,
		&recovery.keys, error) == -1)
		count = -1;
	key = recovery.keys.data;
	end = key + recovery.keys.length;
	for (; count != -1 && key < end; key += strlen(key) + 1) {
		status = recover(&recovery, key, error);
		if (status == -1)
			note(&recovery.notes, "%s: cannot be put back: %s", key,
			    error->message);
		else
			count += status;
	}
	buffer_release(&recovery.keys);
	*failed = recovery.failed;
	return count;
}
