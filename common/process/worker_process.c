#include "process/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "line/units.h"
#include "process/child.h"
#include "process/signals.h"

#define READ_SIZE (64UL * 1024)

struct worker_process {
	struct process_options options;
	pid_t pid; /* 0: reaped */
	int exit_descriptor; /* a pidfd: readable when it has ended */
	int descriptors[3]; /* our ends of its 0, 1, 2; -1: closed */
	struct event *events[3];
	struct event *exited;
	struct event *grace;
	const char *input; /* borrowed */
	size_t left;
	bool last; /* close the input behind it */
	bool stopping;
	bool over; /* it has exited */
	char complaint[PROCESS_COMPLAINT_MAX];
	size_t complaint_length;
};

/* libevent must forget a descriptor before it is closed. */
static void
close_end(struct worker_process *process, int which)
{
	if (process->events[which] != NULL)
		event_free(process->events[which]);
	process->events[which] = NULL;
	if (process->descriptors[which] != -1)
		close(process->descriptors[which]);
	process->descriptors[which] = -1;
}

static void
keep_complaint(struct worker_process *process, const char *data, size_t length)
{
	size_t room = sizeof(process->complaint), drop;

	if (length >= room) {
		memcpy(process->complaint, data + length - room, room);
		process->complaint_length = room;
		return;
	}
	room -= process->complaint_length;
	drop = length > room ? length - room : 0;
	memmove(process->complaint, process->complaint + drop,
	    process->complaint_length - drop);
	process->complaint_length -= drop;
	memcpy(process->complaint + process->complaint_length, data, length);
	process->complaint_length += length;
}

static void
tell(struct worker_process *process, int which, const char *data, size_t length)
{
	const struct process_options *options = &process->options;

	if (which == 1) {
		options->output(options->argument, data, length);
		return;
	}
	keep_complaint(process, data, length);
	if (options->complaint != NULL)
		options->complaint(options->complaint_argument, data, length);
}

static void
readable(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker_process *process = argument;
	int which = descriptor == process->descriptors[1] ? 1 : 2;
	char data[READ_SIZE];
	ssize_t length = read(descriptor, data, sizeof(data));

	(void)what;
	if (length > 0)
		tell(process, which, data, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		close_end(process, which);
}

/*
 * What the process wrote before it ended.  No more than is there at this
 * moment: what it left behind may write for ever.
 */
static void
drain(struct worker_process *process, int which)
{
	char data[READ_SIZE];
	int there = 0;

	if (process->descriptors[which] == -1 ||
	    ioctl(process->descriptors[which], FIONREAD, &there) == -1)
		return;
	while (there > 0 && process->descriptors[which] != -1) {
		ssize_t length = read(process->descriptors[which], data,
		    (size_t)there < sizeof(data) ? (size_t)there
						 : sizeof(data));

		if (length <= 0)
			break;
		there -= (int)length;
		tell(process, which, data, (size_t)length);
	}
}

static void
reap(struct worker_process *process, int *status)
{
	/* Before waitpid(2): until then the pid cannot be another's. */
	kill(-process->pid, SIGKILL);
	while (waitpid(process->pid, status, 0) == -1 && errno == EINTR)
		;
	process->pid = 0;
}

static void
exited(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker_process *process = argument;
	int status = 0;

	(void)descriptor;
	(void)what;
	process->over = true;
	drain(process, 1);
	drain(process, 2);
	reap(process, &status);
	event_del(process->exited);
	evtimer_del(process->grace);
	process->options.ended(process->options.argument, status);
}

static void
grace_over(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker_process *process = argument;

	(void)descriptor;
	(void)what;
	if (process->pid != 0)
		kill(-process->pid, SIGKILL);
}

static void
write_some(struct worker_process *process)
{
	ssize_t length;

	while (process->left > 0) {
		length = write(
		    process->descriptors[0], process->input, process->left);
		if (length == -1 && errno == EINTR)
			continue;
		if (length == -1 && errno == EAGAIN) {
			event_add(process->events[0], NULL);
			return;
		}
		if (length == -1) {
			/* It does not want its input: its own affair. */
			process_forget_input(process);
			return;
		}
		process->input += length;
		process->left -= (size_t)length;
	}
	if (process->last)
		close_end(process, 0);
}

static void
writable(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	write_some(argument);
}

void
process_write(
    struct worker_process *process, const char *data, size_t length, bool last)
{
	if (process->descriptors[0] == -1)
		return;
	process->input = data;
	process->left = length;
	process->last = last;
	write_some(process);
}

bool
process_quiet(const struct worker_process *process)
{
	struct pollfd ends[2] = {{process->exit_descriptor, POLLIN, 0},
	    {process->descriptors[1], POLLIN, 0}};

	return !process->stopping && !process->over && poll(ends, 2, 0) == 0;
}

bool
process_written(const struct worker_process *process)
{
	return process->left == 0;
}

void
process_forget_input(struct worker_process *process)
{
	process->left = 0;
	process->input = NULL;
	close_end(process, 0);
}

void
process_stop(struct worker_process *process, double grace)
{
	struct timeval span = duration_timeval(grace);

	if (process->stopping || process->pid == 0)
		return;
	process->stopping = true;
	kill(-process->pid, grace > 0 ? SIGTERM : SIGKILL);
	if (grace > 0)
		evtimer_add(process->grace, &span);
}

bool
process_stopping(const struct worker_process *process)
{
	return process->stopping;
}

const char *
process_complaint(const struct worker_process *process, size_t *length)
{
	*length = process->complaint_length;
	return process->complaint;
}

void
process_clear_complaint(struct worker_process *process)
{
	process->complaint_length = 0;
}

void
process_free(struct worker_process *process)
{
	int which, status;

	if (process == NULL)
		return;
	if (process->pid != 0)
		reap(process, &status);
	for (which = 0; which < 3; which++)
		close_end(process, which);
	if (process->exited != NULL)
		event_free(process->exited);
	if (process->grace != NULL)
		event_free(process->grace);
	if (process->exit_descriptor != -1)
		close(process->exit_descriptor);
	free(process);
}

/* Three pipes: theirs[] for the child, our ends do not block. */
static int
open_pipes(
    struct worker_process *process, int theirs[3], struct svc_error *error)
{
	int which, ends[2];

	for (which = 0; which < 3; which++) {
		if (pipe2(ends, O_CLOEXEC) == -1)
			return svc_error_errno(error, "pipe");
		process->descriptors[which] = ends[which == 0];
		theirs[which] = ends[which != 0];
		if (fcntl(process->descriptors[which], F_SETFL, O_NONBLOCK) ==
		    -1)
			return svc_error_errno(error, "fcntl");
	}
	return 0;
}

static int
watch(struct worker_process *process, struct svc_error *error)
{
	struct event_base *base = process->options.base;

	process->exit_descriptor = pidfd_open(process->pid, 0);
	if (process->exit_descriptor == -1)
		return svc_error_errno(error, "pidfd_open");
	process->events[0] = event_new(
	    base, process->descriptors[0], EV_WRITE, writable, process);
	process->events[1] = event_new(base, process->descriptors[1],
	    EV_READ | EV_PERSIST, readable, process);
	process->events[2] = event_new(base, process->descriptors[2],
	    EV_READ | EV_PERSIST, readable, process);
	process->exited =
	    event_new(base, process->exit_descriptor, EV_READ, exited, process);
	process->grace = evtimer_new(base, grace_over, process);
	if (process->events[0] == NULL || process->events[1] == NULL ||
	    process->events[2] == NULL || process->exited == NULL ||
	    process->grace == NULL || event_add(process->events[1], NULL) ||
	    event_add(process->events[2], NULL) ||
	    event_add(process->exited, NULL))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

static int
launch(struct worker_process *process, struct svc_error *error)
{
	int theirs[3] = {-1, -1, -1}, which, saved;
	struct child_options child = {.argv = process->options.command,
	    .environment = process->options.environment,
	    .inherit = process->options.inherit,
	    .group = true,
	    .death_signal = SIGKILL};

	if (open_pipes(process, theirs, error) == 0) {
		child.input = theirs[0];
		child.output = theirs[1];
		child.error = theirs[2];
		process->pid = child_start(&child, error);
	} else
		process->pid = -1;
	saved = errno;
	for (which = 0; which < 3; which++)
		if (theirs[which] != -1)
			close(theirs[which]);
	errno = saved;
	if (process->pid != -1)
		return watch(process, error);
	process->pid = 0;
	return -1;
}

int
process_start(struct worker_process **process,
    const struct process_options *options, struct svc_error *error)
{
	struct worker_process *made = calloc(1, sizeof(*made));
	int saved;

	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	signals_heed_children();
	made->options = *options;
	made->exit_descriptor = -1;
	made->descriptors[0] = made->descriptors[1] = made->descriptors[2] = -1;
	if (launch(made, error) == -1) {
		saved = errno;
		process_free(made);
		errno = saved;
		return -1;
	}
	*process = made;
	return 0;
}
