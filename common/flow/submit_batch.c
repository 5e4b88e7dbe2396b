#include "flow/submit_batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/submit_rounds.h"
#include "flow/submit_stored.h"
#include "flow/task_links.h"
#include "line/task.h"
#include "registry/queue_look.h"
#include "registry/queue_submit.h"

/* What is enough for one time: syncs are shared by then. */
#define COUNT_MAX  4096
#define LENGTH_MAX (8UL * 1024 * 1024)

struct entry {
	size_t begin, length; /* of its line, in text */
	unsigned long number; /* of the line that it came in */
	struct submit_turn turn;
	enum submit_end end;
	enum task_code code; /* of its error */
	bool settled; /* end is what it comes to */
	struct queue_place place;
	struct svc_error error;
};

struct submit_batch {
	struct submit_batch_options options;
	struct buffer text;
	struct entry *entries;
	size_t count, capacity;
	struct submit_rounds rounds;
	struct envelope envelope;
	struct task_links links;
	struct buffer scratch;
};

static int
fail_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
submit_batch_open(struct submit_batch **batch,
    const struct submit_batch_options *options, struct svc_error *error)
{
	struct submit_batch *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return fail_memory(error);
	made->options = *options;
	envelope_init(&made->envelope);
	*batch = made;
	return 0;
}

void
submit_batch_close(struct submit_batch *batch)
{
	if (batch == NULL)
		return;
	submit_rounds_release(&batch->rounds);
	envelope_release(&batch->envelope);
	task_links_release(&batch->links);
	buffer_release(&batch->text);
	buffer_release(&batch->scratch);
	free(batch->entries);
	free(batch);
}

size_t
submit_batch_count(const struct submit_batch *batch)
{
	return batch->count;
}

bool
submit_batch_full(const struct submit_batch *batch)
{
	return batch->count >= COUNT_MAX || batch->text.length >= LENGTH_MAX;
}

static int
grow(struct submit_batch *batch)
{
	size_t capacity = batch->capacity;
	struct entry *entries;

	if (batch->count < capacity)
		return 0;
	capacity = capacity == 0 ? 16 : 2 * capacity;
	entries = reallocarray(batch->entries, capacity, sizeof(*entries));
	if (entries == NULL)
		return -1;
	batch->entries = entries;
	batch->capacity = capacity;
	return 0;
}

static struct entry *
add_entry(struct submit_batch *batch, const char *line, size_t length)
{
	struct entry *entry;

	if (grow(batch) == -1)
		return NULL;
	entry = &batch->entries[batch->count];
	memset(entry, 0, sizeof(*entry));
	submit_turn_init(&entry->turn);
	entry->begin = batch->text.length;
	entry->length = length;
	buffer_append(&batch->text, line, length);
	if (buffer_failed(&batch->text))
		return NULL;
	batch->count++;
	return entry;
}

static void settle(struct entry *entry, enum submit_end end,
    enum task_code code, int status, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* What it comes to: it is not stored. */
static void
settle(struct entry *entry, enum submit_end end, enum task_code code,
    int status, const char *format, ...)
{
	char message[sizeof(entry->error.message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	svc_error_set(&entry->error, status, "%s", message);
	entry->settled = true;
	entry->end = end;
	entry->code = code;
}

static void
settle_unknown(struct entry *entry, const char *id)
{
	settle(entry, SUBMIT_UNKNOWN, CODE_UNKNOWN_TASK, 1,
	    "it waits for '%s', and there is no such task in the queue before "
	    "it",
	    id);
}

/* Whom it waits for is in the queue or comes before it (1), or not (0). */
static int
add_wait(struct submit_batch *batch, struct entry *entry, const char *id,
    struct svc_error *error)
{
	int found = submit_rounds_wait(&batch->rounds, &entry->turn, id, error);
	char key[QUEUE_KEY_MAX];

	if (found != 0 || batch->options.store == NULL)
		return found;
	queue_id_key(id, key);
	return store_exists(batch->options.store, key, error);
}

static int
add_waits(
    struct submit_batch *batch, struct entry *entry, struct svc_error *error)
{
	size_t i;
	int found;

	if (!task_links_any(&batch->envelope))
		return 0;
	if (task_links_read(&batch->links, &batch->envelope, error) == -1) {
		if (error->code != EX_DATAERR)
			return -1;
		settle(entry, SUBMIT_INVALID, CODE_INVALID, EX_DATAERR, "%s",
		    error->message);
		return 0;
	}
	for (i = 0; i < batch->links.after_count && !entry->settled; i++) {
		found = add_wait(batch, entry, batch->links.after[i], error);
		if (found == -1)
			return -1;
		if (found == 0)
			settle_unknown(entry, batch->links.after[i]);
	}
	return 0;
}

/* Reads the line that is to be stored, as those will who take it. */
static enum envelope_state
enter(struct submit_batch *batch, const struct entry *entry,
    struct svc_error *error)
{
	static const struct envelope_options options = {
	    .max_task = LINE_LENGTH_MAX,
	    .run = "",
	    .source = "queue",
	};
	const struct line line = {
	    .data = batch->text.data + entry->begin,
	    .length = entry->length - 1,
	    .number = entry->number,
	};

	return envelope_enter(&batch->envelope, &line, &options, error);
}

/* What was added to the line has made it too long. */
static int
settle_unreadable(struct submit_batch *batch, struct entry *entry,
    const struct svc_error *why, struct svc_error *error)
{
	*error = *why;
	if (why->code != EX_DATAERR)
		return -1;
	settle(entry, SUBMIT_INVALID, batch->envelope.failure.code, EX_DATAERR,
	    "%s", batch->envelope.failure.message);
	return 0;
}

int
submit_batch_add(struct submit_batch *batch, const char *line, size_t length,
    unsigned long number, struct svc_error *error)
{
	struct entry *entry = add_entry(batch, line, length);
	struct svc_error why;

	if (entry == NULL)
		return fail_memory(error);
	entry->number = number;
	if (enter(batch, entry, &why) != ENVELOPE_READY)
		return settle_unreadable(batch, entry, &why, error);
	if (add_waits(batch, entry, error) == -1)
		return -1;
	return submit_rounds_add(
	    &batch->rounds, &entry->turn, batch->envelope.id, error);
}

int
submit_batch_pass(struct submit_batch *batch, const char *line, size_t length,
    struct svc_error *error)
{
	struct entry *entry = add_entry(batch, line, length);

	if (entry == NULL)
		return fail_memory(error);
	entry->settled = true;
	entry->end = SUBMIT_PASSED;
	return 0;
}

void
submit_batch_refuse(struct submit_batch *batch, const struct svc_error *why)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		if (!batch->entries[i].settled)
			settle(&batch->entries[i], SUBMIT_INVALID, CODE_INVALID,
			    why->code, "%s", why->message);
}

static const char *
id_of(const struct submit_batch *batch, const struct entry *entry)
{
	return submit_rounds_id(&batch->rounds, &entry->turn);
}

static void
settle_taken(struct submit_batch *batch, struct entry *entry,
    const struct queue_item *item)
{
	struct buffer difference = BUFFER_INIT;
	const char *how;

	submit_stored_difference(batch->options.store, item, &difference);
	how = buffer_string(&difference);
	if (how == NULL)
		how = "";
	settle(entry, SUBMIT_TAKEN, CODE_INVALID, 1,
	    "the id '%s' is another task's%s%s", item->id,
	    *how == '\0' ? "" : ", ", how);
	buffer_release(&difference);
}

static int
submit(struct submit_batch *batch, struct queue_item *items, size_t count,
    struct svc_error *error)
{
	struct store *store = batch->options.store;
	size_t i;

	if (!batch->options.dry) {
		/* Each tells of itself; but for what failed before it began. */
		if (queue_submit(store, items, count, error) == -1 &&
		    items[0].answer == QUEUE_REFUSED &&
		    items[0].error.code == EX_OK)
			return -1;
		return 0;
	}
	for (i = 0; i < count; i++) {
		items[i].answer = QUEUE_ACCEPTED;
		if (store != NULL && submit_stored_ask(store, &items[i],
					 &batch->scratch, error) == -1)
			return -1;
	}
	return 0;
}

static void
judge(struct submit_batch *batch, struct entry *entry,
    const struct queue_item *item)
{
	if (item->answer == QUEUE_REFUSED) {
		settle(entry, SUBMIT_FAILED, CODE_CANCELLED, item->error.code,
		    "not stored: %s", item->error.message);
		return;
	}
	submit_rounds_queued(&batch->rounds, &entry->turn);
	if (item->answer == QUEUE_TAKEN) {
		settle_taken(batch, entry, item);
		return;
	}
	entry->settled = true;
	entry->end =
	    item->answer == QUEUE_KNOWN ? SUBMIT_KNOWN : SUBMIT_ACCEPTED;
	entry->place = item->place;
}

/* Whether it is to be stored in this round: whom it waits for is. */
static bool
is_next(struct submit_batch *batch, struct entry *entry, unsigned round)
{
	const char *missing;

	if (entry->settled || entry->turn.round != round)
		return false;
	missing = submit_rounds_missing(&batch->rounds, &entry->turn);
	if (missing != NULL)
		settle_unknown(entry, missing);
	return missing == NULL;
}

static int
submit_round(struct submit_batch *batch, unsigned round,
    struct queue_item *items, size_t *indices, struct svc_error *error)
{
	struct entry *entry;
	size_t i, count = 0;

	for (i = 0; i < batch->count; i++) {
		entry = &batch->entries[i];
		if (!is_next(batch, entry, round))
			continue;
		memset(&items[count], 0, sizeof(*items));
		items[count].id = id_of(batch, entry);
		items[count].line = batch->text.data + entry->begin;
		items[count].length = entry->length;
		items[count].hold = batch->options.hold;
		items[count].answer = QUEUE_REFUSED;
		indices[count++] = i;
	}
	if (count > 0 && submit(batch, items, count, error) == -1)
		return -1;
	for (i = 0; i < count; i++)
		judge(batch, &batch->entries[indices[i]], &items[i]);
	return 0;
}

static int
submit_all(struct submit_batch *batch, struct svc_error *error)
{
	struct queue_item *items = calloc(batch->count + 1, sizeof(*items));
	size_t *indices = calloc(batch->count + 1, sizeof(*indices));
	unsigned round;
	int status = 0;

	if (items == NULL || indices == NULL)
		status = fail_memory(error);
	for (round = 0; round < batch->rounds.count && status == 0; round++)
		status = submit_round(batch, round, items, indices, error);
	free(items);
	free(indices);
	return status;
}

/* The line of a task that has ended is the one with its result. */
static int
read_ended(struct submit_batch *batch, struct submit_outcome *outcome,
    struct svc_error *error)
{
	struct store_entry found;
	int status;

	if ((QUEUE_STATE_BIT(outcome->place.state) & QUEUE_STATES_ENDED) == 0)
		return 0;
	status = queue_read(batch->options.store, &outcome->place,
	    &batch->scratch, &found, error);
	if (status == 1) {
		outcome->line = found.value;
		outcome->length = found.length;
	}
	return status == -1 ? -1 : 0;
}

/* The line with its error. */
static int
write_failed(struct submit_batch *batch, const struct entry *entry,
    struct submit_outcome *outcome, struct svc_error *error)
{
	struct task_failure failure;

	buffer_clear(&batch->scratch);
	task_failure_set(&failure, entry->code, "%s", entry->error.message);
	if (enter(batch, entry, error) == ENVELOPE_READY)
		envelope_fail(&batch->envelope, &batch->scratch, &failure);
	else
		envelope_copy(&batch->envelope, &batch->scratch);
	if (buffer_failed(&batch->scratch))
		return fail_memory(error);
	outcome->line = batch->scratch.data;
	outcome->length = batch->scratch.length;
	return 0;
}

static int
tell(struct submit_batch *batch, const struct entry *entry,
    struct svc_error *error)
{
	struct submit_outcome outcome = {
	    .end = entry->end,
	    .id = id_of(batch, entry),
	    .number = entry->number,
	    .line = batch->text.data + entry->begin,
	    .length = entry->length,
	    .place = entry->place,
	    .error = entry->error,
	};
	int status = 0;

	if (entry->end == SUBMIT_KNOWN)
		status = read_ended(batch, &outcome, error);
	else if (entry->error.code != EX_OK)
		status = write_failed(batch, entry, &outcome, error);
	if (status == -1)
		return -1;
	return batch->options.tell(batch->options.argument, &outcome, error);
}

int
submit_batch_flush(struct submit_batch *batch, struct svc_error *error)
{
	int status = submit_all(batch, error);
	size_t i;

	for (i = 0; i < batch->count && status == 0; i++)
		status = tell(batch, &batch->entries[i], error);
	batch->count = 0;
	buffer_trim(&batch->text, LENGTH_MAX);
	/* The ids of a dry run are nowhere else. */
	submit_rounds_clear(&batch->rounds, batch->options.dry);
	return status;
}
