#include "process/handler_run.h"

#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/units.h"
#include "process/child.h"

struct handler_run {
	struct handler_run_options options;
	pid_t pid; /* of the group's leader; 0: none, or reaped */
	int descriptor; /* its pidfd; -1: none */
	struct event *exited;
	struct event *timer; /* its timeout; then KILL */
	bool ending; /* the group has had TERM */
	bool killed; /* and KILL */
	bool timed_out;
	bool over; /* the leader has ended, and is not reaped yet */
};

/* Arms the timer; a run whose timer cannot be armed is not left to itself. */
static void
set_timer(struct handler_run *run, double seconds)
{
	struct timeval time = duration_timeval(seconds);

	if (evtimer_add(run->timer, &time) == -1)
		event_active(run->timer, EV_TIMEOUT, 0);
}

/*
 * Kills the group.  Its id can be no other's: the leader is not reaped before.
 * -1 where it may not be killed (a handler that became another user).
 */
static int
kill_group(struct handler_run *run)
{
	(void)kill(-run->pid, SIGKILL);
	return kill(run->pid, SIGKILL);
}

/* Its wait status; -1 where somebody else has taken that. */
static int
reap(struct handler_run *run, int flags)
{
	int status = -1;

	while (waitpid(run->pid, &status, flags) == -1 && errno == EINTR)
		continue;
	run->pid = 0;
	return status;
}

/* Whether the leader has ended, be it unnoticed yet: what it left behind is not
 * ours to kill. */
static bool
has_ended(const struct handler_run *run)
{
	struct pollfd end = {run->descriptor, POLLIN, 0};

	return run->over || poll(&end, 1, 0) == 1;
}

static void
describe_end(const struct handler_run *run, int status, struct buffer *out)
{
	const char *name;

	if (run->timed_out) {
		buffer_append_string(out, "timed out after ");
		duration_append(out, run->options.timeout);
	} else if (status == -1) {
		buffer_append_string(out, "its exit status was lost");
	} else if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		buffer_append_format(
		    out, "killed by signal %d", WTERMSIG(status));
		if (name != NULL)
			buffer_append_format(out, " (SIG%s)", name);
	} else
		buffer_append_format(
		    out, "exit status %d", WEXITSTATUS(status));
}

/* Tells what came of it; nothing may look at run afterwards. */
static void
finish(struct handler_run *run, const char *reason)
{
	(void)event_del(run->exited);
	(void)evtimer_del(run->timer);
	run->options.ended(run->options.argument, reason);
}

static void
finish_reaped(struct handler_run *run)
{
	int status = reap(run, 0);
	struct buffer out = BUFFER_INIT;
	const char *reason;

	if (status == 0 && !run->timed_out) {
		finish(run, NULL);
		return;
	}
	describe_end(run, status, &out);
	reason = buffer_string(&out);
	finish(run, reason == NULL ? "out of memory" : reason);
	buffer_release(&out);
}

/*
 * What timed out gets its time until KILL even when its leader has ended: the
 * rest of its group may be about to, or not to.
 */
static void
on_exited(evutil_socket_t descriptor, short what, void *argument)
{
	struct handler_run *run = argument;

	(void)descriptor;
	(void)what;
	run->over = true;
	if (!run->timed_out || run->killed)
		finish_reaped(run);
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	struct handler_run *run = argument;

	(void)descriptor;
	(void)what;
	if (!run->timed_out && has_ended(run))
		return;
	if (!run->ending) {
		run->ending = true;
		run->timed_out = true;
		(void)kill(-run->pid, SIGTERM);
		set_timer(run, HANDLER_KILL_DELAY);
		return;
	}
	run->killed = true;
	if (kill_group(run) == -1) {
		/* Waiting for it could take for ever. */
		(void)reap(run, WNOHANG);
		finish(run, "cannot be killed: operation not permitted");
	} else if (run->over)
		finish_reaped(run);
}

void
handler_run_stop(struct handler_run *run, double grace)
{
	if (run->timed_out || has_ended(run))
		return;
	run->ending = true;
	(void)kill(-run->pid, SIGTERM);
	set_timer(run, grace);
}

void
handler_run_free(struct handler_run *run)
{
	if (run == NULL)
		return;
	if (run->pid != 0 && !run->timed_out && has_ended(run))
		(void)reap(run, 0);
	else if (run->pid != 0)
		(void)reap(run, kill_group(run) == -1 ? WNOHANG : 0);
	if (run->exited != NULL)
		event_free(run->exited);
	if (run->timer != NULL)
		event_free(run->timer);
	if (run->descriptor != -1)
		(void)close(run->descriptor);
	free(run);
}

static int
write_all(int descriptor, const char *data, size_t length)
{
	ssize_t written;

	while (length > 0) {
		written = write(descriptor, data, length);
		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1)
			return -1;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

/*
 * The lines as a file that nobody can change, from its beginning: a pipe would
 * make us wait for a run that does not read.
 */
static int
make_input(const struct handler_batch *batch)
{
	const struct handler_waiting *waiting;
	int descriptor, saved;

	descriptor = memfd_create("events", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (descriptor == -1)
		return -1;
	TAILQ_FOREACH(waiting, batch, link)
	if (write_all(descriptor, waiting->line, waiting->length) == -1)
		goto out;
	if (lseek(descriptor, 0, SEEK_SET) == 0 &&
	    fcntl(descriptor, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return descriptor;
out:
	saved = errno;
	(void)close(descriptor);
	errno = saved;
	return -1;
}

/* A name that all events of batch have; "" where they differ. */
static const char *
agreed(const struct handler_batch *batch, int which, size_t *count)
{
	const struct handler_waiting *waiting, *first = TAILQ_FIRST(batch);
	const char *name = first->names[which];

	*count = 0;
	TAILQ_FOREACH(waiting, batch, link)
	{
		++*count;
		if (strcmp(waiting->names[which], name) != 0)
			name = "";
	}
	return name;
}

/* The variables, each with its NUL behind it. */
static void
append_variables(const struct handler_batch *batch, struct buffer *out)
{
	static const char *const variables[WAITING_NAMES] = {
	    [WAITING_KIND] = "SVC_EVENT",
	    [WAITING_SERVICE] = "SVC_SERVICE",
	    [WAITING_ID] = "SVC_ID",
	};
	size_t count = 0;
	int i;

	for (i = 0; i < WAITING_NAMES; i++) {
		const char *name = agreed(batch, i, &count);

		buffer_append_format(out, "%s=%s", variables[i], name);
		buffer_append_char(out, '\0');
	}
	buffer_append_format(out, "SVC_EVENTS=%zu", count);
	buffer_append_char(out, '\0');
}

/* Starts the group's leader: its pid, or -1 and errno. */
static pid_t
start_child(const struct handler_run_options *options,
    const struct handler_batch *batch, int input)
{
	struct child_options child = {.argv = options->argv,
	    .input = input,
	    .output = STDERR_FILENO,
	    .error = -1,
	    .group = true,
	    .death_signal = SIGTERM,
	    .ignored = options->ignored};
	const char *assignments[WAITING_NAMES + 1], *next;
	struct buffer variables = BUFFER_INIT;
	char **environment = NULL;
	pid_t pid = -1;
	int i, saved;

	append_variables(batch, &variables);
	if ((next = buffer_string(&variables)) != NULL) {
		for (i = 0; i <= WAITING_NAMES; i++) {
			assignments[i] = next;
			next += strlen(next) + 1;
		}
		environment = child_environment(
		    options->environment, assignments, i, NULL);
	}
	if (environment != NULL) {
		child.environment = environment;
		pid = child_start(&child, NULL);
	} else
		errno = ENOMEM;
	saved = errno;
	free(environment);
	buffer_release(&variables);
	errno = saved;
	return pid;
}

static int
watch(struct handler_run *run, struct svc_error *error)
{
	struct event_base *base = run->options.base;

	run->descriptor = pidfd_open(run->pid, 0);
	if (run->descriptor == -1)
		return svc_error_errno(error, "cannot be run: pidfd");
	run->exited = event_new(base, run->descriptor, EV_READ, on_exited, run);
	run->timer = evtimer_new(base, on_timer, run);
	if (run->exited == NULL || run->timer == NULL ||
	    event_add(run->exited, NULL) == -1)
		return svc_error_set(
		    error, EX_OSERR, "cannot be run: out of memory");
	if (run->options.timeout > 0)
		set_timer(run, run->options.timeout);
	return 0;
}

static int
launch(struct handler_run *run, const struct handler_batch *batch,
    struct svc_error *error)
{
	int input = make_input(batch), saved;
	pid_t pid;

	if (input == -1)
		return svc_error_errno(error, "cannot be run: its input");
	pid = start_child(&run->options, batch, input);
	saved = errno;
	(void)close(input);
	errno = saved;
	if (pid == -1)
		return svc_error_errno(
		    error, "cannot be run: '%s'", run->options.argv[0]);
	run->pid = pid;
	return watch(run, error);
}

int
handler_run_start(struct handler_run **run,
    const struct handler_run_options *options,
    const struct handler_batch *batch, struct svc_error *error)
{
	struct handler_run *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_set(
		    error, EX_OSERR, "cannot be run: out of memory");
	made->options = *options;
	made->descriptor = -1;
	if (launch(made, batch, error) == -1) {
		handler_run_free(made);
		return -1;
	}
	*run = made;
	return 0;
}
