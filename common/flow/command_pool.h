/*
 * Tasks executed by a command on this machine: the call engine's other half,
 * with the same tasks and outcomes (net/call.h), so that a run does not care.
 *
 * A process a task, jobs of them at once, in a process group of its own,
 * started without a shell.  It gets the task on standard input with a LF behind
 * it (text: the characters of a task that is a string), SVC_TASK_ID,
 * SVC_ATTEMPT and SVC_DEADLINE in its environment, and what it prints is the
 * result: JSON, or with text a string, without its last LF.  Exit status 0 and
 * a result end it well; else CODE_EXIT, whose status is the exit status as a
 * shell shows it, and whose body is the last of its standard error.
 *
 * At its deadline or timeout the group gets SIGTERM, and SIGKILL 2 s later:
 * CODE_TIMEOUT.  The timeout is of all attempts, from the first one's start.
 * What the process leaves behind in its group is killed when it has ended.
 *
 * Retries only as often as the task or the option says, after full jitter
 * (net/call_retry.h).  A command that cannot be started at all is CODE_EXIT,
 * 127 or 126, and not retried; a process that the machine has no room for
 * (EAGAIN, ENOMEM, EMFILE) is waited for, as busy is.
 */
#ifndef SVCKIT_FLOW_COMMAND_POOL_H
#define SVCKIT_FLOW_COMMAND_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "net/call.h"

struct command_pool;
struct event_base;

struct command_pool_options {
	char *const *command; /* borrowed; command[0] is looked up in PATH */
	char *const *environment; /* borrowed */
	int jobs;
	double timeout; /* seconds; of a task that says none; 0: no limit */
	int retries; /* of a task that says none */
	bool text;
	size_t max_result; /* bytes */
	/*
	 * A descriptor above 2 that each command inherits, by the same number,
	 * so that what lives with it (a lock) lives until the command's last
	 * process has ended; -1: none.  Others do not get it, if it is
	 * close-on-exec.
	 */
	int inherit;
	const char *host; /* the instance's id in statistics and traces */
	/* Gets standard error, whole lines with LF, and whose they are. */
	void (*complaint)(void *argument, const struct call_task *task,
	    const char *text, size_t length);
	void *argument; /* of complaint */
	struct call_stats *stats; /* as in call_options */
	struct call_trace trace; /* the same */
};

/* EX_OSERR. */
int command_pool_open(struct command_pool **pool, struct event_base *base,
    const struct command_pool_options *options, call_done_fn done,
    void *argument, struct svc_error *error);
/* Kills what runs, and waits for it, without a call of done. */
void command_pool_close(struct command_pool *pool);

/* As call_submit(), call_pause(), call_cancel(), call_running(), _pending(). */
int command_pool_submit(
    struct command_pool *pool, struct call_task *task, struct svc_error *error);
void command_pool_pause(struct command_pool *pool, bool paused);
void command_pool_cancel(struct command_pool *pool, bool running);
size_t command_pool_running(const struct command_pool *pool);
size_t command_pool_pending(const struct command_pool *pool);
/* As call_vacant(); 0 while the machine has no room for a process. */
size_t command_pool_vacant(const struct command_pool *pool);
/*
 * As call_revoke(); but where its process runs that is stopped as at the
 * deadline, and done() comes when it has ended.
 */
void command_pool_revoke(struct command_pool *pool, struct call_task *task);

#endif
