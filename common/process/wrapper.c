#include "process/wrapper.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "process/child.h"
#include "process/signals.h"

struct wrapper {
	struct wrapper_options options;
	struct signals *signals;
	struct event *grace; /* after it the command is killed */
	struct event *late; /* made active when it ended during its start */
	pid_t pid; /* 0: none runs */
	bool starting; /* forward whoever sent it */
};

static void
collect(struct wrapper *wrapper)
{
	int status;

	if (wrapper->pid == 0 ||
	    waitpid(wrapper->pid, &status, WNOHANG) != wrapper->pid)
		return;
	wrapper->pid = 0;
	(void)evtimer_del(wrapper->grace);
	wrapper->options.ended(wrapper->options.argument, status);
}

static bool
stops(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGQUIT;
}

static void
on_signal(void *argument, int number, bool alone)
{
	struct wrapper *wrapper = argument;

	if (number == SIGCHLD && wrapper->starting) {
		event_active(wrapper->late, EV_READ, 0);
		return;
	}
	if (number == SIGCHLD) {
		collect(wrapper);
		return;
	}
	if (stops(number) && wrapper->options.stopping != NULL)
		wrapper->options.stopping(wrapper->options.argument, number);
	if (wrapper->pid != 0 && (alone || wrapper->starting))
		(void)kill(wrapper->pid, number);
}

static void
on_late(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	collect(argument);
}

static void
on_grace(evutil_socket_t descriptor, short what, void *argument)
{
	struct wrapper *wrapper = argument;

	(void)descriptor;
	(void)what;
	if (wrapper->pid != 0)
		(void)kill(wrapper->pid, SIGKILL);
}

static void
wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGQUIT);
	(void)sigaddset(set, SIGUSR1);
	(void)sigaddset(set, SIGUSR2);
	(void)sigaddset(set, SIGCHLD);
}

int
wrapper_open(struct wrapper **wrapper, const struct wrapper_options *options,
    struct svc_error *error)
{
	struct wrapper *made = calloc(1, sizeof(*made));
	sigset_t wanted;

	if (made == NULL)
		return svc_error_errno(error, "wrapper");
	made->options = *options;
	made->grace = evtimer_new(options->base, on_grace, made);
	made->late = evtimer_new(options->base, on_late, made);
	if (made->grace == NULL || made->late == NULL) {
		(void)svc_error_set(error, EX_OSERR, "no timer");
		goto out;
	}
	wanted_signals(&wanted);
	if (signals_open(&made->signals, options->base, &wanted, on_signal,
		made, error) == -1)
		goto out;
	*wrapper = made;
	return 0;
out:
	wrapper_close(made);
	return -1;
}

int
wrapper_start(struct wrapper *wrapper, char *const *argv,
    char *const *environment, struct svc_error *error)
{
	struct child_options child = {.argv = argv,
	    .environment = environment,
	    .input = -1,
	    .output = -1,
	    .error = -1,
	    .death_signal = SIGTERM,
	    .ignored = wrapper->options.ignored};
	pid_t pid = child_start(&child, error);

	if (pid == -1)
		return -1;
	wrapper->pid = pid;
	/* A ^C from before the command was in the group reached us alone. */
	wrapper->starting = true;
	signals_read(wrapper->signals);
	wrapper->starting = false;
	return 0;
}

void
wrapper_stop(struct wrapper *wrapper, double grace)
{
	struct timeval time = duration_timeval(grace);

	if (wrapper->pid == 0)
		return;
	(void)kill(wrapper->pid, SIGTERM);
	(void)evtimer_add(wrapper->grace, &time);
}

bool
wrapper_runs(const struct wrapper *wrapper)
{
	return wrapper->pid != 0;
}

pid_t
wrapper_pid(const struct wrapper *wrapper)
{
	return wrapper->pid;
}

void
wrapper_close(struct wrapper *wrapper)
{
	if (wrapper == NULL)
		return;
	if (wrapper->pid != 0) {
		(void)kill(wrapper->pid, SIGKILL);
		while (waitpid(wrapper->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	signals_close(wrapper->signals);
	if (wrapper->grace != NULL)
		event_free(wrapper->grace);
	if (wrapper->late != NULL)
		event_free(wrapper->late);
	free(wrapper);
}
