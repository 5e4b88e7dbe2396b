#include "cli_exec.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "process/command.h"

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

/* What --exec has no use for, where it would be a misunderstanding. */
void
cli_exec_check(const struct cli_calling *calling,
    const struct cli_instances_options *from, int argc)
{
	const struct cli *cli = calling->cli;

	if (argc == 0)
		cli_usage(cli, "--exec needs a COMMAND behind '--'");
	if (from->path != NULL || from->service != NULL ||
	    calling->selector != NULL)
		cli_usage(cli, "--exec uses no service: it goes with neither "
			       "--resources nor --service nor --label");
	if (calling->policy.type != NULL || calling->call.hedge > 0 ||
	    calling->call.rate > 0 || calling->http.header_count > 0)
		cli_usage(cli, "--exec calls nobody: it goes with neither "
			       "--policy nor --hedge nor --rate nor --header");
}

/* Told before anything runs: 127 where there is no such command, else 126. */
static void
check_command(const char *name)
{
	struct svc_error error;
	int missing;

	if (command_check(name, getenv("PATH"), &error) == 0)
		return;
	missing = errno == ENOENT;
	(void)cli_warn(&error);
	exit(missing ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

/* A command's standard error, with whose it is in front of each line. */
static void
on_complaint(void *argument, const struct call_task *task, const char *text,
    size_t length)
{
	struct cli_exec *exec = argument;
	struct buffer lines = BUFFER_INIT;
	const char *end = text + length, *next;

	for (; text < end; text = next) {
		next = memchr(text, '\n', (size_t)(end - text));
		next = next == NULL ? end : next + 1;
		buffer_append_format(&lines, "%s: ", task->id);
		buffer_append(&lines, text, (size_t)(next - text));
	}
	cli_calling_complain(exec->calling, lines.data, lines.length);
	buffer_release(&lines);
}

void
cli_exec_complete(
    struct cli_exec *exec, struct cli_calling *calling, char *argv[])
{
	struct command_pool_options *pool = &exec->pool;

	check_command(argv[0]);
	exec->calling = calling;
	/* The line's own does not matter, and none need be there. */
	calling->item.service = "exec";
	if (gethostname(exec->host, sizeof(exec->host) - 1) == -1)
		strlcpy(exec->host, "localhost", sizeof(exec->host));
	pool->command = argv;
	pool->environment = environ;
	pool->jobs = calling->call.jobs;
	pool->timeout = calling->item.timeout > 0 ? calling->item.timeout : 0;
	pool->retries = calling->retries_said ? calling->call.retries : 0;
	pool->text = calling->item.envelope.text;
	pool->max_result = calling->call.max_result;
	pool->host = exec->host;
	pool->inherit = -1;
	pool->complaint = on_complaint;
	pool->argument = exec;
}
