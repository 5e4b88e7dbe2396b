#include "net/call_pipe.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance.h"

/* More waiting output than this holds new tasks back. */
#define PENDING_MAX (1024UL * 1024)
/* Held beyond what the bound gives to tasks: small lines need no more. */
#define HELD_SLACK (4UL * 1024 * 1024)
/* Lines in one go, before other events get their turn. */
#define LINES_MAX 128

TAILQ_HEAD(call_items, call_item);

struct call_pipe {
	struct event_base *base;
	struct call_pipe_options options;
	struct call_engine *engine;
	struct call_watch *watch; /* or NULL */
	struct event *pump; /* lines may be taken, or written */
	struct event *input; /* NULL: the descriptor never blocks */
	struct event *output; /* the same */
	struct call_items spare;
	struct call_items active; /* in the order of input */
	struct call_items finished; /* without -k, in the order of their ends */
	size_t busy; /* not spare */
	size_t held; /* bytes of lines and outputs of those */
	struct buffer tail; /* what was cancelled before it became an item */
	bool ended; /* no more input */
	int stops;
	bool broken;
	bool broken_output;
	int number; /* errno of that */
	struct call_counts counts;
	struct svc_error error;
};

static size_t
larger_limit(const struct call_pipe *pipe)
{
	size_t task = pipe->options.item.envelope.max_task;
	size_t result = pipe->options.call.max_result;

	return task > result ? task : result;
}

static void
wake(struct call_pipe *pipe)
{
	static const struct timeval at_once = {0, 0};

	if (!evtimer_pending(pipe->pump, NULL))
		event_add(pipe->pump, &at_once);
}

static void
fail(struct call_pipe *pipe, const struct svc_error *error, bool output)
{
	if (!pipe->broken) {
		pipe->number = errno;
		pipe->broken = true;
		pipe->broken_output = output;
		pipe->error = *error;
	}
	event_base_loopbreak(pipe->base);
}

static struct call_item *
take_item(struct call_pipe *pipe)
{
	struct call_item *item = TAILQ_FIRST(&pipe->spare);

	if (item != NULL)
		TAILQ_REMOVE(&pipe->spare, item, link);
	else if ((item = call_item_new(pipe)) == NULL)
		return NULL;
	pipe->busy++;
	TAILQ_INSERT_TAIL(&pipe->active, item, link);
	return item;
}

static void
free_item(struct call_pipe *pipe, struct call_item *item)
{
	call_item_clear(item);
	TAILQ_INSERT_HEAD(&pipe->spare, item, link);
	pipe->busy--;
}

/* Its text is complete: it is written when its turn comes. */
static void
finish_item(struct call_pipe *pipe, struct call_item *item)
{
	struct svc_error error;

	if (buffer_failed(&item->out)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		fail(pipe, &error, false);
	}
	/* From here on only the text counts. */
	pipe->held -= item->size;
	pipe->held += item->out.length;
	call_item_settle(item);
	item->done = true;
	if (!pipe->options.keep_order) {
		TAILQ_REMOVE(&pipe->active, item, link);
		TAILQ_INSERT_TAIL(&pipe->finished, item, link);
	}
	wake(pipe);
}

static void
count_failed(struct call_pipe *pipe, enum item_state state)
{
	if (state == ITEM_FAILED)
		pipe->counts.failed++;
}

/* Of a line that was read; error is filled when it is invalid. */
static void
count_read(struct call_pipe *pipe, enum item_state state,
    const struct svc_error *error)
{
	count_failed(pipe, state);
	if (state != ITEM_INVALID)
		return;
	pipe->counts.invalid++;
	if (error->code == EX_OSERR)
		fail(pipe, error, false);
	else if (pipe->options.warn != NULL)
		pipe->options.warn(pipe->options.argument, error->message);
}

/* Who waited for a service with nobody there is told why. */
static void
say_why(
    struct call_pipe *pipe, const char *service, struct task_failure *failure)
{
	struct buffer why = BUFFER_INIT;
	const char *text;
	bool retryable = failure->retryable;

	if (pipe->watch == NULL || (failure->code != CODE_NO_INSTANCES &&
				       failure->code != CODE_UNPLACEABLE))
		return;
	call_watch_why(pipe->watch, service, &why);
	text = buffer_string(&why);
	if (text != NULL)
		task_failure_set(failure, failure->code, "%s", text);
	failure->retryable = retryable;
	buffer_release(&why);
}

static void
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct call_pipe *pipe = argument;
	struct call_item *item = task->argument;
	struct call_outcome told;
	enum item_state state;

	if (outcome->failure.code == CODE_NONE) {
		state = call_item_finish(item, outcome, &pipe->options.item);
	} else {
		told = *outcome;
		say_why(pipe, task->service, &told.failure);
		state = call_item_finish(item, &told, &pipe->options.item);
	}
	count_failed(pipe, state);
	finish_item(pipe, item);
}

/* There is nothing to wait for. */
static enum item_state
nobody(struct call_pipe *pipe, struct call_item *item)
{
	struct task_failure failure;

	task_failure_set(&failure, CODE_NO_INSTANCES, "%s: no instances",
	    item->task.service);
	say_why(pipe, item->task.service, &failure);
	call_item_fail(item, &failure, &pipe->options.item);
	return ITEM_FAILED;
}

/* What would be sent, as a line. */
static enum item_state
preview(struct call_pipe *pipe, struct call_item *item, struct svc_error *error)
{
	struct buffer *out = &item->out;
	int found;

	buffer_append_format(out, "{\"id\":\"%s\",\"service\":\"%s\",",
	    item->task.id, item->task.service);
	found = call_preview(pipe->engine, &item->task, out, error);
	if (found == -1)
		return ITEM_INVALID;
	if (found == 1) {
		buffer_append_string(out, "}\n");
		return ITEM_FINISHED;
	}
	return nobody(pipe, item);
}

/* Sends it, or prints what would be.  ITEM_READY: it is on its way. */
static enum item_state
submit(struct call_pipe *pipe, struct call_item *item, struct svc_error *error)
{
	bool planned = item->task.planned != NULL;
	int known = 1;

	if (pipe->watch != NULL)
		known = call_watch_add(
		    pipe->watch, item->task.service, !planned, error);
	if (known == -1)
		return ITEM_INVALID;
	if (known == 0 && !planned)
		return nobody(pipe, item);
	if (pipe->options.preview)
		return preview(pipe, item, error);
	if (call_submit(pipe->engine, &item->task, error) == -1)
		return ITEM_INVALID;
	return ITEM_READY;
}

static void
take_line(struct call_pipe *pipe, const struct line *line)
{
	struct call_item *item = take_item(pipe);
	struct svc_error error;
	enum item_state state;

	if (item == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		fail(pipe, &error, false);
		return;
	}
	state = call_item_read(item, line, &pipe->options.item, &error);
	pipe->held += item->size;
	if (line->length > PENDING_MAX)
		reader_trim(pipe->options.reader);
	if (state == ITEM_READY) {
		state = submit(pipe, item, &error);
		if (state == ITEM_READY)
			return;
		if (state == ITEM_INVALID)
			fail(pipe, &error, false);
	}
	count_read(pipe, state, &error);
	finish_item(pipe, item);
}

static size_t
held(const struct call_pipe *pipe)
{
	return pipe->held + writer_pending(pipe->options.writer);
}

/* Whether one more line may be taken in. */
static bool
has_room(const struct call_pipe *pipe)
{
	size_t jobs = (size_t)pipe->options.call.jobs;
	size_t limit = larger_limit(pipe);

	if (pipe->ended || pipe->broken || pipe->busy >= 2 * jobs ||
	    call_room(pipe->engine) == 0 ||
	    writer_pending(pipe->options.writer) > PENDING_MAX)
		return false;
	return pipe->busy == 0 ||
	       held(pipe) + limit <= jobs * limit + HELD_SLACK;
}

static void
fill(struct call_pipe *pipe)
{
	struct svc_error error;
	struct line last;
	int came;

	came = reader_fill(pipe->options.reader, &error);
	if (came == -1) {
		fail(pipe, &error, false);
		return;
	}
	if (came == 1)
		return;
	/* A last line without newline appears only now. */
	pipe->ended = true;
	if (reader_next(pipe->options.reader, &last) == 1)
		take_line(pipe, &last);
}

/* Takes in what there is room for; true: there is more to take. */
static bool
take_lines(struct call_pipe *pipe)
{
	struct reader *reader = pipe->options.reader;
	struct line line;
	int n;

	for (n = 0; n < LINES_MAX; n++) {
		if (!has_room(pipe))
			return false;
		if (reader == NULL) {
			memset(&line, 0, sizeof(line));
			line.number = 1;
			pipe->ended = true;
			take_line(pipe, &line);
		} else if (reader_next(reader, &line) == 1) {
			take_line(pipe, &line);
		} else if (pipe->input != NULL) {
			event_add(pipe->input, NULL);
			return false;
		} else {
			fill(pipe);
		}
	}
	return true;
}

/*
 * The next finished item, in the order that was asked for, if the writer should
 * hold it.  What is long waits until it can be handed over without a copy.
 */
static struct call_item *
next_finished(struct call_pipe *pipe)
{
	size_t pending = writer_pending(pipe->options.writer);
	struct call_item *item;

	item = pipe->options.keep_order ? TAILQ_FIRST(&pipe->active)
					: TAILQ_FIRST(&pipe->finished);
	if (item == NULL || !item->done || pending > PENDING_MAX ||
	    (pending > 0 && item->out.length > PENDING_MAX))
		return NULL;
	return item;
}

static void
put_text(struct call_pipe *pipe, bool complaint, struct buffer *text)
{
	struct svc_error error;

	if (text->length == 0)
		return;
	if (complaint)
		pipe->options.complain(
		    pipe->options.argument, text->data, text->length);
	else if (writer_take(pipe->options.writer, text, &error) == -1)
		fail(pipe, &error, true);
}

static void
put_item(struct call_pipe *pipe, struct call_item *item)
{
	if (pipe->options.keep_order)
		TAILQ_REMOVE(&pipe->active, item, link);
	else
		TAILQ_REMOVE(&pipe->finished, item, link);
	pipe->held -= item->out.length;
	put_text(pipe, item->complaint, &item->out);
	free_item(pipe, item);
}

/* Hands finished lines to the writer, as they fit, and has them written. */
static void
put_lines(struct call_pipe *pipe)
{
	struct writer *writer = pipe->options.writer;
	struct svc_error error;
	struct call_item *item;

	while (!pipe->broken) {
		while ((item = next_finished(pipe)) != NULL)
			put_item(pipe, item);
		if (pipe->busy == 0 && pipe->tail.length > 0)
			put_text(pipe, false, &pipe->tail);
		if (writer_pending(writer) == 0)
			return;
		if (pipe->output != NULL) {
			event_add(pipe->output, NULL);
			return;
		}
		if (writer_flush(writer, &error) == -1)
			fail(pipe, &error, true);
	}
}

static void
on_pump(evutil_socket_t fd, short what, void *argument)
{
	struct call_pipe *pipe = argument;
	struct writer *writer = pipe->options.writer;
	bool more;

	(void)fd;
	(void)what;
	put_lines(pipe);
	more = take_lines(pipe);
	call_pause(pipe->engine, writer_pending(writer) > PENDING_MAX);
	if (more)
		wake(pipe);
	if (pipe->ended && pipe->busy == 0 && pipe->tail.length == 0 &&
	    writer_pending(writer) == 0)
		event_base_loopbreak(pipe->base);
}

static void
on_input(evutil_socket_t fd, short what, void *argument)
{
	struct call_pipe *pipe = argument;

	(void)fd;
	(void)what;
	if (pipe->ended)
		return;
	fill(pipe);
	wake(pipe);
}

static void
on_output(evutil_socket_t fd, short what, void *argument)
{
	struct call_pipe *pipe = argument;
	struct svc_error error;
	int more;

	(void)fd;
	(void)what;
	more = writer_step(pipe->options.writer, &error);
	if (more == -1)
		fail(pipe, &error, true);
	else if (more == 1)
		event_add(pipe->output, NULL);
	if (more == 0 || writer_pending(pipe->options.writer) <= PENDING_MAX)
		wake(pipe);
}

/* A line that was read, but will not be sent. */
static void
cancel_line(
    struct call_pipe *pipe, struct call_item *item, const struct line *line)
{
	struct task_failure failure;
	struct svc_error error;
	enum item_state state;

	state = call_item_read(item, line, &pipe->options.item, &error);
	if (state == ITEM_READY) {
		task_failure_set(&failure, CODE_CANCELLED,
		    "%s: cancelled "
		    "before it was sent",
		    item->task.service);
		call_item_fail(item, &failure, &pipe->options.item);
		state = ITEM_FAILED;
	}
	count_read(pipe, state, &error);
	if (item->complaint)
		put_text(pipe, true, &item->out);
	else
		buffer_append(&pipe->tail, item->out.data, item->out.length);
	call_item_clear(item);
}

/* All lines that read(2) has brought already. */
static void
cancel_input(struct call_pipe *pipe)
{
	struct call_item *item;
	struct line line;

	if (pipe->options.reader == NULL || pipe->ended)
		return;
	item = call_item_new(pipe);
	if (item == NULL)
		return;
	while (reader_next(pipe->options.reader, &line) == 1)
		cancel_line(pipe, item, &line);
	call_item_free(item);
}

void
call_pipe_stop(struct call_pipe *pipe)
{
	pipe->stops++;
	if (pipe->stops > 2) {
		event_base_loopbreak(pipe->base);
		return;
	}
	cancel_input(pipe);
	pipe->ended = true;
	if (pipe->input != NULL)
		event_del(pipe->input);
	call_cancel(pipe->engine, pipe->stops > 1);
	wake(pipe);
}

static int
open_events(struct call_pipe *pipe)
{
	struct reader *reader = pipe->options.reader;

	pipe->pump = evtimer_new(pipe->base, on_pump, pipe);
	if (pipe->pump == NULL)
		return -1;
	if (reader != NULL && reader_pollable(reader)) {
		pipe->input = event_new(pipe->base, reader_descriptor(reader),
		    EV_READ, on_input, pipe);
		if (pipe->input == NULL)
			return -1;
	}
	if (writer_pollable(pipe->options.writer)) {
		pipe->output = event_new(pipe->base, pipe->options.output,
		    EV_WRITE, on_output, pipe);
		if (pipe->output == NULL)
			return -1;
	}
	return 0;
}

int
call_pipe_open(struct call_pipe **pipe, struct event_base *base,
    const struct call_pipe_options *options, struct svc_error *error)
{
	struct call_pipe *made = calloc(1, sizeof(*made));

	*pipe = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	TAILQ_INIT(&made->spare);
	TAILQ_INIT(&made->active);
	TAILQ_INIT(&made->finished);
	made->base = base;
	made->options = *options;
	writer_set_queued(options->writer, true);
	if (open_events(made) == -1) {
		call_pipe_close(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	if (call_open(&made->engine, base, &options->call, on_done, made,
		error) == -1 ||
	    (options->watch.open != NULL &&
		call_watch_open(&made->watch, base, made->engine,
		    &options->watch, error) == -1)) {
		call_pipe_close(made);
		return -1;
	}
	*pipe = made;
	return 0;
}

static void
free_items(struct call_items *items)
{
	struct call_item *item;

	while ((item = TAILQ_FIRST(items)) != NULL) {
		TAILQ_REMOVE(items, item, link);
		call_item_free(item);
	}
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void
call_pipe_close(struct call_pipe *pipe)
{
	if (pipe == NULL)
		return;
	call_watch_close(pipe->watch);
	call_close(pipe->engine);
	free_event(pipe->pump);
	free_event(pipe->input);
	free_event(pipe->output);
	free_items(&pipe->spare);
	free_items(&pipe->active);
	free_items(&pipe->finished);
	buffer_release(&pipe->tail);
	free(pipe);
}

int
call_pipe_run(struct call_pipe *pipe, struct call_counts *counts, bool *output,
    struct svc_error *error)
{
	wake(pipe);
	if (event_base_dispatch(pipe->base) == -1 && !pipe->broken)
		return svc_error_set(error, EX_OSERR, "event loop");
	*counts = pipe->counts;
	*output = pipe->broken_output;
	if (!pipe->broken)
		return 0;
	*error = pipe->error;
	errno = pipe->number;
	return -1;
}
