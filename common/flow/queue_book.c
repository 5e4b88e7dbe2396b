#include "flow/queue_book.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/id_map.h"
#include "flow/queue_task.h"
#include "flow/queue_waits.h"
#include "flow/ready_queue.h"
#include "flow/task_links.h"
#include "line/task.h"
#include "sched/random.h"

#define LANES_LEAST 8

struct book_lane {
	struct queue_row row;
	size_t ready;
};

/*
 * The lanes are those of a ready_queue, in which nobody stands: from there a
 * task leaves when its turn comes, and from here at any time.
 */
struct queue_book {
	struct queue_book_options options;
	struct id_map tasks;
	struct ready_queue *lane_keys;
	struct book_lane *lanes; /* owned */
	size_t lane_count;
	size_t lane_capacity;
	struct queue_row ruled_out;
	struct queue_sleepers sleepers;
	struct queue_waits waits;
	struct queue_book_counts counts;
	int64_t now; /* as queue_book_wake() was told */
	struct random random;
	struct envelope envelope; /* of the line that is being read */
	struct task_links links; /* the same */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static struct queue_task *
find_task(const struct queue_book *book, const char *id)
{
	return (struct queue_task *)id_map_find(&book->tasks, id);
}

/* What is in the book has not ended. */
static int
look(
    void *argument, const char *id, enum task_end *end, struct svc_error *error)
{
	const struct queue_book *book = argument;

	*end = END_OPEN;
	if (find_task(book, id) != NULL)
		return 1;
	return book->options.look(book->options.argument, id, end, error);
}

int
queue_book_open(struct queue_book **opened,
    const struct queue_book_options *options, struct svc_error *error)
{
	struct queue_book *book = calloc(1, sizeof(*book));
	uint64_t seed = options->seed;

	*opened = NULL;
	if (book == NULL)
		return no_memory(error);
	if (ready_queue_open(&book->lane_keys, ORDER_EDF, NULL, error) == -1) {
		free(book);
		return -1;
	}
	if (seed == 0)
		arc4random_buf(&seed, sizeof(seed));
	random_seed(&book->random, seed);
	book->options = *options;
	book->waits.look = look;
	book->waits.argument = book;
	envelope_init(&book->envelope);
	*opened = book;
	return 0;
}

static void
free_task(void *argument, struct id_node *node)
{
	struct queue_book *book = argument;
	struct queue_task *task = (struct queue_task *)node;

	queue_waits_drop(&book->waits, task->wait);
	free(task);
}

void
queue_book_close(struct queue_book *book)
{
	if (book == NULL)
		return;
	id_map_release(&book->tasks, free_task, book);
	queue_waits_release(&book->waits);
	ready_queue_close(book->lane_keys);
	free(book->lanes);
	envelope_release(&book->envelope);
	task_links_release(&book->links);
	free(book);
}

static void
make_ready(struct queue_book *book, struct queue_task *task)
{
	struct book_lane *lane = &book->lanes[task->key.lane];

	queue_row_insert(&lane->row, task);
	lane->ready++;
	book->counts.ready++;
	task->where = TASK_READY;
}

/* It waits for nobody: for its time, or its turn. */
static void
release(struct queue_book *book, struct queue_task *task)
{
	if (task->key.not_before <= book->now) {
		make_ready(book, task);
		return;
	}
	queue_sleepers_insert(&book->sleepers, task);
	book->counts.asleep++;
	task->where = TASK_ASLEEP;
}

/* Puts it where it belongs by what is known of whom it waits for. */
static void
enter(struct queue_book *book, struct queue_task *task)
{
	switch (task->wait == NULL ? DECISION_READY
				   : queue_wait_decision(task->wait)) {
	case DECISION_WAIT:
		book->counts.blocked++;
		task->where = TASK_BLOCKED;
		break;
	case DECISION_SKIP:
		queue_row_insert(&book->ruled_out, task);
		book->counts.blocked++;
		task->where = TASK_RULED_OUT;
		break;
	case DECISION_READY:
		queue_waits_drop(&book->waits, task->wait);
		task->wait = NULL;
		release(book, task);
		break;
	}
}

static void
leave(struct queue_book *book, struct queue_task *task)
{
	struct book_lane *lane;

	switch (task->where) {
	case TASK_NOWHERE:
		break;
	case TASK_BLOCKED:
		book->counts.blocked--;
		break;
	case TASK_RULED_OUT:
		queue_row_remove(&book->ruled_out, task);
		book->counts.blocked--;
		break;
	case TASK_ASLEEP:
		queue_sleepers_remove(&book->sleepers, task);
		book->counts.asleep--;
		break;
	case TASK_READY:
		lane = &book->lanes[task->key.lane];
		queue_row_remove(&lane->row, task);
		lane->ready--;
		book->counts.ready--;
		break;
	}
	task->where = TASK_NOWHERE;
}

static void
drop(struct queue_book *book, struct queue_task *task)
{
	leave(book, task);
	id_map_remove(&book->tasks, &task->node);
	free_task(book, &task->node);
}

/* Takes it out, and says where it waits. */
static void
take(
    struct queue_book *book, struct queue_task *task, struct queue_place *place)
{
	memset(place, 0, sizeof(*place));
	place->state = QUEUE_WAITING;
	place->claims = task->claims;
	memcpy(place->id, task->id, strlen(task->id) + 1);
	drop(book, task);
}

/* As many lanes as there are keys. */
static int
make_lanes(struct queue_book *book)
{
	const size_t count = ready_queue_lanes(book->lane_keys);
	size_t capacity = book->lane_capacity;
	struct book_lane *grown;

	while (capacity < count)
		capacity = capacity == 0 ? LANES_LEAST : capacity * 2;
	if (capacity > book->lane_capacity) {
		grown = reallocarray(book->lanes, capacity, sizeof(*grown));
		if (grown == NULL)
			return -1;
		book->lanes = grown;
		book->lane_capacity = capacity;
	}
	while (book->lane_count < count)
		book->lanes[book->lane_count++] = (struct book_lane){0};
	return 0;
}

/* An envelope of the task, not finished, that can be read as a whole. */
static int
read_envelope(struct queue_book *book, const char *id, const char *data,
    size_t length, struct svc_error *error)
{
	static const struct envelope_options options = {
	    .run = "queue", .source = "queue"};
	struct envelope *envelope = &book->envelope;
	struct line line = {.data = data, .length = length, .number = 1};

	if (length > 0 && data[length - 1] == '\n')
		line.length--;
	switch (envelope_enter(envelope, &line, &options, error)) {
	case ENVELOPE_INVALID:
		return -1;
	case ENVELOPE_PASS:
		return svc_error_set(error, EX_DATAERR, "%s: it has ended", id);
	case ENVELOPE_READY:
		break;
	}
	if (envelope->turned)
		return svc_error_set(error, EX_DATAERR, "%s: it has ended", id);
	if (envelope->wrapped || envelope->made_id ||
	    strcmp(envelope->id, id) != 0)
		return svc_error_set(
		    error, EX_DATAERR, "%s: no line of that task", id);
	return task_links_read(&book->links, envelope, error);
}

/* What the line says of when its task runs. */
static int
read_line(struct queue_book *book, struct queue_task *task, const char *data,
    size_t length, struct svc_error *error)
{
	const struct envelope *envelope = &book->envelope;
	const char *service = envelope->service;

	if (read_envelope(book, task->id, data, length, error) == -1)
		return -1;
	if (*service == '\0' && book->options.service != NULL)
		service = book->options.service;
	return ready_queue_key(
	    book->lane_keys, envelope, service, NULL, &task->key, error);
}

/* The same of what is no such line: it is only to be claimed. */
static int
read_nothing(
    struct queue_book *book, struct queue_task *task, struct svc_error *error)
{
	static const struct envelope nothing;

	task_links_release(&book->links);
	return ready_queue_key(
	    book->lane_keys, &nothing, "", NULL, &task->key, error);
}

/* Of one whose line has been read. */
static int
add_task(struct queue_book *book, struct queue_task *task, int64_t rest,
    struct svc_error *error)
{
	if (task->key.not_before < rest)
		task->key.not_before = rest;
	if (make_lanes(book) == -1 ||
	    id_map_add(&book->tasks, &task->node) == -1) {
		free(task);
		return no_memory(error);
	}
	/* It is there before whom it waits for is looked for: itself, maybe. */
	if (queue_waits_add(
		&book->waits, &book->links, task, &task->wait, error) == -1) {
		drop(book, task);
		return -1;
	}
	enter(book, task);
	return 0;
}

int
queue_book_add(struct queue_book *book, const struct queue_place *place,
    const char *line, size_t length, int64_t submitted, int64_t rest,
    struct svc_error *error)
{
	struct queue_task *task = find_task(book, place->id);
	struct svc_error why = {.code = EX_OK};

	if (task != NULL && task->claims == place->claims)
		return 0;
	if (task != NULL)
		drop(book, task);
	task = queue_task_new(place, submitted);
	if (task == NULL)
		return no_memory(error);
	if (read_line(book, task, line, length, &why) == -1 &&
	    (why.code != EX_DATAERR || read_nothing(book, task, &why) == -1)) {
		free(task);
		return svc_error_set(error, why.code, "%s", why.message);
	}
	if (add_task(book, task, rest, error) == -1)
		return -1;
	if (why.code == EX_OK)
		return 1;
	return svc_error_set(error, why.code, "%s", why.message);
}

void
queue_book_remove(struct queue_book *book, const struct queue_place *place)
{
	struct queue_task *task = find_task(book, place->id);

	/* It may wait again, with more claims. */
	if (task != NULL && task->claims == place->claims)
		drop(book, task);
}

static void
on_decided(void *argument, void *decided)
{
	struct queue_book *book = argument;
	struct queue_task *task = decided;

	leave(book, task);
	enter(book, task);
}

bool
queue_book_awaits(const struct queue_book *book, const char *id)
{
	return queue_waits_awaited(&book->waits, id);
}

void
queue_book_ended(struct queue_book *book, const char *id, enum task_end end)
{
	queue_waits_ended(&book->waits, id, end, on_decided, book);
}

size_t
queue_book_lanes(const struct queue_book *book)
{
	return book->lane_count;
}

const char *
queue_book_service(const struct queue_book *book, uint32_t lane)
{
	return ready_queue_service(book->lane_keys, lane);
}

size_t
queue_book_ready(const struct queue_book *book, uint32_t lane)
{
	return lane < book->lane_count ? book->lanes[lane].ready : 0;
}

bool
queue_book_take(struct queue_book *book, uint32_t lane, size_t among,
    struct queue_place *place)
{
	size_t count = queue_book_ready(book, lane);
	struct queue_task *task;
	uint64_t before;

	if (count == 0)
		return false;
	if (count > among)
		count = among == 0 ? 1 : among;
	task = queue_row_first(&book->lanes[lane].row);
	for (before = random_below(&book->random, count); before > 0; before--)
		task = queue_row_next(task);
	take(book, task, place);
	return true;
}

bool
queue_book_take_ruled_out(struct queue_book *book, struct queue_place *place,
    struct task_failure *failure)
{
	struct queue_task *task = queue_row_first(&book->ruled_out);

	if (task == NULL)
		return false;
	queue_wait_explain(task->wait, failure);
	take(book, task, place);
	return true;
}

int64_t
queue_book_wake(struct queue_book *book, int64_t now)
{
	struct queue_task *task;

	book->now = now;
	while ((task = queue_sleepers_first(&book->sleepers)) != NULL) {
		if (task->key.not_before > now)
			return task->key.not_before;
		leave(book, task);
		make_ready(book, task);
	}
	return 0;
}

void
queue_book_counts(
    const struct queue_book *book, struct queue_book_counts *counts)
{
	*counts = book->counts;
}
