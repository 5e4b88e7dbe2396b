/*
 * The CPU time of a process and all its living descendants.
 *
 * proc(5): the user and system time of each (utime, stime of /proc/PID/stat),
 * and that of the children it has waited for (cutime, cstime), which the kernel
 * adds up over all generations; the descendants are found by
 * /proc/PID/task/TID/children.  Times are whole ticks of the kernel, 10 ms.
 *
 * What is told is what was used between two looks, and never less than nothing.
 * The time of a process that ended in between is in its parent's cutime, where
 * that waited for it; where it did not (it ignores SIGCHLD, or has itself
 * ended) the time since the last look is not known and does not count.  Neither
 * does that of a descendant whose parent has ended: it is init's child by then.
 * Where the kernel has no children files (CONFIG_PROC_CHILDREN), the process
 * itself and what it has waited for is all that counts.
 */
#ifndef SVCKIT_PROCESS_USAGE_H
#define SVCKIT_PROCESS_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "line/error.h"

/* Of a tree with more processes the others do not count. */
#define USAGE_PROCESSES_MAX 16384

struct usage;

/* Takes the first look at pid's tree. */
int usage_open(struct usage **usage, pid_t pid, struct svc_error *error);
/* NULL is allowed. */
void usage_close(struct usage *usage);

/*
 * Looks again: the CPU seconds that the tree used since the last look, and the
 * seconds that have passed since.  1; 0: there is no such process any more, or
 * no /proc; -1: out of memory.
 */
int usage_take(
    struct usage *usage, double *used, double *passed, struct svc_error *error);

/* On how many processors the process may run (sched_getaffinity(2)); 1 where
 * that cannot be told. */
int usage_processors(pid_t pid);

/* One process of a look; all in ticks. */
struct usage_process {
	pid_t pid;
	pid_t parent;
	uint64_t own; /* it itself */
	uint64_t waited; /* the children it has waited for */
	uint64_t started; /* since boot */
};

/*
 * The ticks used between two looks, each sorted by pid without doubles; looked
 * is when the first was taken, in ticks since boot.  A process that is older
 * than that look, and was not in it, counts from the next one on.
 */
uint64_t usage_difference(const struct usage_process *before,
    size_t before_count, const struct usage_process *after, size_t after_count,
    uint64_t looked);

#endif
