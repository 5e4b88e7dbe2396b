/* A process for each task: the body on its input, the answer on its output. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "net/worker_task.h"
#include "process/child.h"

static void
cancel(struct worker_task *task)
{
	process_forget_input(task->process);
	buffer_trim(&task->output, 0);
	process_stop(task->process, WORKER_GRACE_SECONDS);
}

static void
output(void *argument, const char *data, size_t length)
{
	struct worker_task *task = argument;

	if (task->request == NULL)
		return;
	buffer_append(&task->output, data, length);
	if (!buffer_failed(&task->output) &&
	    task->output.length <= task->worker->options.max_result)
		return;
	cancel(task);
	task_refuse(task, 500, "the command's output is too large");
}

static void
ended(void *argument, int wait_status)
{
	struct worker_task *task = argument;

	if (task->request == NULL)
		;
	else if (wait_status != 0)
		task_answer_ended(task, wait_status, task->process);
	else
		task_answer(task, task->output.data, task->output.length);
	task_release(task);
}

/* The environment with what is the task's own; freed with free(3). */
static char **
task_environment(struct worker_task *task, struct buffer *id,
    struct buffer *deadline, struct svc_error *error)
{
	const struct worker_options *options = &task->worker->options;
	const char *assignments[2];
	int64_t limit = options->timeout > 0
			    ? time_now() + (int64_t)(options->timeout * 1e3)
			    : 0;
	int count = 0;

	if (task->deadline != 0 && (limit == 0 || task->deadline < limit))
		limit = task->deadline;
	buffer_append_format(id, "SVC_TASK_ID=%s", task->id);
	buffer_append_string(deadline, "SVC_DEADLINE=");
	time_append(deadline, limit);
	if (*task->id != '\0')
		assignments[count++] = buffer_string(id);
	if (limit != 0)
		assignments[count++] = buffer_string(deadline);
	if (buffer_failed(id) || buffer_failed(deadline)) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	return child_environment(
	    task->worker->environment, assignments, count, error);
}

static int
start(struct worker_task *task, struct svc_error *error)
{
	struct worker *worker = task->worker;
	struct buffer id = BUFFER_INIT, deadline = BUFFER_INIT;
	char **environment = task_environment(task, &id, &deadline, error);
	struct process_options options = {.base = worker->base,
	    .command = worker->options.command,
	    .environment = environment,
	    .output = output,
	    .ended = ended,
	    .argument = task,
	    .complaint = worker->options.complaint,
	    .complaint_argument = worker->options.argument};
	int status = -1;

	if (environment != NULL)
		status = process_start(&task->process, &options, error);
	free(environment);
	buffer_release(&id);
	buffer_release(&deadline);
	if (status == -1)
		return -1;
	process_write(task->process, task->body, task->length, true);
	return 1;
}

const struct worker_runner worker_jobs = {start, cancel};
