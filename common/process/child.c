#include "process/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * The child runs in its parent's memory until it executes: between vfork(2) and
 * execvpe(3) nothing may be called that allocates or takes a lock.
 */
struct start {
	const struct child_options *options;
	pid_t parent;
	volatile int *failure; /* errno of the child, for the parent */
};

/* Moves descriptor out of the way of 0, 1 and 2; -1 stays -1. */
static int
lift(int descriptor, int target)
{
	if (descriptor == -1 || descriptor == target || descriptor > 2)
		return descriptor;
	return fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

static int
place(int descriptor, int target)
{
	if (descriptor == -1)
		return 0;
	if (descriptor == target) /* dup2 would leave it close-on-exec */
		return fcntl(descriptor, F_SETFD, 0);
	return dup2(descriptor, target) == -1 ? -1 : 0;
}

static int
set_descriptors(const struct child_options *options)
{
	int from[3] = {options->input, options->output, options->error};
	int i;

	for (i = 0; i < 3; i++) {
		int lifted = lift(from[i], i);

		if (from[i] != -1 && lifted == -1)
			return -1;
		from[i] = lifted;
	}
	for (i = 0; i < 3; i++) {
		if (place(from[i], i) == -1)
			return -1;
	}
	return options->inherit > 2 ? fcntl(options->inherit, F_SETFD, 0) : 0;
}

static void
set_signals(const sigset_t *ignored)
{
	struct sigaction action;
	sigset_t none;
	int number;

	memset(&action, 0, sizeof(action));
	for (number = 1; number < NSIG; number++) {
		bool ignore =
		    ignored != NULL && sigismember(ignored, number) == 1;

		action.sa_handler = ignore ? SIG_IGN : SIG_DFL;
		/* Fails for KILL, STOP and libc's own: they are as they are. */
		(void)sigaction(number, &action, NULL);
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
tie_to_parent(const struct start *start)
{
	if (start->options->death_signal == 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, start->options->death_signal) == -1)
		return -1;
	/* A parent that died before that sends nothing any more. */
	if (getppid() != start->parent)
		_exit(128 + start->options->death_signal);
	return 0;
}

static void __attribute__((noreturn)) run(struct start *start)
{
	const struct child_options *options = start->options;

	if (tie_to_parent(start) == 0 &&
	    (!options->group || setpgid(0, 0) == 0) &&
	    set_descriptors(options) == 0) {
		set_signals(options->ignored);
		if (options->environment != NULL)
			execvpe(options->argv[0], options->argv,
			    options->environment);
		else
			execvp(options->argv[0], options->argv);
	}
	*start->failure = errno;
	_exit(127);
}

static void
reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

pid_t
child_start(const struct child_options *options, struct svc_error *error)
{
	/* A volatile member would not do: gcc dissolves the structure. */
	volatile int failure = 0;
	struct start start = {options, getpid(), &failure};
	sigset_t all, before;
	pid_t pid;
	int saved;

	/* A handler of ours must not run in the child, on our memory. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0)
		run(&start);
	saved = pid == -1 ? errno : failure;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid != -1 && saved == 0)
		return pid;
	if (pid != -1)
		reap(pid);
	(void)svc_error_set(error, pid == -1 ? EX_OSERR : EX_UNAVAILABLE,
	    "cannot run '%s': %s", options->argv[0], strerror(saved));
	errno = saved;
	return -1;
}

int
child_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

/* Whether both are assignments to the same name. */
static bool
same_name(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return strcspn(b, "=") == length && strncmp(a, b, length) == 0;
}

static bool
assigned(const char *variable, const char *const *assignments, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (same_name(variable, assignments[i]))
			return true;
	}
	return false;
}

char **
child_environment(char *const *environment, const char *const *assignments,
    int count, struct svc_error *error)
{
	size_t before = 0, kept = 0, i;
	char **copy;
	int j;

	while (environment[before] != NULL)
		before++;
	copy = calloc(before + (size_t)count + 1, sizeof(*copy));
	if (copy == NULL) {
		(void)svc_error_errno(error, "environment");
		return NULL;
	}
	for (i = 0; i < before; i++) {
		if (!assigned(environment[i], assignments, count))
			copy[kept++] = environment[i];
	}
	for (j = 0; j < count; j++)
		copy[kept++] = (char *)(uintptr_t)assignments[j];
	return copy;
}
