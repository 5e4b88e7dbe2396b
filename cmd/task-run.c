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
#include "cli_exec.h"
#include "cli_instances.h"
#include "cli_queue.h"
#include "cli_run.h"
#include "flow/run.h"

/* Seconds: a lease that a busy machine cannot miss. */
#define LEASE_MIN 1.0

enum {
	OPTION_EXEC = OPTION_LONG,
	OPTION_GANTT,
	OPTION_HALT,
	OPTION_JOURNAL,
	OPTION_LEASE,
	OPTION_ORDER,
	OPTION_QUEUE,
	OPTION_RESUME,
	OPTION_SHARES,
	OPTION_SYNC,
	OPTION_UNTIL_EMPTY
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
	{OPTION_QUEUE, "queue", NULL, "execute what task-submit submits"},
	{OPTION_UNTIL_EMPTY, "until-empty", NULL, "... and end with it"},
	{OPTION_LEASE, "lease", "D", "... claims last so long (a lock)"},
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
    "[--stats FILE] -- COMMAND [ARGUMENT]...\n"
    "task-run --queue [-qv] [-R PLACE] [--until-empty] [--lease D] [OPTION]... "
    "[--exec ... -- COMMAND [ARGUMENT]...]";

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
	struct halt halt;
	struct cli_exec command;
	struct journal *journal;
	struct reader *reader;
	struct writer *writer;
	struct run *run;
	struct cli_run *view;
	bool from_queue;
	bool until_empty;
	double ttl; /* --lease */
	struct cli_queue *queue; /* NULL: tasks are read from reader */
};

static int
parse_lease(double *ttl, const char *text, struct svc_error *error)
{
	if (duration_parse(text, ttl, error) == -1)
		return -1;
	if (*ttl < LEASE_MIN)
		return svc_error_set(
		    error, EX_USAGE, "shorter than a second: '%s'", text);
	return 0;
}

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
	case OPTION_QUEUE:
		task_run->from_queue = true;
		break;
	case OPTION_UNTIL_EMPTY:
		task_run->until_empty = true;
		break;
	case OPTION_LEASE:
		result = parse_lease(&task_run->ttl, optarg, &error);
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

/* The queue has an order, a memory and an output of its own. */
static void
check_queue(const struct task_run *task_run)
{
	const struct cli *cli = &task_run->cli;
	const struct cli_calling *calling = &task_run->calling;

	if (!task_run->from_queue) {
		if (task_run->until_empty || task_run->ttl > 0)
			cli_usage(
			    cli, "--until-empty and --lease need --queue");
		return;
	}
	if (task_run->tasks != NULL || task_run->from.path != NULL)
		cli_usage(cli, "--queue reads the registry: it goes with "
			       "neither --tasks nor --resources");
	if (task_run->journal_path != NULL ||
	    task_run->halt.how != HALT_NEVER || task_run->order != -1 ||
	    calling->item.envelope.retry)
		cli_usage(cli, "--queue goes with neither --journal nor "
			       "--halt nor --order nor --retry");
	if (calling->keep_order || calling->dry_run ||
	    calling->item.result_only)
		cli_usage(cli, "--queue prints no lines: it goes with neither "
			       "--keep-order nor --dry-run nor --output");
	if (calling->item.envelope.bare ||
	    (calling->item.envelope.text && !task_run->exec))
		cli_usage(cli, "--queue reads no lines: it goes with neither "
			       "--bare nor (but for --exec) --text");
	if (task_run->gantt != NULL)
		cli_usage(cli, "--queue may never end: it does not go with "
			       "--gantt");
}

static void
check(const struct task_run *task_run, int argc, char *argv[])
{
	const struct cli *cli = &task_run->cli;

	cli_calling_check(&task_run->calling);
	if (task_run->exec)
		cli_exec_check(&task_run->calling, &task_run->from, argc);
	else if (argc > 0)
		cli_usage(cli, "unexpected operand '%s'", argv[0]);
	check_queue(task_run);
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
	    .title =
		task_run->from_queue ? "queue" : reader_name(task_run->reader),
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
		cli_exec_complete(&task_run->command, calling, argv);
	else
		complete_service(task_run);
	registry = !task_run->exec && task_run->from.path == NULL;
	/* The command's lines are text, those of the queue are not. */
	if (task_run->from_queue)
		calling->item.envelope.text = false;
	else
		task_run->reader = cli_reader(
		    task_run->tasks, cli_calling_line_limit(calling));
	cli_calling_complete(calling,
	    task_run->from_queue ? "queue" : reader_name(task_run->reader),
	    !task_run->exec, registry);
	check_journal(task_run);
	open_journal(task_run);
	cli_calling_show(calling,
	    task_run->from_queue ? -1 : reader_descriptor(task_run->reader));
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
	if (task_run->queue != NULL) {
		cli_queue_status(task_run->queue);
		return;
	}
	run_counts(task_run->run, &counts);
	cli_run_status(task_run->view, &counts);
}

static void
on_stop(void *argument)
{
	const struct task_run *task_run = argument;

	if (task_run->queue != NULL)
		cli_queue_stop(task_run->queue);
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
open_queue(struct task_run *task_run, struct event_base *base)
{
	const struct cli_queue_options options = {
	    .calling = &task_run->calling,
	    .service = task_run->calling.item.service,
	    .ttl = task_run->ttl,
	    .local = task_run->exec,
	    .until_empty = task_run->until_empty,
	};

	cli_queue_open(&task_run->queue, base, &options);
	task_run->command.pool.inherit = cli_queue_descriptor(task_run->queue);
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
	    .command = task_run->exec ? &task_run->command.pool : NULL,
	    .reader = task_run->reader,
	    .source =
		task_run->from_queue ? cli_queue_source(task_run->queue) : NULL,
	    .whole = !task_run->from_queue && is_whole(task_run->reader),
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
	/* Those of the queue have their own file, and --until-empty asks. */
	if (counts.failed > 0 && !counts.satisfied && !task_run->from_queue)
		status = cli_worse(status, 1);
	return status;
}

/* A daemon that was asked to end has done what it should. */
static int
close_queue(struct task_run *task_run)
{
	struct cli_calling *calling = &task_run->calling;
	int status = cli_queue_close(task_run->queue);

	if (calling->signal == SIGTERM && !task_run->until_empty)
		calling->signal = 0;
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
	if (task_run->from_queue)
		open_queue(task_run, base);
	open_run(task_run, base);
	cli_calling_catch(&stops, &task_run->calling, base, on_stop, task_run);
	status_asked = evsignal_new(base, SIGUSR1, on_status, task_run);
	if (status_asked != NULL)
		event_add(status_asked, NULL);
	if (task_run->queue != NULL)
		cli_queue_start(task_run->queue, task_run->run);
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
	/* Nothing is given back that still runs. */
	if (task_run->queue != NULL)
		status = cli_worse(status, close_queue(task_run));
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
	if (task_run.reader != NULL)
		cli_reader_close(task_run.reader);
	cli_instances_release(&task_run.instances);
	group_shares_release(&task_run.shares);
	return cli_calling_finish(&task_run.calling, task_run.writer, status);
}
