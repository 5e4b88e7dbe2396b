#include "flow/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"
#include "line/units.h"

void
run_fail(struct run *run, enum run_fault fault, const struct svc_error *error)
{
	if (!run->broken) {
		run->number = errno;
		run->broken = true;
		run->fault = fault;
		run->error = *error;
	}
	event_base_loopbreak(run->base);
}

void
run_fail_memory(struct run *run)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	run_fail(run, RUN_INPUT, &error);
}

void
run_wake(struct run *run)
{
	static const struct timeval at_once = {0, 0};

	if (!evtimer_pending(run->pump, NULL))
		event_add(run->pump, &at_once);
}

void
run_warn(struct run *run, const char *format, ...)
{
	char message[sizeof(run->error.message)];
	va_list arguments;

	if (run->options.warn == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	run->options.warn(run->options.argument, message);
}

double
run_now(const struct run *run)
{
	return time_monotonic() - run->began;
}

static void
on_came(void *argument, const struct svc_error *error)
{
	if (error != NULL)
		run_fail(argument, RUN_INPUT, error);
	else
		run_wake(argument);
}

static void
on_moved(void *argument, const struct svc_error *error)
{
	if (error != NULL)
		run_fail(argument, RUN_OUTPUT, error);
	else
		run_wake(argument);
}

/* The journal cannot be written: what runs may end, nothing is started. */
static void
journal_failed(struct run *run, const struct svc_error *error)
{
	if (run->full)
		return;
	run->full = true;
	run->fault = RUN_JOURNAL;
	run->error = *error;
	run_warn(run, "%s: nothing new is started", error->message);
	run_halt(run, false, "the journal cannot be written");
}

static void
on_synced(evutil_socket_t fd, short what, void *argument)
{
	struct run *run = argument;
	struct svc_error error;

	(void)fd;
	(void)what;
	if (journal_check(run->options.journal, &error) == -1)
		journal_failed(run, &error);
	run_wake(run);
}

/* The journal has a line before anybody else sees it. */
static void
put_out(struct run *run)
{
	struct svc_error error;

	if (run->options.journal != NULL && !run->full &&
	    journal_flush(run->options.journal, &error) == -1)
		journal_failed(run, &error);
	if (run->options.source != NULL)
		run_feed_clear(run);
	else if (call_output_put(&run->output, &run->queue, &error) == -1)
		run_fail(run, RUN_OUTPUT, &error);
}

/* The input has ended. */
static void
end_reading(struct run *run)
{
	struct svc_error error;

	if (run_check(run, &error) == -1)
		run_fail(run, RUN_INPUT, &error);
	run->phase = PHASE_BEGIN;
}

/* true: there is more to do at once. */
static bool
work(struct run *run)
{
	bool more = run_read(run);

	if (run->phase == PHASE_READ && run->intake.ended && !run->broken)
		end_reading(run);
	if (run->phase == PHASE_READ || run->broken)
		return more;
	if (run->phase == PHASE_BEGIN)
		more = run_begin(run) || more;
	more = run_decide(run) || more;
	more = run_cancel_rest(run) || more;
	more = run_out_next(run) || more;
	run_fill(run);
	return more;
}

static bool
is_over(const struct run *run)
{
	return run->intake.ended && run->phase == PHASE_RUN &&
	       run->tasks.open == 0 && run->queue.busy == 0 &&
	       call_output_idle(&run->output);
}

static void
on_pump(evutil_socket_t fd, short what, void *argument)
{
	struct run *run = argument;
	bool more;

	(void)fd;
	(void)what;
	more = work(run);
	if (run->broken)
		return;
	put_out(run);
	run_pause(run);
	if (more || (run->queue.busy > 0 && run->tasks.open == 0))
		run_wake(run);
	if (is_over(run))
		event_base_loopbreak(run->base);
}

static void
on_alarm(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	run_alarm(argument);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	const struct run *run = argument;

	(void)fd;
	(void)what;
	run->options.tick(run->options.argument);
}

static int
open_events(struct run *run, struct svc_error *error)
{
	static const struct timeval tenth = {0, 100000};
	struct journal *journal = run->options.journal;

	run->pump = evtimer_new(run->base, on_pump, run);
	run->alarm = evtimer_new(run->base, on_alarm, run);
	if (run->pump == NULL || run->alarm == NULL)
		goto failed;
	if (run->options.tick != NULL) {
		run->tick = event_new(run->base, -1, EV_PERSIST, on_tick, run);
		if (run->tick == NULL || event_add(run->tick, &tenth) == -1)
			goto failed;
	}
	if (journal != NULL) {
		run->synced = event_new(run->base, journal_descriptor(journal),
		    EV_READ | EV_PERSIST, on_synced, run);
		if (run->synced == NULL || event_add(run->synced, NULL) == -1)
			goto failed;
	}
	return 0;
failed:
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
open_ends(struct run *run, struct svc_error *error)
{
	const struct run_options *options = &run->options;
	const struct call_intake_options intake = {
	    .reader = options->reader,
	    .came = on_came,
	    .argument = run,
	};
	const struct call_output_options output = {
	    .writer = options->writer,
	    .descriptor = options->output,
	    .complain = options->complain,
	    .complain_argument = options->argument,
	    .moved = on_moved,
	    .argument = run,
	};

	if (call_intake_open(&run->intake, run->base, &intake, error) == -1)
		return -1;
	return call_output_open(&run->output, run->base, &output, error);
}

static int
open_parts(struct run *run, struct svc_error *error)
{
	const struct run_options *options = &run->options;

	run->scratch = call_item_new();
	if (run->scratch == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (open_events(run, error) == -1 || open_ends(run, error) == -1 ||
	    line_file_open(&run->file, options->directory, error) == -1 ||
	    dependencies_open(&run->dependencies, error) == -1 ||
	    ready_queue_open(
		&run->ready, options->order, options->shares, error) == -1)
		return -1;
	task_table_init(&run->tasks, run->file, options->whole);
	return run_open_backend(run, error);
}

int
run_open(struct run **run, struct event_base *base,
    const struct run_options *options, struct svc_error *error)
{
	struct run *made = calloc(1, sizeof(*made));

	*run = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->item = options->item;
	made->item.result_only = false;
	made->item.linked = true;
	made->phase = options->whole ? PHASE_READ : PHASE_RUN;
	made->began = time_monotonic();
	call_queue_init(&made->queue, false);
	task_table_init(&made->tasks, NULL, options->whole);
	if (open_parts(made, error) == -1) {
		run_close(made);
		return -1;
	}
	*run = made;
	return 0;
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void
run_close(struct run *run)
{
	if (run == NULL)
		return;
	run_close_backend(run);
	free_event(run->pump);
	free_event(run->alarm);
	free_event(run->tick);
	free_event(run->synced);
	call_intake_close(&run->intake);
	call_output_close(&run->output);
	call_queue_release(&run->queue);
	if (run->scratch != NULL)
		call_item_free(run->scratch);
	task_table_release(&run->tasks);
	dependencies_close(run->dependencies);
	ready_queue_close(run->ready);
	line_file_close(run->file);
	task_links_release(&run->links);
	json_document_release(&run->document);
	number_queue_release(&run->decided);
	number_queue_release(&run->order);
	number_queue_release(&run->hungry);
	run_feed_release(&run->feed);
	buffer_release(&run->store);
	buffer_release(&run->found);
	free(run->pending);
	free(run);
}

int
run_dispatch(struct run *run, enum run_fault *fault, struct svc_error *error)
{
	run_wake(run);
	if (event_base_dispatch(run->base) == -1 && !run->broken)
		return svc_error_set(error, EX_OSERR, "event loop");
	if (run->options.tick != NULL)
		run->options.tick(run->options.argument);
	if (!run->broken && !run->full)
		return 0;
	*fault = run->fault;
	*error = run->error;
	errno = run->number;
	return -1;
}

void
run_counts(const struct run *run, struct run_counts *counts)
{
	size_t begun;

	*counts = run->counts;
	counts->consumed = call_intake_consumed(&run->intake);
	counts->running = run_running(run);
	/* A hedged task counts twice among what runs. */
	begun = run->counts.done + counts->running;
	counts->waiting =
	    run->counts.taken > begun ? run->counts.taken - begun : 0;
	counts->ended = run->intake.ended;
}
