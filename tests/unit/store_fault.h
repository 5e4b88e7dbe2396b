/*
 * Faults on demand: a system call that fails with an errno, or ends the
 * process, in a child of the test.
 */
#ifndef SVCKIT_TESTS_STORE_FAULT_H
#define SVCKIT_TESTS_STORE_FAULT_H

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "store_fixture.h"

#define FAULT_KILL	  SECCOMP_RET_KILL_PROCESS
#define FAULT_ERRNO(code) (SECCOMP_RET_ERRNO | (uint32_t)(code))

/* Which call ends how. */
struct fault {
	long call;
	uint32_t end;
	uint32_t flags; /* not 0: only with this last of five arguments */
};

/* From here on the call ends so in this process: 0, or -1. */
static inline int
fault_set(const struct fault *fault)
{
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fault->call, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, args[4])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->flags, 0,
		fault->flags == 0 ? 0 : 1),
	    BPF_STMT(BPF_RET | BPF_K, fault->end),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/*
 * Does what fn does to the store in a child with the fault: what fn returned,
 * -1 when it ended the child, or -2 when this kernel has no such faults.
 */
static inline int
fault_run(struct store *store, int (*fn)(struct store *store),
    const struct fault *fault)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		_exit(fault_set(fault) == -1 ? 254 : fn(store));
	}
	if (!CHECK(pid != -1 && waitpid(pid, &status, 0) == pid))
		return -2;
	if (!WIFEXITED(status))
		return WTERMSIG(status) == SIGSYS ? -1 : -2;
	return WEXITSTATUS(status) == 254 ? -2 : WEXITSTATUS(status);
}

/* How many names of a directory begin so. */
static inline int
count_names(const char *directory, const char *prefix)
{
	DIR *stream = opendir(spool_path(directory));
	struct dirent *entry;
	int count = 0;

	if (stream == NULL)
		return 0;
	while ((entry = readdir(stream)) != NULL)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(stream);
	return count;
}

#endif
