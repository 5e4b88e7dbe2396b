/* task-run: execute tasks and workflows to their end, on what is there. */
#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_calling.h"
#include "cli_instances.h"
#include "cli_run.h"
#include "flow/run.h"
#include "process/command.h"

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

enum {
	OPTION_EXEC = OPTION_LONG,
	OPTION_GANTT,
	OPTION_HALT,
	OPTION_JOURNAL,
	OPTION_ORDER,
	OPTION_RESUME,
	OPTION_SHARES,
	OPTION_SYNC
};

/* clang-format off */
static const struct option_row rows[] = {
	{'t', "tasks", "FILE", "the tasks (standard input)"},
	{'s', "service", "NAME", "of tasks that name none"},
	{'r', "resources", "FILE", "instances from FILE, not the registry"},
	{OPTION_JOURNAL, "journal", "FILE", "note there what has ended"},
	{OPTION_RESUME, "resume", NULL, "what the journal has is done"},
	{OPTION_SYNC, "sync", NULL, "print nothing the disk does not have"},
	{OPTION_HALT, "halt", "WHEN", "soon|now,fail|success|done=N|N%"},
	{OPTION_ORDER, "order", "ORDER", "ready ones: fifo, edf, lpt or fair"},
	{OPTION_SHARES, "shares", "GROUP=N,...", "fair: the weights of groups"},
	{OPTION_EXEC, "exec", NULL, "tasks go to COMMAND, not to services"},
	{OPTION_GANTT, "gantt", "FILE", "draw what happened, as SVG"},
	OPTION_ROWS_CALLING,
	OPTION_ROWS_COMMON,
	{0, NULL, NULL, NULL},
};
/* clang-format on */

static const char synopsis[] =
    "task-run [-kLnqv] [-H HEADER]... [-j N] [-l SELECTOR] [-o FORMAT] "
    "[-R PLACE | -r FILE] [-s NAME] [-T DURATION] [-t FILE] [--bare] "
    "[--cacert FILE] [--cert FILE] [--deny-private] [--gantt FILE] "
    "[--halt WHEN] [--hedge DURATION] [--http1] [--idempotent] "
    "[--journal FILE [--resume] [--sync]] [--key FILE] [--max-result SIZE] "
    "[--max-task SIZE] [--order ORDER [--shares GROUP=N,...]] [--policy P] "
    "[--progress] [--rate N/s] [--retries N] [--retry] [--score HOW] "
    "[--seed N] [--smooth] [--stale D] [--stats FILE] [--token-file FILE]\n"
    "task-run --exec [-kLnqv] [-j N] [-o FORMAT] [-T DURATION] [-t FILE] "
    "[--bare] [--gantt FILE] [--halt WHEN] [--journal FILE [--resume] "
    "[--sync]] [--max-result SIZE] [--max-task SIZE] [--order ORDER "
    "[--shares GROUP=N,...]] [--progress] [--retries N] [--retry] "
    "[--stats FILE] -- COMMAND [ARGUMENT]...";

struct task_run {
	struct cli cli;
	struct cli_calling calling;
	struct cli_instances_options from; /* -r, -s, -l */
	struct cli_instances instances; /* of -r */
	const char *tasks; /* -t; NULL: standard input */
	const char *journal_path;
	bool resume;
	bool sync;
	bool exec;
	int order; /* -1: not said */
	struct group_shares shares;
	const char *gantt;
	char host[256];
	struct halt halt;
	struct command_pool_options command;
	struct journal *journal;
	struct reader *reader;
	struct writer *writer;
	struct run *run;
	struct cli_run *view;
};

static void
parse_option(struct task_run *task_run, int option)
{
	const struct cli *cli = &task_run->cli;
	struct svc_error error;
	int result = 0;

	switch (option) {
	case 't':
		task_run->tasks = cli_file_name(cli, option, optarg);
		break;
	case OPTION_JOURNAL:
		task_run->journal_path = cli_file_name(cli, option, optarg);
		break;
	case OPTION_RESUME:
		task_run->resume = true;
		break;
	case OPTION_SYNC:
		task_run->sync = true;
		break;
	case OPTION_HALT:
		result = halt_parse(&task_run->halt, optarg, &error);
		break;
	case OPTION_ORDER:
		task_run->order = task_order_find(optarg);
		if (task_run->order == -1)
			result = svc_error_set(&error, EX_USAGE,
			    "not an order: '%s' (say fifo, edf, lpt or fair)",
			    optarg);
		break;
	case OPTION_SHARES:
		result = group_shares_add(&task_run->shares, optarg, &error);
		break;
	case OPTION_EXEC:
		task_run->exec = true;
		break;
	case OPTION_GANTT:
		task_run->gantt = cli_file_name(cli, option, optarg);
		break;
	default:
		if (option == 'l' ||
		    !cli_instances_option(cli, option, &task_run->from))
			(void)cli_calling_option(&task_run->calling, option);
	}
	if (result == -1)
		cli_refuse(cli, option, "%s", error.message);
}

/* What --exec has no use for, where it would be a misunderstanding. */
static void
check_exec(const struct task_run *task_run, int argc)
{
	const struct cli *cli = &task_run->cli;
	const struct cli_calling *calling = &task_run->calling;

	if (argc == 0)
		cli_usage(cli, "--exec needs a COMMAND behind '--'");
	if (task_run->from.path != NULL || task_run->from.service != NULL ||
	    calling->selector != NULL)
		cli_usage(cli, "--exec uses no service: it goes with neither "
			       "--resources nor --service nor --label");
	if (calling->policy.type != NULL || calling->call.hedge > 0 ||
	    calling->call.rate > 0 || calling->http.header_count > 0)
		cli_usage(cli, "--exec calls nobody: it goes with neither "
			       "--policy nor --hedge nor --rate nor --header");
}

static void
check(const struct task_run *task_run, int argc, char *argv[])
{
	const struct cli *cli = &task_run->cli;

	cli_calling_check(&task_run->calling);
	if (task_run->exec)
		check_exec(task_run, argc);
	else if (argc > 0)
		cli_usage(cli, "unexpected operand '%s'", argv[0]);
	if (task_run->journal_path == NULL && task_run->resume)
		cli_usage(cli, "--resume needs --journal");
	if (task_run->journal_path == NULL && task_run->sync)
		cli_usage(cli, "--sync needs --journal");
	if (task_run->shares.count > 0 && task_run->order != ORDER_FAIR)
		cli_usage(cli, "--shares needs --order=fair");
	if (task_run->from.path != NULL)
		cli_instances_check(
		    cli, &task_run->from, true, task_run->tasks);
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
	struct task_run *task_run = argument;
	struct buffer lines = BUFFER_INIT;
	const char *end = text + length, *next;

	for (; text < end; text = next) {
		next = memchr(text, '\n', (size_t)(end - text));
		next = next == NULL ? end : next + 1;
		buffer_append_format(&lines, "%s: ", task->id);
		buffer_append(&lines, text, (size_t)(next - text));
	}
	cli_calling_complain(&task_run->calling, lines.data, lines.length);
	buffer_release(&lines);
}

static void
complete_exec(struct task_run *task_run, char *argv[])
{
	struct cli_calling *calling = &task_run->calling;
	struct command_pool_options *command = &task_run->command;

	check_command(argv[0]);
	/* The line's own does not matter, and none need be there. */
	calling->item.service = "exec";
	if (gethostname(task_run->host, sizeof(task_run->host) - 1) == -1)
		strlcpy(task_run->host, "localhost", sizeof(task_run->host));
	command->command = argv;
	command->environment = environ;
	command->jobs = calling->call.jobs;
	command->timeout =
	    calling->item.timeout > 0 ? calling->item.timeout : 0;
	command->retries = calling->retries_said ? calling->call.retries : 0;
	command->text = calling->item.envelope.text;
	command->max_result = calling->call.max_result;
	command->host = task_run->host;
	command->complaint = on_complaint;
	command->argument = task_run;
}

/* Of one service there is no need to name it. */
static void
complete_service(struct task_run *task_run)
{
	const struct cli_instances *instances = &task_run->instances;
	struct call_item_options *item = &task_run->calling.item;

	item->service = task_run->from.service;
	if (task_run->from.path == NULL)
		return;
	task_run->from.selector = task_run->calling.selector;
	cli_instances_read(
	    &task_run->cli, &task_run->instances, &task_run->from);
	if (item->service == NULL && instances->count > 0 &&
	    strcmp(instances->items[0].service,
		instances->items[instances->count - 1].service) == 0)
		item->service = instances->items[0].service;
}

/* A file is read to its end before anything starts. */
static bool
is_whole(const struct reader *reader)
{
	struct stat status;

	return fstat(reader_descriptor(reader), &status) == 0 &&
	       S_ISREG(status.st_mode);
}

/* Output that overwrites the journal, or tasks that grow with it. */
static void
check_journal(const struct task_run *task_run)
{
	struct stat journal, other;

	if (task_run->journal_path == NULL ||
	    stat(task_run->journal_path, &journal) == -1)
		return;
	if (fstat(STDOUT_FILENO, &other) == 0 &&
	    journal.st_dev == other.st_dev && journal.st_ino == other.st_ino)
		cli_usage(&task_run->cli,
		    "--journal and standard output are the same file");
	if (fstat(reader_descriptor(task_run->reader), &other) == 0 &&
	    journal.st_dev == other.st_dev && journal.st_ino == other.st_ino)
		cli_usage(&task_run->cli,
		    "--journal and the tasks are the same file");
}

static void
open_journal(struct task_run *task_run)
{
	const struct journal_options options = {
	    .path = task_run->journal_path,
	    .resume = task_run->resume,
	    .sync = task_run->sync,
	    .warn = cli_calling_say,
	    .argument = &task_run->calling,
	};
	struct svc_error error;

	if (task_run->journal_path != NULL && !task_run->calling.dry_run &&
	    journal_open(&task_run->journal, &options, &error) == -1)
		cli_fail(&error);
}

static void
open_view(struct task_run *task_run)
{
	struct cli_calling *calling = &task_run->calling;
	const struct cli_run_options options = {
	    .log = task_run->cli.verbose > 0,
	    .gantt = calling->dry_run ? NULL : task_run->gantt,
	    .title = reader_name(task_run->reader),
	    .progress = calling->progress,
	};

	cli_run_open(&task_run->view, &options);
}

/* What the options leave open, and the ends. */
static void
complete(struct task_run *task_run, char *argv[])
{
	struct cli_calling *calling = &task_run->calling;
	bool registry;

	if (task_run->exec)
		complete_exec(task_run, argv);
	else
		complete_service(task_run);
	registry = !task_run->exec && task_run->from.path == NULL;
	task_run->reader =
	    cli_reader(task_run->tasks, cli_calling_line_limit(calling));
	cli_calling_complete(
	    calling, reader_name(task_run->reader), !task_run->exec, registry);
	check_journal(task_run);
	open_journal(task_run);
	cli_calling_show(calling, reader_descriptor(task_run->reader));
	task_run->writer = cli_stdout();
	open_view(task_run);
}

static void
on_event(void *argument, const struct run_event *event)
{
	const struct task_run *task_run = argument;

	cli_run_event(task_run->view, event);
}

static void
on_tick(void *argument)
{
	const struct task_run *task_run = argument;
	struct run_counts counts;

	run_counts(task_run->run, &counts);
	cli_run_update(task_run->view, &counts);
}

static void
on_status(evutil_socket_t number, short what, void *argument)
{
	const struct task_run *task_run = argument;
	struct run_counts counts;

	(void)number;
	(void)what;
	run_counts(task_run->run, &counts);
	cli_run_status(task_run->view, &counts);
}

static void
on_stop(void *argument)
{
	const struct task_run *task_run = argument;

	run_stop(task_run->run);
}

static void
on_warning(void *argument, const char *message)
{
	struct task_run *task_run = argument;

	cli_calling_say(&task_run->calling, message);
}

static void
on_complain(void *argument, const char *text, size_t length)
{
	struct task_run *task_run = argument;

	cli_calling_complain(&task_run->calling, text, length);
}

static void
open_run(struct task_run *task_run, struct event_base *base)
{
	struct cli_calling *calling = &task_run->calling;
	const char *directory = getenv("TMPDIR");
	struct run_options options = {
	    .item = calling->item,
	    .call = calling->call,
	    .watch = calling->watch,
	    .instances = task_run->instances.items,
	    .instance_count = task_run->instances.count,
	    .command = task_run->exec ? &task_run->command : NULL,
	    .reader = task_run->reader,
	    .whole = is_whole(task_run->reader),
	    .writer = task_run->writer,
	    .output = STDOUT_FILENO,
	    .keep_order = calling->keep_order,
	    .plan = calling->dry_run,
	    .directory =
		directory != NULL && *directory != '\0' ? directory : "/tmp",
	    .journal = task_run->journal,
	    .resume = task_run->resume,
	    .order = task_run->order == -1 ? ORDER_FIFO
					   : (enum task_order)task_run->order,
	    .shares = &task_run->shares,
	    .halt = task_run->halt,
	    .warn = on_warning,
	    .complain = on_complain,
	    .event = task_run->cli.verbose > 0 || task_run->gantt != NULL ||
			     calling->show
			 ? on_event
			 : NULL,
	    .tick = calling->show ? on_tick : NULL,
	    .argument = task_run,
	};
	struct svc_error error;

	if (run_open(&task_run->run, base, &options, &error) == -1)
		cli_fail(&error);
}

/* The chart, of what has happened until now. */
static int
close_view(struct task_run *task_run)
{
	struct cli_run *view = task_run->view;
	struct run_counts counts;

	run_counts(task_run->run, &counts);
	task_run->view = NULL;
	return cli_run_close(view, &counts);
}

/*
 * What ended is told where it was asked for; then the journal is closed.  told:
 * that it cannot be written has been.
 */
static int
close_reports(struct task_run *task_run, int status, bool told)
{
	struct run_counts counts;
	struct svc_error error;

	run_counts(task_run->run, &counts);
	status = cli_worse(status, close_view(task_run));
	status = cli_worse(status, cli_calling_report(&task_run->calling));
	if (journal_close(task_run->journal, &error) == -1)
		status =
		    cli_worse(status, told ? error.code : cli_warn(&error));
	task_run->journal = NULL;
	if (counts.invalid > 0)
		status = cli_worse(status, EX_DATAERR);
	if (counts.failed > 0 && !counts.satisfied)
		status = cli_worse(status, 1);
	return status;
}

static int
run(struct task_run *task_run)
{
	struct event_base *base = event_base_new();
	struct event *status_asked;
	struct cli_stops *stops;
	struct svc_error error;
	enum run_fault fault;
	int status = EX_OK;
	bool told = false;

	if (base == NULL) {
		svc_error_set(&error, EX_OSERR, "no event loop");
		cli_fail(&error);
	}
	open_run(task_run, base);
	cli_calling_catch(&stops, &task_run->calling, base, on_stop, task_run);
	status_asked = evsignal_new(base, SIGUSR1, on_status, task_run);
	if (status_asked != NULL)
		event_add(status_asked, NULL);
	if (run_dispatch(task_run->run, &fault, &error) == -1) {
		if (fault == RUN_OUTPUT)
			(void)close_view(task_run);
		told = fault == RUN_JOURNAL;
		status = told ? error.code
			      : cli_calling_fail(&task_run->calling, base,
				    fault == RUN_OUTPUT, &error);
	}
	if (status_asked != NULL)
		event_free(status_asked);
	cli_calling_release(stops);
	status = close_reports(task_run, status, told);
	run_close(task_run->run);
	event_base_free(base);
	return status;
}

int
main(int argc, char *argv[])
{
	struct task_run task_run = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary = "Execute tasks and workflows to their end, on "
			   "the instances that are there."},
	    .order = -1,
	};
	int option, status;

	cli_init(&task_run.cli);
	cli_calling_init(&task_run.calling, &task_run.cli);
	while ((option = cli_option(&task_run.cli, argc, argv)) != -1)
		parse_option(&task_run, option);
	check(&task_run, argc - optind, argv + optind);
	cli_ignore_pipe();
	/* A journal at its limit is an error to be told, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	complete(&task_run, argv + optind);
	status = run(&task_run);
	cli_reader_close(task_run.reader);
	cli_instances_release(&task_run.instances);
	group_shares_release(&task_run.shares);
	return cli_calling_finish(&task_run.calling, task_run.writer, status);
}
