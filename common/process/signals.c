#include "process/signals.h"

#include <sys/signalfd.h>

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct signals {
	signals_fn fn;
	void *argument;
	sigset_t before;
	int descriptor;
	struct event *event;
};

void
signals_ignored(sigset_t *set)
{
	struct sigaction action;
	int number;

	sigemptyset(set);
	for (number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			(void)sigaddset(set, number);
	}
}

void
signals_heed_children(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN)
		(void)signal(SIGCHLD, SIG_DFL);
}

/* wanted without what is ignored. */
static void
choose(const sigset_t *wanted, sigset_t *set)
{
	sigset_t ignored;
	int number;

	if (sigismember(wanted, SIGCHLD) == 1)
		signals_heed_children();
	signals_ignored(&ignored);
	*set = *wanted;
	for (number = 1; number < NSIG; number++) {
		if (sigismember(&ignored, number) == 1)
			(void)sigdelset(set, number);
	}
}

void
signals_read(struct signals *signals)
{
	struct signalfd_siginfo info;

	while (read(signals->descriptor, &info, sizeof(info)) ==
	       (ssize_t)sizeof(info))
		signals->fn(signals->argument, (int)info.ssi_signo,
		    info.ssi_code <= 0); /* SI_USER and its kin */
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	signals_read(argument);
}

int
signals_open(struct signals **signals, struct event_base *base,
    const sigset_t *wanted, signals_fn fn, void *argument,
    struct svc_error *error)
{
	struct signals *made = calloc(1, sizeof(*made));
	sigset_t set;

	if (made == NULL)
		return svc_error_errno(error, "signals");
	made->fn = fn;
	made->argument = argument;
	choose(wanted, &set);
	(void)sigprocmask(SIG_BLOCK, &set, &made->before);
	made->descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (made->descriptor == -1) {
		(void)svc_error_errno(error, "signalfd");
		goto out;
	}
	made->event = event_new(
	    base, made->descriptor, EV_READ | EV_PERSIST, on_readable, made);
	if (made->event == NULL || event_add(made->event, NULL) == -1) {
		(void)svc_error_set(error, EX_OSERR, "no event for signals");
		goto out;
	}
	*signals = made;
	return 0;
out:
	signals_close(made);
	return -1;
}

void
signals_close(struct signals *signals)
{
	if (signals == NULL)
		return;
	if (signals->event != NULL)
		event_free(signals->event);
	if (signals->descriptor != -1)
		(void)close(signals->descriptor);
	(void)sigprocmask(SIG_SETMASK, &signals->before, NULL);
	free(signals);
}
