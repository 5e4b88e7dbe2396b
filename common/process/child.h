/*
 * Children: a command started without a shell, in its own process group where
 * asked, with default signals.
 *
 * vfork(2), prctl(2) and execvp(3): as fast as posix_spawn(3), which cannot ask
 * for PR_SET_PDEATHSIG.  The child gets default signals and an empty mask,
 * whatever the parent ignores and blocks, and no descriptor but 0, 1, 2, the
 * one it is to inherit, and those that are not close-on-exec.
 */
#ifndef SVCKIT_PROCESS_CHILD_H
#define SVCKIT_PROCESS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "line/error.h"

struct child_options {
	char *const *argv; /* argv[0] is looked up in PATH */
	char *const *environment; /* NULL: the caller's own */
	int input; /* descriptors to become 0, 1, 2; -1: inherit */
	int output;
	int error;
	/* one more, above 2, that it gets by the same number; 0: none */
	int inherit;
	bool group; /* a process group of its own */
	int death_signal; /* what it gets when this process dies; 0: none */
	const sigset_t *ignored; /* what it ignores (nohup); NULL: nothing */
};

/*
 * Starts it.  Returns the pid, or -1 with EX_UNAVAILABLE and a message when
 * argv[0] cannot be run; errno says why: ENOENT where it was not found (127 of
 * a wrapper), another where it cannot be run (126).
 *
 * death_signal is sent when the thread that called this ends.
 */
pid_t child_start(const struct child_options *options, struct svc_error *error);

/* The exit status a shell would show: 128 + signal when it was killed. */
int child_status(int wait_status);

/*
 * A copy of environment with count assignments ("NAME=value") set; one block
 * to free(3).  The strings are borrowed.
 */
char **child_environment(char *const *environment,
    const char *const *assignments, int count, struct svc_error *error);

#endif
