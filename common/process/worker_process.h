/*
 * A command's process on pipes: input is written and output read as they can
 * be, on the event loop, and its end is seen with all that it had written.
 *
 * It leads a process group of its own, which is killed when it has ended:
 * what it leaves behind holds no slot.
 */
#ifndef SVCKIT_PROCESS_WORKER_PROCESS_H
#define SVCKIT_PROCESS_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"

struct event_base;
struct worker_process;

#define PROCESS_COMPLAINT_MAX 4096 /* bytes of standard error kept */

struct process_options {
	struct event_base *base;
	char *const *command;
	char *const *environment;
	int inherit; /* child_options */
	/* Bytes of standard output. */
	void (*output)(void *argument, const char *data, size_t length);
	/* Bytes of standard error; may be NULL. */
	void (*complaint)(void *argument, const char *data, size_t length);
	/*
	 * It has ended, all output has been told, its group is killed.  The
	 * callee calls process_free().  wait_status is waitpid(2)'s.
	 */
	void (*ended)(void *argument, int wait_status);
	void *argument;
	void *complaint_argument;
};

/* Fails as child_start() does. */
int process_start(struct worker_process **process,
    const struct process_options *options, struct svc_error *error);

/*
 * Writes data to its input; last: and closes that.  Borrowed until all has been
 * written, the process has ended, or process_forget_input().
 */
void process_write(
    struct worker_process *process, const char *data, size_t length, bool last);
/* Whether it runs on, and has written nothing that has not been told. */
bool process_quiet(const struct worker_process *process);
/* Whether all has been written. */
bool process_written(const struct worker_process *process);
/* What is not written will not be: the input is closed. */
void process_forget_input(struct worker_process *process);

/* TERM to the group, and KILL after grace seconds (0: at once); once. */
void process_stop(struct worker_process *process, double grace);
bool process_stopping(const struct worker_process *process);

/* The last bytes of standard error. */
const char *process_complaint(
    const struct worker_process *process, size_t *length);
void process_clear_complaint(struct worker_process *process);

/* Kills what runs, waits for it, and frees. NULL is allowed. */
void process_free(struct worker_process *process);

#endif
