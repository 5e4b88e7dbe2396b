/* Copies of the command that stay: a line in for a task, a line out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "line/json.h"
#include "line/units.h"
#include "net/worker_task.h"

/* A copy that ends sooner than this, and has answered nothing, is not started
 * again at once. */
#define COPY_YOUNG_SECONDS 1.0
#define COPY_PAUSE_FIRST   0.1
#define COPY_PAUSE_LONGEST 10.0

struct worker_copy {
	struct worker *worker;
	struct worker_process *process; /* NULL: it is to be started */
	struct worker_task *task; /* that it works on, or NULL */
	struct buffer input, output;
	struct event *restart;
	double started; /* on the monotonic clock */
	bool answered; /* at least once since it was started */
	int failures; /* in a row */
};

static void
complain(struct worker_copy *copy, const char *what)
{
	const struct worker_options *options = &copy->worker->options;
	char line[256];
	int length;

	if (options->complaint == NULL)
		return;
	length =
	    snprintf(line, sizeof(line), "%s: %s\n", options->command[0], what);
	if (length > 0)
		options->complaint(options->argument, line,
		    (size_t)length < sizeof(line) ? (size_t)length
						  : sizeof(line) - 1);
}

static void
schedule(struct worker_copy *copy)
{
	double pause = 0;
	struct timeval span;

	if (copy->failures > 0)
		pause = fmin(COPY_PAUSE_LONGEST,
		    ldexp(COPY_PAUSE_FIRST, copy->failures - 1));
	span = duration_timeval(pause);
	evtimer_add(copy->restart, &span);
}

/* Ends a copy that has lost the thread; its task is told why. */
static void
give_up(struct worker_copy *copy, const char *why)
{
	complain(copy, why);
	process_forget_input(copy->process);
	process_stop(copy->process, WORKER_GRACE_SECONDS);
	if (copy->task != NULL)
		task_refuse(copy->task, 500, why);
}

static void
finish(struct worker_copy *copy)
{
	struct worker_task *task = copy->task;
	size_t length = copy->output.length - 1;

	if (length > 0 && copy->output.data[length - 1] == '\r')
		length--;
	copy->answered = true;
	copy->task = NULL;
	task_answer(task, copy->output.data, length);
	buffer_trim(&copy->output, 64UL * 1024);
	buffer_trim(&copy->input, 64UL * 1024);
	process_clear_complaint(copy->process);
	task_release(task);
}

static void
output(void *argument, const char *data, size_t length)
{
	struct worker_copy *copy = argument;
	const char *feed;

	if (process_stopping(copy->process))
		return;
	if (copy->task == NULL) {
		give_up(copy, "the command wrote a line without a task");
		return;
	}
	feed = memchr(data, '\n', length);
	buffer_append(&copy->output, data, length);
	if (buffer_failed(&copy->output) ||
	    copy->output.length > copy->worker->options.max_result + 1)
		give_up(copy, "the command's output is too large");
	else if (feed == NULL)
		return;
	else if (feed + 1 != data + length)
		give_up(copy, "the command wrote more than a line for a task");
	else if (!process_written(copy->process))
		give_up(copy, "the command answered before it read its line");
	else
		finish(copy);
}

static void
ended(void *argument, int wait_status)
{
	struct worker_copy *copy = argument;
	struct worker_task *task = copy->task;
	bool young = time_monotonic() - copy->started < COPY_YOUNG_SECONDS;

	/* A copy that was stopped for its task's time is a good one. */
	if (copy->answered || process_stopping(copy->process) || !young)
		copy->failures = 0;
	else
		copy->failures++;
	if (!process_stopping(copy->process))
		complain(copy, "the command has ended; it is started again");
	if (task != NULL && task->request != NULL)
		task_answer_ended(task, wait_status, copy->process);
	process_free(copy->process);
	copy->process = NULL;
	copy->task = NULL;
	schedule(copy);
	if (task != NULL)
		task_release(task);
}

static int
start_copy(struct worker_copy *copy, struct svc_error *error)
{
	struct worker *worker = copy->worker;
	struct process_options options = {.base = worker->base,
	    .command = worker->options.command,
	    .environment = worker->environment,
	    .output = output,
	    .ended = ended,
	    .argument = copy,
	    .complaint = worker->options.complaint,
	    .complaint_argument = worker->options.argument};

	copy->started = time_monotonic();
	copy->answered = false;
	buffer_clear(&copy->output);
	return process_start(&copy->process, &options, error);
}

static void
restart(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker_copy *copy = argument;
	struct svc_error error;

	(void)descriptor;
	(void)what;
	if (start_copy(copy, &error) == -1) {
		complain(copy, error.message);
		copy->failures++;
		schedule(copy);
		return;
	}
	worker_pump(copy->worker);
}

int
copies_running(const struct worker *worker)
{
	int i, count = 0;

	for (i = 0; i < worker->options.slots; i++)
		count += worker->copies[i].process != NULL;
	return count;
}

int
copies_start(struct worker *worker, struct svc_error *error)
{
	int i;

	worker->copies =
	    calloc((size_t)worker->options.slots, sizeof(*worker->copies));
	if (worker->copies == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < worker->options.slots; i++) {
		struct worker_copy *copy = &worker->copies[i];

		copy->worker = worker;
		copy->restart = evtimer_new(worker->base, restart, copy);
		if (copy->restart == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		if (start_copy(copy, error) == -1)
			return -1;
	}
	return 0;
}

void
copies_free(struct worker *worker)
{
	int i;

	for (i = 0; worker->copies != NULL && i < worker->options.slots; i++) {
		struct worker_copy *copy = &worker->copies[i];

		process_free(copy->process);
		if (copy->restart != NULL)
			event_free(copy->restart);
		buffer_release(&copy->input);
		buffer_release(&copy->output);
	}
	free(worker->copies);
	worker->copies = NULL;
}

static struct worker_copy *
find_free(struct worker *worker)
{
	int i;

	for (i = 0; i < worker->options.slots; i++) {
		struct worker_copy *copy = &worker->copies[i];

		/* A line that lies there already answers no task to come; and
		 * one that has exited reads none. */
		if (copy->process != NULL && copy->task == NULL &&
		    process_quiet(copy->process))
			return copy;
	}
	return NULL;
}

static int
start(struct worker_task *task, struct svc_error *error)
{
	struct worker_copy *copy = find_free(task->worker);
	struct json_span body = {task->body, task->length};

	if (copy == NULL)
		return 0;
	buffer_clear(&copy->input);
	buffer_clear(&copy->output);
	json_append_line(&copy->input, body);
	buffer_append_char(&copy->input, '\n');
	if (buffer_failed(&copy->input))
		return svc_error_set(error, EX_OSERR, "out of memory");
	copy->task = task;
	task->copy = copy;
	process_write(
	    copy->process, copy->input.data, copy->input.length, false);
	return 1;
}

/* Its answer would come later, in the place of the next task's. */
static void
cancel(struct worker_task *task)
{
	process_forget_input(task->copy->process);
	process_stop(task->copy->process, WORKER_GRACE_SECONDS);
}

const struct worker_runner worker_copies = {start, cancel};
