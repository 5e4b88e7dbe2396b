#include "net/call_pipe.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "net/call_intake.h"
#include "net/call_line.h"
#include "net/call_output.h"
#include "net/call_preview.h"
#include "net/call_queue.h"

/* Held beyond what the bound gives to tasks: small lines need no more. */
#define HELD_SLACK (4UL * 1024 * 1024)
/* A line longer than this is not copied. */
#define LINE_COPIED (1024UL * 1024)
/* Lines in one go, before other events get their turn. */
#define LINES_MAX 128

struct call_pipe {
	struct event_base *base;
	struct call_pipe_options options;
	struct call_engine *engine;
	struct call_watch *watch; /* or NULL */
	struct event *pump; /* lines may be taken, or written */
	struct event *tick; /* progress is asked for; or NULL */
	struct call_intake intake;
	struct call_output output;
	struct call_queue queue;
	struct call_tally tally;
	int stops;
	bool broken; /* it ends at once */
	bool broken_output; /* because of that */
	bool broken_input; /* no more comes */
	int number; /* errno of that */
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

/* Nothing more can be read: what was, is served. */
static void
lose_input(struct call_pipe *pipe, const struct svc_error *error)
{
	if (!pipe->broken && !pipe->broken_input) {
		pipe->number = errno;
		pipe->broken_input = true;
		pipe->error = *error;
	}
	/* A file is read once more, and fails once more. */
	(void)call_intake_stop(&pipe->intake, NULL);
	wake(pipe);
}

/* The callbacks of input and output. */
static void
on_came(void *argument, const struct svc_error *error)
{
	if (error != NULL)
		lose_input(argument, error);
	else
		wake(argument);
}

static void
on_moved(void *argument, const struct svc_error *error)
{
	if (error != NULL)
		fail(argument, error, true);
	else
		wake(argument);
}

/* Its text is complete: it is written when its turn comes. */
static void
end_item(struct call_pipe *pipe, struct call_item *item, enum item_state state,
    double seconds)
{
	struct svc_error error;

	if (buffer_failed(&item->out)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		fail(pipe, &error, false);
	}
	call_tally_add(&pipe->tally, item, state, seconds);
	call_queue_end(&pipe->queue, item);
	wake(pipe);
}

/* error says what is wrong with a line, or that memory ran out. */
static void
complain(struct call_pipe *pipe, const struct svc_error *error)
{
	if (error->code == EX_OSERR)
		fail(pipe, error, false);
	else if (pipe->options.warn != NULL)
		pipe->options.warn(pipe->options.argument, error->message);
}

static bool
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct call_pipe *pipe = argument;
	struct call_item *item = task->argument;
	struct call_outcome told;
	enum item_state state;

	if (outcome->failure.code == CODE_NONE) {
		state = call_line_finish(item, outcome, &pipe->options.item);
	} else {
		told = *outcome;
		call_watch_explain(pipe->watch, task->service, &told.failure);
		state = call_line_finish(item, &told, &pipe->options.item);
	}
	end_item(pipe, item, state, outcome->elapsed);
	return state == ITEM_FINISHED;
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
	if (known == -1) {
		fail(pipe, error, false);
		return ITEM_INVALID;
	}
	if (known == 0 && !planned)
		return call_refuse_nobody(
		    pipe->engine, pipe->watch, item, &pipe->options.item);
	if (pipe->options.preview)
		return call_preview_item(pipe->engine, pipe->watch, item,
		    &pipe->options.item, error);
	if (call_submit(pipe->engine, &item->task, error) == 0) {
		if (pipe->watch != NULL)
			call_watch_need(pipe->watch, &item->task);
		return ITEM_READY;
	}
	return call_line_refuse(
	    item, &pipe->options.item, error->message, error);
}

static void
take_line(struct call_pipe *pipe, const struct line *line)
{
	struct call_item *item = call_queue_take(&pipe->queue);
	struct svc_error error;
	enum item_state state;

	if (item == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		fail(pipe, &error, false);
		return;
	}
	pipe->tally.taken++;
	/* Without memory for what is behind it, a copy may still succeed. */
	if (line->length > LINE_COPIED)
		(void)call_intake_take(&pipe->intake, &item->line);
	state = call_item_read(item, line, &pipe->options.item, &error);
	call_queue_hold(&pipe->queue, item);
	if (state == ITEM_READY)
		state = submit(pipe, item, &error);
	if (state == ITEM_READY || pipe->broken)
		return;
	if (state == ITEM_INVALID)
		complain(pipe, &error);
	end_item(pipe, item, state, -1);
}

/* Whether one more line may be taken in. */
static bool
has_room(const struct call_pipe *pipe)
{
	size_t jobs = (size_t)pipe->options.call.jobs;
	size_t limit = larger_limit(pipe), held;

	if (pipe->intake.ended || pipe->broken ||
	    pipe->queue.busy >= 2 * jobs || call_room(pipe->engine) == 0 ||
	    call_output_full(&pipe->output))
		return false;
	held = pipe->queue.held + call_output_pending(&pipe->output);
	return pipe->queue.busy == 0 ||
	       held + limit <= jobs * limit + HELD_SLACK;
}

/* Takes in what there is room for; true: there is more to take. */
static bool
take_lines(struct call_pipe *pipe)
{
	struct svc_error error;
	struct line line;
	int n;

	for (n = 0; n < LINES_MAX; n++) {
		if (!has_room(pipe))
			return false;
		switch (call_intake_next(&pipe->intake, &line, &error)) {
		case INTAKE_FAILED:
			lose_input(pipe, &error);
			return false;
		case INTAKE_WAITS:
			return false;
		case INTAKE_LINE:
			take_line(pipe, &line);
			break;
		case INTAKE_AGAIN:
			break;
		}
	}
	return true;
}

static void
on_pump(evutil_socket_t fd, short what, void *argument)
{
	struct call_pipe *pipe = argument;
	struct svc_error error;

	(void)fd;
	(void)what;
	if (call_output_put(&pipe->output, &pipe->queue, &error) == -1)
		fail(pipe, &error, true);
	if (take_lines(pipe))
		wake(pipe);
	call_pause(pipe->engine, call_output_full(&pipe->output));
	if (pipe->intake.ended && pipe->queue.busy == 0 &&
	    call_output_idle(&pipe->output))
		event_base_loopbreak(pipe->base);
}

static void
report(const struct call_pipe *pipe)
{
	struct call_progress progress;

	if (pipe->options.progress == NULL)
		return;
	call_tally_progress(&pipe->tally, &progress);
	progress.consumed = call_intake_consumed(&pipe->intake);
	progress.running = call_running(pipe->engine);
	progress.ended = pipe->intake.ended;
	pipe->options.progress(pipe->options.argument, &progress);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	report(argument);
}

/* A line that was read, but will not be sent. */
static void
cancel_line(
    struct call_pipe *pipe, struct call_item *item, const struct line *line)
{
	struct task_failure failure;
	struct svc_error error;
	enum item_state state;

	pipe->tally.taken++;
	state = call_item_read(item, line, &pipe->options.item, &error);
	if (state == ITEM_READY) {
		task_failure_set(&failure, CODE_CANCELLED,
		    "%s: cancelled before it was sent", item->task.service);
		state = call_line_fail(item, &failure, &pipe->options.item);
	} else if (state == ITEM_INVALID) {
		complain(pipe, &error);
	}
	call_tally_add(&pipe->tally, item, state, -1);
	call_output_append(&pipe->output, item->complaint, &item->out);
	call_item_clear(item);
}

/* All that read(2) has brought already. */
static void
cancel_input(struct call_pipe *pipe)
{
	struct call_item *item = call_item_new();
	struct svc_error error;
	struct line line;

	if (item == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		fail(pipe, &error, false);
		return;
	}
	if (call_intake_stop(&pipe->intake, &error) == -1)
		complain(pipe, &error);
	while (call_intake_next(&pipe->intake, &line, &error) == INTAKE_LINE)
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
	call_cancel(pipe->engine, pipe->stops > 1);
	wake(pipe);
}

static int
open_events(struct call_pipe *pipe)
{
	static const struct timeval tenth = {0, 100000};

	pipe->pump = evtimer_new(pipe->base, on_pump, pipe);
	if (pipe->pump == NULL)
		return -1;
	if (pipe->options.progress == NULL)
		return 0;
	pipe->tick = event_new(pipe->base, -1, EV_PERSIST, on_tick, pipe);
	return pipe->tick == NULL ? -1 : event_add(pipe->tick, &tenth);
}

static int
open_ends(struct call_pipe *pipe, struct svc_error *error)
{
	const struct call_pipe_options *options = &pipe->options;
	const struct call_intake_options intake = {
	    .reader = options->reader,
	    .came = on_came,
	    .argument = pipe,
	};
	const struct call_output_options output = {
	    .writer = options->writer,
	    .descriptor = options->output,
	    .complain = options->complain,
	    .complain_argument = options->argument,
	    .moved = on_moved,
	    .argument = pipe,
	};

	if (open_events(pipe) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (call_intake_open(&pipe->intake, pipe->base, &intake, error) == -1)
		return -1;
	return call_output_open(&pipe->output, pipe->base, &output, error);
}

int
call_pipe_open(struct call_pipe **pipe, struct event_base *base,
    const struct call_pipe_options *options, struct svc_error *error)
{
	struct call_pipe *made = calloc(1, sizeof(*made));

	*pipe = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->tally.stats = options->preview ? NULL : options->call.stats;
	call_queue_init(&made->queue, options->keep_order);
	if (open_ends(made, error) == -1 ||
	    call_open(&made->engine, base, &options->call, on_done, made,
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
	free_event(pipe->tick);
	call_intake_close(&pipe->intake);
	call_output_close(&pipe->output);
	call_queue_release(&pipe->queue);
	free(pipe);
}

int
call_pipe_run(struct call_pipe *pipe, struct call_counts *counts, bool *output,
    struct svc_error *error)
{
	wake(pipe);
	if (event_base_dispatch(pipe->base) == -1 && !pipe->broken)
		return svc_error_set(error, EX_OSERR, "event loop");
	report(pipe);
	counts->failed = pipe->tally.failed;
	counts->invalid = pipe->tally.invalid;
	*output = pipe->broken_output;
	if (!pipe->broken && !pipe->broken_input)
		return 0;
	*error = pipe->error;
	errno = pipe->number;
	return -1;
}
