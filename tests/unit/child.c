/* Children: exec failures, signals, descriptors, groups, environment, death. */
#include "process/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"

/* -Wwrite-strings, and argv is not const for historical reasons. */
#define WORD(text)    ((char *)(uintptr_t)(text))
#define SHELL(script) ((char *[]){WORD("sh"), WORD("-c"), WORD(script), NULL})

static struct child_options
plain(char *const *argv)
{
	struct child_options options = {
	    .argv = argv, .input = -1, .output = -1, .error = -1};

	return options;
}

static int
wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return status;
}

/* Runs it and reads what it prints, without the last newline. */
static int
run(struct child_options options, char *output, size_t size)
{
	int ends[2];
	size_t length = 0;
	ssize_t got;
	pid_t pid;

	if (!CHECK(pipe2(ends, O_CLOEXEC) == 0))
		return -1;
	options.output = ends[1];
	pid = child_start(&options, NULL);
	(void)close(ends[1]);
	while (length < size - 1 &&
	       (got = read(ends[0], output + length, size - 1 - length)) > 0)
		length += (size_t)got;
	(void)close(ends[0]);
	output[length] = '\0';
	output[strcspn(output, "\n")] = '\0';
	return CHECK(pid != -1) ? wait_for(pid) : -1;
}

static void
the_exit_status_is_the_commands(void)
{
	char text[64];

	CHECK(child_status(run(plain(SHELL("exit 7")), text, 64)) == 7);
	CHECK(child_status(run(plain(SHELL("kill -9 $$")), text, 64)) == 137);
}

static void
a_command_that_is_not_found_is_ENOENT_and_leaves_no_zombie(void)
{
	char *argv[] = {WORD("no-such-command-here"), NULL};
	struct child_options options = plain(argv);
	struct svc_error error;

	errno = 0;
	CHECK(child_start(&options, &error) == -1 && errno == ENOENT);
	CHECK(error.code == EX_UNAVAILABLE);
	CHECK_STRING(error.message,
	    "cannot run 'no-such-command-here': No such file or directory");
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void
a_directory_cannot_be_run(void)
{
	char *argv[] = {WORD("/"), NULL};
	struct child_options options = plain(argv);

	CHECK(child_start(&options, NULL) == -1 && errno == EACCES);
}

static void
the_child_has_default_signals_and_no_mask(void)
{
	char text[256];
	sigset_t set, before;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	/* 32 and 33 are the C library's own, and may be inherited ignored. */
	(void)run(plain(SHELL("while read -r key value; do case $key in "
			      "SigBlk:|SigIgn:) printf '%s%x ' $key "
			      "$((0x$value & 0x7fffffff));; esac; done "
			      "</proc/self/status")),
	    text, sizeof(text));
	CHECK_STRING(text, "SigBlk:0 SigIgn:0 ");
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGUSR1, SIG_DFL);
}

static void
the_parent_keeps_its_mask(void)
{
	char text[8];
	sigset_t set, after;

	sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)run(plain(SHELL("exit 0")), text, sizeof(text));
	(void)sigprocmask(SIG_SETMASK, NULL, &after);
	CHECK(sigismember(&after, SIGUSR2) == 1);
	CHECK(sigismember(&after, SIGTERM) == 0);
	sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

static void
what_was_to_be_ignored_stays_ignored(void)
{
	struct child_options options = plain(SHELL("kill -HUP $$; echo lives"));
	char text[64];
	sigset_t ignored;

	sigemptyset(&ignored);
	(void)sigaddset(&ignored, SIGHUP);
	options.ignored = &ignored;
	(void)run(options, text, sizeof(text));
	CHECK_STRING(text, "lives");
}

static void
descriptor_2_may_become_1_and_stay_2(void)
{
	struct child_options options =
	    plain(SHELL("cat <&0; echo out; echo err >&2"));
	char path[] = "/tmp/svckit-child.XXXXXX", text[64] = "";
	int file = mkostemp(path, O_CLOEXEC), saved[2], status;
	pid_t pid;

	(void)unlink(path);
	saved[0] = fcntl(1, F_DUPFD_CLOEXEC, 10);
	saved[1] = fcntl(2, F_DUPFD_CLOEXEC, 10);
	(void)dup2(file, 2);
	(void)fcntl(2, F_SETFD, FD_CLOEXEC);
	options.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	options.output = 2;
	options.error = 2;
	pid = child_start(&options, NULL);
	status = wait_for(pid);
	(void)dup2(saved[1], 2);
	(void)dup2(saved[0], 1);
	CHECK(pid != -1 && status == 0);
	CHECK(pread(file, text, sizeof(text) - 1, 0) > 0);
	CHECK_STRING(text, "out\nerr\n");
	(void)close(options.input);
	(void)close(file);
	(void)close(saved[0]);
	(void)close(saved[1]);
}

static void
a_group_of_its_own_has_its_pid(void)
{
	struct child_options options =
	    plain(SHELL("cut -d' ' -f5 /proc/$$/stat"));
	char text[64], want[32];
	pid_t pid;
	int ends[2];

	options.group = true;
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	options.output = ends[1];
	pid = child_start(&options, NULL);
	(void)close(ends[1]);
	CHECK(wait_for(pid) == 0);
	memset(text, 0, sizeof(text));
	CHECK(read(ends[0], text, sizeof(text) - 1) > 0);
	text[strcspn(text, "\n")] = '\0';
	(void)close(ends[0]);
	(void)snprintf(want, sizeof(want), "%d", (int)pid);
	CHECK_STRING(text, want);
}

/*
 * A middle process starts a sleeper and dies of SIGKILL; the sleeper holds the
 * write end of a pipe, whose end of file tells that it is gone.
 */
static void
the_child_dies_with_its_parent(void)
{
	struct pollfd end = {.events = POLLIN};
	int ends[2];
	pid_t middle;

	CHECK(pipe(ends) == 0);
	middle = fork();
	if (middle == 0) {
		struct child_options options =
		    plain((char *[]){WORD("sleep"), WORD("600"), NULL});

		options.death_signal = SIGTERM;
		(void)close(ends[0]);
		if (child_start(&options, NULL) == -1)
			_exit(1);
		(void)raise(SIGKILL);
	}
	(void)close(ends[1]);
	CHECK(child_status(wait_for(middle)) == 137);
	end.fd = ends[0];
	CHECK(poll(&end, 1, 10000) == 1 && (end.revents & POLLHUP) != 0);
	(void)close(ends[0]);
}

static void
the_environment_is_set_once(void)
{
	char *before[] = {WORD("A=1"), WORD("PORT=80"), WORD("PORTS=81"), NULL};
	const char *set[] = {"PORT=8080", "SVC_ID=x"};
	char **copy = child_environment(before, set, 2, NULL);

	if (!CHECK(copy != NULL))
		return;
	CHECK_STRING(copy[0], "A=1");
	CHECK_STRING(copy[1], "PORTS=81");
	CHECK_STRING(copy[2], "PORT=8080");
	CHECK_STRING(copy[3], "SVC_ID=x");
	CHECK(copy[4] == NULL);
	free(copy);
}

static void
the_environment_reaches_the_command(void)
{
	char *environment[] = {
	    WORD("SVC_ID=web1"), WORD("PATH=/usr/bin:/bin"), NULL};
	struct child_options options = plain(SHELL("echo $SVC_ID"));
	char text[64];

	options.environment = environment;
	(void)run(options, text, sizeof(text));
	CHECK_STRING(text, "web1");
}

static void
no_other_descriptor_is_inherited(void)
{
	int open_file = open("/dev/null", O_RDONLY | O_CLOEXEC), spare;
	char text[256], want[64];

	spare = fcntl(open_file, F_DUPFD_CLOEXEC, 50);
	(void)run(plain(SHELL("ls /proc/self/fd | grep -c '^50$'")), text,
	    sizeof(text));
	(void)snprintf(want, sizeof(want), "0");
	CHECK_STRING(text, want);
	(void)close(spare);
	(void)close(open_file);
}

int
main(void)
{
	RUN(the_exit_status_is_the_commands);
	RUN(a_command_that_is_not_found_is_ENOENT_and_leaves_no_zombie);
	RUN(a_directory_cannot_be_run);
	RUN(the_child_has_default_signals_and_no_mask);
	RUN(the_parent_keeps_its_mask);
	RUN(what_was_to_be_ignored_stays_ignored);
	RUN(descriptor_2_may_become_1_and_stay_2);
	RUN(a_group_of_its_own_has_its_pid);
	RUN(the_child_dies_with_its_parent);
	RUN(the_environment_is_set_once);
	RUN(the_environment_reaches_the_command);
	RUN(no_other_descriptor_is_inherited);
	return check_done();
}
