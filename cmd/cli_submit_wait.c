#include "cli_submit_wait.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"
#include "line/task.h"
#include "registry/queue_look.h"

/* One line that is to come out. */
struct waited {
	TAILQ_ENTRY(waited) link;
	struct waited *same; /* the next one with this id */
	bool ended; /* it is in the queue's done or failed; or line is it */
	bool purged;
	char *line; /* of one that nobody waits for; or NULL */
	size_t length;
	const char *id; /* behind this struct; "" of such a one */
};

struct cli_submit_wait {
	struct cli_submit_wait_options options;
	struct store_watch *watch;
	TAILQ_HEAD(waited_list, waited)
	all; /* not printed, in the order of the input */
	void *by_id; /* those to be waited for: tsearch(3) */
	size_t left;
	bool look_all; /* events were lost */
	struct buffer scratch;
	struct buffer out;
	int status;
};

static void
out_of_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

static int
compare(const void *a, const void *b)
{
	const struct waited *x = a, *y = b;

	return strcmp(x->id, y->id);
}

void
cli_submit_wait_open(struct cli_submit_wait **wait,
    const struct cli_submit_wait_options *options)
{
	struct cli_submit_wait *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL)
		out_of_memory();
	made->options = *options;
	TAILQ_INIT(&made->all);
	if (store_watch_open(options->store, queue_directory(QUEUE_DONE),
		&made->watch, &error) == -1 ||
	    store_watch_add(
		made->watch, queue_directory(QUEUE_FAILED), &error) == -1)
		cli_fail(&error);
	*wait = made;
}

int
cli_submit_wait_close(struct cli_submit_wait *wait)
{
	int status = wait->status;

	store_watch_close(wait->watch);
	buffer_release(&wait->scratch);
	buffer_release(&wait->out);
	free(wait);
	return status;
}

size_t
cli_submit_wait_count(const struct cli_submit_wait *wait)
{
	return wait->left;
}

int
cli_submit_wait_descriptor(const struct cli_submit_wait *wait)
{
	return store_watch_descriptor(wait->watch);
}

static void
print(struct cli_submit_wait *wait, const char *text, size_t length)
{
	struct svc_error error;

	if (writer_line(wait->options.writer, text, length, &error) == -1)
		cli_output_failed(&error);
}

/* Where standard error is closed nobody wants it. */
static void
complain(struct cli_submit_wait *wait, const char *text, size_t length)
{
	if (fwrite(text, 1, length, stderr) != length && errno != EPIPE &&
	    errno != EBADF)
		wait->status = cli_worse(wait->status, EX_IOERR);
}

/* A finished line; of -o result what it has of that. */
static void
print_line(struct cli_submit_wait *wait, const char *line, size_t length)
{
	struct json_document document = {0};
	const struct json_member *result = NULL;
	bool failed = true;

	if (json_scan(&document, line, length, NULL) == 0) {
		failed = json_member(&document, "error") != NULL;
		result = json_member(&document, "result");
	}
	if (failed)
		wait->status = cli_worse(wait->status, 1);
	if (!wait->options.results)
		print(wait, line, length);
	else if (failed || result == NULL)
		complain(wait, line, length);
	else
		print(wait, result->value.span.data, result->value.span.length);
	json_document_release(&document);
}

/* The line of a task that has ended: 1; 0: it has not. */
static int
read_ended(
    struct cli_submit_wait *wait, const char *id, struct store_entry *entry)
{
	static const enum queue_state states[] = {QUEUE_DONE, QUEUE_FAILED};
	struct queue_place place = {0};
	struct svc_error error;
	int status = 0;
	size_t i;

	memcpy(place.id, id, strlen(id) + 1);
	for (i = 0; i < 2 && status == 0; i++) {
		place.state = states[i];
		status = queue_read(
		    wait->options.store, &place, &wait->scratch, entry, &error);
	}
	if (status == -1)
		cli_fail(&error);
	return status;
}

/* The line as it was submitted, or what is left of it. */
static void
read_submitted(
    struct cli_submit_wait *wait, const char *id, struct buffer *line)
{
	char key[QUEUE_KEY_MAX];
	struct store_entry entry;
	struct svc_error error;
	int status;

	queue_id_key(id, key);
	status = store_get(wait->options.store, key, STORE_VALUE_MAX,
	    &wait->scratch, &entry, &error);
	if (status == -1)
		(void)cli_warn(&error);
	if (status == 1)
		buffer_append(line, entry.value, entry.length);
	else
		buffer_append_format(
		    line, "{\"id\":\"%s\",\"task\":null}\n", id);
	if (buffer_failed(line))
		out_of_memory();
}

/* The line with an error, for want of an end. */
static void
print_failed(struct cli_submit_wait *wait, const char *id,
    const struct task_failure *failure)
{
	static const struct envelope_options options = {
	    .max_task = LINE_LENGTH_MAX,
	    .run = "",
	    .source = "queue",
	};
	struct buffer submitted = BUFFER_INIT;
	struct envelope envelope;
	struct svc_error error;
	struct line line = {0};

	envelope_init(&envelope);
	read_submitted(wait, id, &submitted);
	line.data = submitted.data;
	line.length = submitted.length - 1;
	buffer_clear(&wait->out);
	if (envelope_enter(&envelope, &line, &options, &error) ==
	    ENVELOPE_READY)
		envelope_fail(&envelope, &wait->out, failure);
	else
		envelope_copy(&envelope, &wait->out);
	if (buffer_failed(&wait->out))
		out_of_memory();
	print_line(wait, wait->out.data, wait->out.length);
	envelope_release(&envelope);
	buffer_release(&submitted);
}

static void
print_purged(struct cli_submit_wait *wait, const char *id)
{
	struct task_failure failure;

	task_failure_set(
	    &failure, CODE_CANCELLED, "it was purged before its end was read");
	print_failed(wait, id, &failure);
}

static void
drop(struct cli_submit_wait *wait, struct waited *waited)
{
	TAILQ_REMOVE(&wait->all, waited, link);
	free(waited->line);
	free(waited);
}

/* Prints one that has ended.  0: it has not, since somebody retries it. */
static int
finish(struct cli_submit_wait *wait, const struct waited *waited)
{
	struct store_entry entry;

	if (waited->line != NULL)
		print_line(wait, waited->line, waited->length);
	else if (waited->purged)
		print_purged(wait, waited->id);
	else if (read_ended(wait, waited->id, &entry) == 1)
		print_line(wait, entry.value, entry.length);
	else
		return 0;
	return 1;
}

static struct waited *
add(struct cli_submit_wait *wait, const char *id)
{
	struct waited *waited = malloc(sizeof(*waited) + strlen(id) + 1);

	if (waited == NULL)
		out_of_memory();
	memset(waited, 0, sizeof(*waited));
	waited->id = memcpy(waited + 1, id, strlen(id) + 1);
	TAILQ_INSERT_TAIL(&wait->all, waited, link);
	return waited;
}

static void
await(struct cli_submit_wait *wait, struct waited *waited)
{
	struct waited *const *found = tsearch(waited, &wait->by_id, compare);

	if (found == NULL)
		out_of_memory();
	if (*found != waited) {
		waited->same = (*found)->same;
		(*found)->same = waited;
	}
	wait->left++;
}

void
cli_submit_wait_add(struct cli_submit_wait *wait, const char *id)
{
	await(wait, add(wait, id));
}

/* With -k, those whose turn it is. */
static void
print_turn(struct cli_submit_wait *wait)
{
	struct waited *waited;

	while ((waited = TAILQ_FIRST(&wait->all)) != NULL && waited->ended) {
		if (finish(wait, waited) == 0) {
			waited->ended = false;
			await(wait, waited);
			return;
		}
		drop(wait, waited);
	}
}

void
cli_submit_wait_add_line(
    struct cli_submit_wait *wait, const char *line, size_t length)
{
	struct waited *waited;

	if (!wait->options.keep_order || TAILQ_EMPTY(&wait->all)) {
		print_line(wait, line, length);
		return;
	}
	waited = add(wait, "");
	waited->ended = true;
	waited->length = length;
	waited->line = malloc(length);
	if (waited->line == NULL)
		out_of_memory();
	memcpy(waited->line, line, length);
}

static void
end(struct cli_submit_wait *wait, struct waited *waited, bool purged)
{
	struct waited *next;

	tdelete(waited, &wait->by_id, compare);
	for (; waited != NULL; waited = next) {
		next = waited->same;
		waited->same = NULL;
		waited->ended = true;
		waited->purged = purged;
		wait->left--;
		if (wait->options.keep_order)
			continue;
		if (finish(wait, waited) == 1) {
			drop(wait, waited);
		} else {
			waited->ended = false;
			await(wait, waited);
		}
	}
}

/*
 * Whether nobody will ever see its end.  Who purges or retries it has its guard
 * meanwhile.
 */
static bool
is_purged(struct cli_submit_wait *wait, const char *id)
{
	char key[QUEUE_KEY_MAX];
	struct svc_error error;
	int guard, status;

	queue_id_key(id, key);
	status = store_guard(wait->options.store, key, &guard, &error);
	if (status == -1)
		cli_fail(&error);
	if (status == 1)
		close(guard);
	return status == 0;
}

/* Something came to pass with a task that is waited for. */
static void
look(struct cli_submit_wait *wait, struct waited *waited)
{
	struct store_entry entry;

	if (read_ended(wait, waited->id, &entry) == 1)
		end(wait, waited, false);
	else if (is_purged(wait, waited->id))
		end(wait, waited, true);
}

static struct waited *
find(const struct cli_submit_wait *wait, const char *id)
{
	const struct waited wanted = {.id = id};
	void *found = tfind(&wanted, &wait->by_id, compare);

	return found == NULL ? NULL : *(struct waited **)found;
}

static void
on_change(void *argument, const struct store_change *change)
{
	struct cli_submit_wait *wait = argument;
	struct queue_place place;
	struct waited *found;

	if (change->kind == STORE_RESYNC)
		wait->look_all = true;
	else if (queue_place_read(&place, change->key) &&
		 (found = find(wait, place.id)) != NULL)
		look(wait, found);
}

/* Those with one id end together. */
static void
look_at_all(struct cli_submit_wait *wait)
{
	struct waited *waited, *next;

	wait->look_all = false;
	for (waited = TAILQ_FIRST(&wait->all); waited != NULL; waited = next) {
		next = TAILQ_NEXT(waited, link);
		while (next != NULL && strcmp(next->id, waited->id) == 0)
			next = TAILQ_NEXT(next, link);
		if (!waited->ended)
			look(wait, find(wait, waited->id));
	}
}

void
cli_submit_wait_read(struct cli_submit_wait *wait)
{
	struct svc_error error;

	if (store_watch_read(wait->watch, on_change, wait, &error) == -1)
		cli_fail(&error);
	if (wait->look_all)
		look_at_all(wait);
	print_turn(wait);
}

void
cli_submit_wait_leave(struct cli_submit_wait *wait, enum task_code code)
{
	struct task_failure failure;
	struct waited *waited;

	while ((waited = TAILQ_FIRST(&wait->all)) != NULL) {
		task_failure_set(&failure, code,
		    "nobody waits any longer; the task stays in the queue "
		    "(task-status %s)",
		    waited->id);
		if (!waited->ended || finish(wait, waited) == 0)
			print_failed(wait, waited->id, &failure);
		if (!waited->ended) {
			/* Those with the same id are left one by one. */
			(void)tdelete(waited, &wait->by_id, compare);
			wait->left--;
		}
		drop(wait, waited);
	}
}
