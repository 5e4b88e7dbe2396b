/* What a task's client is told: see task-worker(8), ANSWERS. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "line/json.h"
#include "line/text.h"
#include "net/worker_task.h"

static bool
is_blank(const char *data, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (memchr(" \t\r\n", data[i], 4) == NULL)
			return false;
	return true;
}

static struct server_request *
take_request(struct worker_task *task)
{
	struct server_request *request = task->request;

	task->request = NULL;
	task->body = NULL;
	task->length = 0;
	return request;
}

void
task_refuse(struct worker_task *task, int status, const char *detail)
{
	struct server_request *request = take_request(task);

	if (request != NULL)
		server_reply_problem(request, status, NULL, detail, NULL);
}

void
task_answer(struct worker_task *task, const char *data, size_t length)
{
	bool text = task->worker->options.text;
	struct server_request *request;

	if (text && !text_valid(data, length)) {
		task_refuse(task, 500, "the command's output is not UTF-8");
		return;
	}
	if (!text && is_blank(data, length))
		length = 0;
	else if (!text && !json_valid(data, length)) {
		task_refuse(task, 500,
		    "the command's output is not JSON; for text start the "
		    "worker with -L");
		return;
	}
	if ((request = take_request(task)) != NULL)
		server_reply(request, 200,
		    text ? "text/plain; charset=utf-8" : "application/json",
		    NULL, data, length);
}

static void
describe_end(int wait_status, struct buffer *detail, struct buffer *extra)
{
	const char *name;
	int number;

	if (WIFEXITED(wait_status)) {
		number = WEXITSTATUS(wait_status);
		buffer_append_format(
		    detail, "the command exited with status %d", number);
		buffer_append_format(extra, ",\"exit\":%d", number);
		return;
	}
	number = WTERMSIG(wait_status);
	name = sigabbrev_np(number);
	if (name == NULL)
		name = "unknown";
	buffer_append_format(
	    detail, "the command was killed by signal %s", name);
	buffer_append_format(extra, ",\"signal\":\"%s\"", name);
}

void
task_answer_ended(struct worker_task *task, int wait_status,
    const struct worker_process *process)
{
	struct buffer detail = BUFFER_INIT, extra = BUFFER_INIT;
	struct server_request *request;
	const char *complaint, *what, *more;
	size_t length;

	describe_end(wait_status, &detail, &extra);
	complaint = process_complaint(process, &length);
	if (length > 0) {
		buffer_append_string(&extra, ",\"stderr\":");
		json_append_string(&extra, complaint, length);
	}
	what = buffer_string(&detail);
	more = buffer_string(&extra);
	if ((request = take_request(task)) != NULL)
		server_reply_problem(request, 500, NULL,
		    what == NULL ? "the command failed" : what, more);
	buffer_release(&detail);
	buffer_release(&extra);
}
