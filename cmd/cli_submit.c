#include "cli_submit.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli_payload.h"
#include "cli_submit_wait.h"
#include "flow/submit_batch.h"
#include "line/reader.h"
#include "registry/claimant.h"

#define STATUS_WAITED 124

struct submit {
	struct cli_submit_options options;
	char run[40];
	struct registry *registry; /* NULL: none, of a dry run */
	struct reader *reader; /* NULL: --data */
	struct writer *writer;
	struct submit_batch *batch;
	struct cli_submit_wait *waiting; /* NULL: without --wait */
	struct envelope envelope;
	struct buffer line;
	unsigned long submitted; /* task lines, for --id */
	size_t unstored; /* of this batch */
	struct svc_error why; /* of the first of those */
	double deadline; /* monotonic: when waiting ends; HUGE_VAL: never */
	int status;
};

static volatile sig_atomic_t stop_signal;

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

static void
out_of_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

/* Where lines go whose task is not to be waited for. */
static void
put_line(struct submit *submit, const char *line, size_t length)
{
	struct svc_error error;

	if (submit->waiting != NULL)
		cli_submit_wait_add_line(submit->waiting, line, length);
	else if (writer_line(submit->writer, line, length, &error) == -1)
		cli_output_failed(&error);
}

static void
say_known(const struct submit *submit, const struct submit_outcome *outcome)
{
	if (submit->options.cli->verbose > 0)
		cli_warn_line("%s: is there already: %s", outcome->id,
		    queue_state_name(outcome->place.state));
}

/* What cannot be stored is told once a batch: its reason is one. */
static void
say_refused(struct submit *submit, const struct submit_outcome *outcome)
{
	submit->status = cli_worse(submit->status, outcome->error.code);
	if (outcome->end == SUBMIT_FAILED) {
		if (submit->unstored++ == 0)
			submit->why = outcome->error;
		return;
	}
	if (submit->options.cli->quiet)
		return;
	if (submit->reader == NULL)
		cli_warn_line("--data: %s", outcome->error.message);
	else
		cli_warn_line("%s:%lu: %s", submit->options.lines.source,
		    outcome->number, outcome->error.message);
}

static int
tell(void *argument, const struct submit_outcome *outcome,
    struct svc_error *error)
{
	struct submit *submit = argument;
	bool ended =
	    (QUEUE_STATE_BIT(outcome->place.state) & QUEUE_STATES_ENDED) != 0;

	(void)error;
	if (outcome->end == SUBMIT_KNOWN)
		say_known(submit, outcome);
	else if (outcome->error.code != EX_OK)
		say_refused(submit, outcome);
	if (submit->waiting != NULL && !ended &&
	    (outcome->end == SUBMIT_ACCEPTED || outcome->end == SUBMIT_KNOWN))
		cli_submit_wait_add(submit->waiting, outcome->id);
	else
		put_line(submit, outcome->line, outcome->length);
	return 0;
}

static void
flush(struct submit *submit)
{
	struct svc_error error;

	if (submit_batch_flush(submit->batch, &error) == -1)
		cli_fail(&error);
	if (submit->unstored == 1)
		cli_warn_line("%s", submit->why.message);
	else if (submit->unstored > 1)
		cli_warn_line("%zu tasks are not stored, the first: %s",
		    submit->unstored, submit->why.message);
	submit->unstored = 0;
	/* Who is told at once can act on it: the input pauses. */
	if (writer_flush(submit->writer, &error) == -1)
		cli_output_failed(&error);
	if (submit->options.timeout >= 0)
		submit->deadline = time_monotonic() + submit->options.timeout;
}

/* --id is for one: of several none is stored, since which one is meant? */
static void
refuse_several(struct submit *submit)
{
	struct svc_error why;

	svc_error_set(
	    &why, EX_DATAERR, "--id is for one task, and there are several");
	submit_batch_refuse(submit->batch, &why);
}

/* With --id: whether another line will come is known at the end. */
static bool
is_single(const struct submit *submit)
{
	return submit->options.task.id != NULL && submit->submitted <= 1;
}

static void
take_invalid(struct submit *submit, const struct svc_error *why)
{
	struct svc_error error;

	if (why->code == EX_OSERR)
		cli_fail(why);
	submit->status = cli_worse(submit->status, EX_DATAERR);
	if (!submit->options.cli->quiet)
		(void)cli_warn(why);
	buffer_clear(&submit->line);
	envelope_copy(&submit->envelope, &submit->line);
	if (buffer_failed(&submit->line))
		out_of_memory();
	if (submit_batch_pass(submit->batch, submit->line.data,
		submit->line.length, &error) == -1)
		cli_fail(&error);
}

static void
take(struct submit *submit, const struct line *line)
{
	char id[NAME_MAX_LENGTH + 1];
	struct svc_error error;

	submit->submitted++;
	if (envelope_enter(&submit->envelope, line, &submit->options.lines,
		&error) == ENVELOPE_READY) {
		buffer_clear(&submit->line);
		submission_write(&submit->envelope, &submit->options.task,
		    &submit->line, id);
		if (buffer_failed(&submit->line))
			out_of_memory();
		if (submit_batch_add(submit->batch, submit->line.data,
			submit->line.length, line->number, &error) == -1)
			cli_fail(&error);
	} else {
		take_invalid(submit, &error);
	}
	if (submit->options.task.id != NULL && submit->submitted > 1)
		refuse_several(submit);
	if (submit_batch_full(submit->batch) && !is_single(submit))
		flush(submit);
}

static void
on_signal(int number)
{
	stop_signal = number;
}

/* The second one of a kind kills; what was ignored stays so. */
static void
catch_signals(void)
{
	struct sigaction action = {
	    .sa_handler = on_signal,
	    .sa_flags = SA_RESETHAND | SA_RESTART,
	};
	struct sigaction before;
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++)
		if (sigaction(stop_signals[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &action, NULL);
}

/* How long poll(2) may take; NULL: for ever. */
static struct timespec *
time_left(const struct submit *submit, bool reading, struct timespec *left)
{
	double seconds = submit->deadline - time_monotonic();

	memset(left, 0, sizeof(*left));
	if (reading && submit_batch_count(submit->batch) > 0 &&
	    !is_single(submit))
		return left;
	if (reading || !isfinite(submit->deadline))
		return NULL;
	if (seconds > 0) {
		left->tv_sec = (time_t)seconds;
		left->tv_nsec = (long)((seconds - (double)left->tv_sec) * 1e9);
	}
	return left;
}

/*
 * Until there is input (pollers[0]), or a task has ended.  0: neither, in the
 * time that there was, or before a signal.
 */
static int
wait_for(struct submit *submit, struct pollfd *pollers, bool reading)
{
	sigset_t stops, before;
	struct svc_error error;
	struct timespec left;
	int ready = 0;
	size_t i;

	sigemptyset(&stops);
	for (i = 0; i < STOP_SIGNALS; i++)
		sigaddset(&stops, stop_signals[i]);
	/* Between the look at the flag and poll(2) none may come. */
	sigprocmask(SIG_BLOCK, &stops, &before);
	if (stop_signal == 0)
		ready = ppoll(
		    pollers, 3, time_left(submit, reading, &left), &before);
	if (ready == -1 && errno != EINTR) {
		svc_error_errno(&error, "cannot wait");
		cli_fail(&error);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}

/* Nobody reads standard output any more. */
static void
check_reader(const struct pollfd *output)
{
	if ((output->revents & POLLERR) != 0)
		cli_die_of(SIGPIPE);
}

static void
print_ended(struct submit *submit)
{
	struct svc_error error;

	cli_submit_wait_read(submit->waiting);
	if (writer_flush(submit->writer, &error) == -1)
		cli_output_failed(&error);
}

/* Waits for input or ends of tasks.  Whether there may be more input. */
static bool
step(struct submit *submit, bool reading)
{
	struct pollfd pollers[] = {{.fd = -1, .events = POLLIN},
	    {.fd = -1, .events = POLLIN}, {.fd = -1}};
	struct svc_error error = {.code = EX_OK};
	int ready, status = 1;

	if (reading)
		pollers[0].fd = reader_descriptor(submit->reader);
	if (submit->waiting != NULL) {
		pollers[1].fd = cli_submit_wait_descriptor(submit->waiting);
		pollers[2].fd = STDOUT_FILENO;
	}
	ready = wait_for(submit, pollers, reading);
	if (ready == 0 && submit_batch_count(submit->batch) > 0)
		flush(submit);
	if (ready <= 0)
		return reading;
	check_reader(&pollers[2]);
	if (pollers[1].revents != 0)
		print_ended(submit);
	if (pollers[0].revents != 0)
		status = reader_fill(submit->reader, &error);
	if (status == -1) {
		(void)cli_warn(&error);
		submit->status = cli_worse(submit->status, error.code);
	}
	return reading && status == 1;
}

/* Takes lines until they end or a signal comes. */
static void
read_lines(struct submit *submit)
{
	struct line line;
	bool more = true;

	while (more && stop_signal == 0) {
		while (reader_next(submit->reader, &line) == 1)
			take(submit, &line);
		more = step(submit, true);
	}
	/* The last one may lack its LF. */
	while (stop_signal == 0 && reader_next(submit->reader, &line) == 1)
		take(submit, &line);
	flush(submit);
}

static void
read_data(struct submit *submit)
{
	const struct cli_payload payload = {
	    .data = submit->options.data,
	    .text = submit->options.lines.text,
	    .limit = submit->options.lines.max_task,
	};
	struct buffer data = BUFFER_INIT;
	struct line line = {.number = 1};

	(void)cli_payload_read(submit->options.cli, &payload, &data);
	line.data = data.data;
	line.length = data.length;
	submit->options.lines.text = false;
	submit->options.lines.bare = true;
	take(submit, &line);
	flush(submit);
	buffer_release(&data);
}

/* That nobody executes the queue is no error: somebody may come. */
static void
say_idle(const struct submit *submit)
{
	struct claimants *claimants;
	struct svc_error error;
	double next;

	if (submit->options.cli->quiet)
		return;
	if (claimants_open(
		&claimants, registry_store(submit->registry), &error) == -1)
		cli_fail(&error);
	if (claimants_look(claimants, &next, &error) == -1)
		(void)cli_warn(&error);
	else if (claimants_count(claimants) == 0)
		cli_warn_line("nobody executes the queue now (task-run --queue "
			      "does): waiting");
	claimants_close(claimants);
}

/* Waits until all have ended, or waiting has. */
static void
wait_for_ends(struct submit *submit)
{
	size_t left;

	if (cli_submit_wait_count(submit->waiting) > 0 && stop_signal == 0)
		say_idle(submit);
	while ((left = cli_submit_wait_count(submit->waiting)) > 0 &&
	       stop_signal == 0 && time_monotonic() < submit->deadline)
		(void)step(submit, false);
	if (left == 0)
		return;
	cli_warn_line("%zu task%s still queued (task-status says how %s)", left,
	    left == 1 ? " is" : "s are",
	    left == 1 ? "it stands" : "they stand");
	if (stop_signal == 0)
		submit->status = cli_worse(submit->status, STATUS_WAITED);
	cli_submit_wait_leave(
	    submit->waiting, stop_signal == 0 ? CODE_TIMEOUT : CODE_CANCELLED);
}

static void
open_waiting(struct submit *submit)
{
	const struct cli_submit_wait_options options = {
	    .store = registry_store(submit->registry),
	    .writer = submit->writer,
	    .keep_order = submit->options.keep_order,
	    .results = submit->options.results,
	};

	cli_submit_wait_open(&submit->waiting, &options);
	catch_signals();
}

/* What the options leave open. */
static void
complete(struct submit *submit)
{
	struct submit_batch_options options = {
	    .hold = submit->options.hold,
	    .dry = submit->options.dry_run,
	    .tell = tell,
	    .argument = submit,
	};
	struct svc_error error;

	task_run_id(submit->run);
	submit->options.lines.run = submit->run;
	submit->options.lines.outside = true;
	submit->options.lines.source =
	    submit->options.data == NULL ? "stdin" : "--data";
	submit->registry = submit->options.dry_run
			       ? cli_registry_if_any(submit->options.cli)
			       : cli_registry(submit->options.cli, true);
	if (submit->registry != NULL)
		options.store = registry_store(submit->registry);
	if (!submit->options.dry_run &&
	    queue_create(options.store, &error) == -1)
		cli_fail(&error);
	if (submit_batch_open(&submit->batch, &options, &error) == -1)
		cli_fail(&error);
	submit->writer = cli_stdout();
	if (submit->options.wait)
		open_waiting(submit);
	if (submit->options.data == NULL &&
	    reader_open(&submit->reader, STDIN_FILENO, "stdin",
		LINE_LENGTH_MAX - LINE_ROOM, &error) == -1)
		cli_fail(&error);
}

static int
finish(struct submit *submit)
{
	int status = submit->status;

	if (submit->waiting != NULL)
		status =
		    cli_worse(status, cli_submit_wait_close(submit->waiting));
	submit_batch_close(submit->batch);
	envelope_release(&submit->envelope);
	buffer_release(&submit->line);
	if (submit->reader != NULL)
		reader_close(submit->reader);
	registry_close(submit->registry);
	status = cli_finish(submit->writer, status);
	if (stop_signal != 0)
		cli_die_of(stop_signal);
	return status;
}

int
cli_submit(const struct cli_submit_options *options)
{
	struct submit submit = {.options = *options, .deadline = HUGE_VAL};

	envelope_init(&submit.envelope);
	complete(&submit);
	if (options->data == NULL)
		read_lines(&submit);
	else
		read_data(&submit);
	if (submit.waiting != NULL)
		wait_for_ends(&submit);
	return finish(&submit);
}
