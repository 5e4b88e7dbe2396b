/* task-schedule: choose an instance for each task. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/reader.h"
#include "line/selector.h"
#include "line/task.h"
#include "line/units.h"
#include "registry/cursor.h"
#include "sched/placer_pipe.h"
#include "sched/placer.h"
#include "sched/policy.h"
#include "sched/pool.h"
#include "sched/instance_reader.h"

enum {
	OPTION_RANDOM = OPTION_LONG,
	OPTION_ROUND_ROBIN,
	OPTION_WEIGHTED,
	OPTION_SMOOTH,
	OPTION_CONSTRAINED,
	OPTION_SCORE,
	OPTION_SEED,
	OPTION_EXPLAIN
};

static const struct option_row rows[] = {
    {OPTION_RANDOM, "random", NULL, "any, with the same chance (default)"},
    {OPTION_ROUND_ROBIN, "round-robin", NULL,
	"one after the other, shared by all your processes"},
    {OPTION_WEIGHTED, "weighted", "[=FIELD]",
	"in proportion to FIELD (utilization); also headroom"},
    {OPTION_SMOOTH, "smooth", NULL, "weighted, but interleaved evenly"},
    {OPTION_CONSTRAINED, "constrained", NULL,
	"by what is left of the capacity that tasks ask for"},
    {OPTION_SCORE, "score", "HOW",
	"constrained: spread (least allocated) or pack (most)"},
    {'t', "tasks", "FILE", "tasks from FILE; '-' is standard input"},
    {'r', "resources", "FILE", "instances from FILE"},
    {'s', "service", "NAME", "for tasks that name none"},
    {'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
    {'a', "all", NULL, "also instances whose status gets no work"},
    {OPTION_SEED, "seed", "N", "the same choices each time"},
    OPTION_ROWS_LINES,
    {OPTION_EXPLAIN, "explain", "[=full]", "say why, on each line"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

static const char synopsis[] =
    "task-schedule [-aLqv] [--random | --round-robin] "
    "[--weighted[=FIELD] [--smooth]] [--constrained [--score=spread|pack]] "
    "[-l SELECTOR] [-R PLACE] [-r FILE] [-s NAME] [-t FILE] [--bare] "
    "[--explain[=full]] [--max-task SIZE] [--retry] [--seed N]";

struct request {
	const struct policy_type *policy; /* NULL: not said */
	struct policy_options options;
	bool score; /* said */
	bool seeded;
	const char *tasks;
	const char *resources;
	const char *service;
	const char *label;
	struct selector *selector;
	bool all;
	enum placer_explain explain;
	struct envelope_options lines;
};

/* The instances to choose from, wherever they come from. */
struct stock {
	struct instance *items;
	size_t count;
	size_t left_out; /* by --label */
	struct instance_reader roster; /* owns them, or */
	struct instance_list list;
	struct registry *registry; /* opened; or NULL */
};

/* Round-robin's place in the registry. */
struct rotation {
	const struct cli *cli;
	struct registry *registry; /* if it was opened for this alone */
	struct cursor_set *set; /* NULL: in memory */
};

static void
set_policy(struct cli *cli, struct request *request, const char *name)
{
	const struct policy_type *policy = policy_find(name);

	if (request->policy != NULL && request->policy != policy)
		cli_usage(cli, "--%s and --%s exclude each other",
		    request->policy->name, name);
	request->policy = policy;
}

static void
set_score(struct cli *cli, struct request *request, const char *name)
{
	request->score = true;
	if (strcmp(name, "spread") == 0)
		request->options.score = SCORE_SPREAD;
	else if (strcmp(name, "pack") == 0)
		request->options.score = SCORE_PACK;
	else
		cli_refuse(cli, OPTION_SCORE,
		    "not a score: '%s' (say spread or pack)", name);
}

static void
set_seed(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;
	long long seed;

	if (integer_parse(text, 0, INT64_MAX, &seed, &error) == -1)
		cli_refuse(cli, OPTION_SEED, "%s", error.message);
	request->options.seed = (uint64_t)seed;
	request->seeded = true;
}

static void
set_label(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	selector_free(request->selector);
	request->label = text;
	if (selector_parse(&request->selector, text, &error) == -1)
		cli_refuse(cli, 'l', "%s", error.message);
}

static void
set_service(struct cli *cli, struct request *request, const char *name)
{
	struct svc_error error;

	if (name_check("service", name, &error) == -1)
		cli_refuse(cli, 's', "%s", error.message);
	request->service = name;
}

static void
set_explain(struct cli *cli, struct request *request, const char *how)
{
	if (how != NULL && strcmp(how, "full") != 0)
		cli_refuse(cli, OPTION_EXPLAIN,
		    "not a way to explain: '%s' (say full, or nothing)", how);
	request->explain = how == NULL ? EXPLAIN_COUNTS : EXPLAIN_FULL;
}

static void
parse_policy(struct cli *cli, struct request *request, int option)
{
	switch (option) {
	case OPTION_RANDOM:
	case OPTION_ROUND_ROBIN:
	case OPTION_CONSTRAINED:
		set_policy(cli, request, option_row_find(rows, option)->name);
		break;
	case OPTION_WEIGHTED:
		set_policy(cli, request, "weighted");
		if (optarg != NULL && *optarg == '\0')
			cli_refuse(
			    cli, option, "not a member: '' (say capacity.cpu)");
		request->options.field = optarg;
		break;
	case OPTION_SMOOTH:
		request->options.smooth = true;
		break;
	case OPTION_SCORE:
		set_score(cli, request, optarg);
		break;
	case OPTION_SEED:
		set_seed(cli, request, optarg);
		break;
	}
}

static void
parse_option(struct cli *cli, struct request *request, int option)
{
	switch (option) {
	case 't':
		request->tasks = optarg;
		break;
	case 'r':
		request->resources = optarg;
		break;
	case 's':
		set_service(cli, request, optarg);
		break;
	case 'l':
		set_label(cli, request, optarg);
		break;
	case 'a':
		request->all = true;
		break;
	case OPTION_EXPLAIN:
		set_explain(cli, request, optarg);
		break;
	default:
		if (!cli_line_option(cli, option, &request->lines))
			parse_policy(cli, request, option);
	}
}

static bool
is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Whether instances come down the pipe. */
static bool
reads_instances(const struct request *request)
{
	if (request->resources != NULL)
		return is_stdin(request->resources);
	return request->service == NULL && request->label == NULL;
}

/* Whether there are tasks, or one choice is to be made for none. */
static bool
has_tasks(const struct request *request)
{
	return request->tasks != NULL || request->resources != NULL ||
	       !reads_instances(request);
}

static void
check_request(struct cli *cli, struct request *request)
{
	if (request->policy == NULL)
		request->policy = &policy_random;
	request->options.service = request->service;
	if (request->options.smooth && request->policy != &policy_weighted)
		cli_usage(cli, "--smooth needs --weighted");
	if (request->score && request->policy != &policy_constrained)
		cli_usage(cli, "--score needs --constrained");
	if (reads_instances(request) && has_tasks(request) &&
	    (request->tasks == NULL || is_stdin(request->tasks)))
		cli_usage(cli, "instances and tasks cannot both come from "
			       "standard input: name a file with --tasks or "
			       "--resources, or a --service");
	if (reads_instances(request) && isatty(STDIN_FILENO) == 1)
		cli_usage(cli,
		    "instances are expected on standard input, and "
		    "it is a terminal: pipe svc-discover into it, or "
		    "use --service or --resources");
	if (!request->seeded)
		arc4random_buf(
		    &request->options.seed, sizeof(request->options.seed));
}

/* A reader of path, or of standard input. */
static struct reader *
open_reader(const char *path, size_t limit)
{
	struct svc_error error;
	struct reader *reader;
	int descriptor = STDIN_FILENO;
	bool named = path != NULL && !is_stdin(path);

	if (named) {
		descriptor = open(path, O_RDONLY | O_CLOEXEC);
		if (descriptor == -1) {
			svc_error_errno(&error, "%s", path);
			cli_fail(&error);
		}
	}
	if (reader_open(&reader, descriptor, named ? path : "stdin", limit,
		&error) == -1)
		cli_fail(&error);
	return reader;
}

static void
close_reader(struct reader *reader)
{
	if (reader_descriptor(reader) != STDIN_FILENO)
		close(reader_descriptor(reader));
	reader_close(reader);
}

static void
warn_of_line(void *argument, const struct svc_error *error)
{
	(void)argument;
	cli_warn(error);
}

static void
stock_from_reader(struct stock *stock, const struct request *request)
{
	struct svc_error error;
	struct reader *reader;

	reader = open_reader(request->resources, INSTANCE_READER_LINE_MAX);
	if (instance_reader_read(&stock->roster, reader, request->selector,
		warn_of_line, NULL, &error) == -1)
		cli_fail(&error);
	close_reader(reader);
	stock->items = stock->roster.items;
	stock->count = stock->roster.count;
	stock->left_out = stock->roster.left_out;
}

/*
 * All services are listed, also with --service: a task may name another one.
 */
static void
stock_from_registry(
    struct stock *stock, const struct request *request, const struct cli *cli)
{
	struct instance_list *list = &stock->list;
	struct svc_error error;
	size_t i, kept = 0;

	stock->registry = cli_registry_if_any(cli);
	if (stock->registry == NULL)
		return;
	if (registry_list(stock->registry, NULL, list, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < list->count; i++) {
		if (selector_match(request->selector, &list->items[i]))
			list->items[kept++] = list->items[i];
		else
			instance_release(&list->items[i]);
	}
	stock->left_out = list->count - kept;
	list->count = kept;
	stock->items = list->items;
	stock->count = kept;
}

static void
stock_release(struct stock *stock)
{
	instance_reader_release(&stock->roster);
	instance_list_release(&stock->list);
	if (stock->registry != NULL)
		registry_close(stock->registry);
}

/* Why there is nothing to choose from. */
static void
append_empty(const struct cli *cli, const struct stock *stock,
    const struct request *request, struct buffer *out)
{
	if (stock->left_out > 0)
		buffer_append_format(out, "none of %zu instances matches '%s'",
		    stock->left_out, request->label);
	else if (request->resources == NULL && !reads_instances(request))
		cli_append_empty(cli, NULL, out);
	else
		buffer_append_format(out, "no instances in %s",
		    reads_instances(request) ? "stdin" : request->resources);
}

/* The cursor cannot be shared: round-robin goes on in memory. */
static void
rotation_lost(void *argument, const struct svc_error *error)
{
	struct rotation *rotation = argument;

	if (rotation->cli->verbose > 0)
		cli_warn_line(
		    "round-robin in this process alone: %s", error->message);
	cursor_set_close(rotation->set);
	rotation->set = NULL;
}

static void
rotation_open(struct rotation *rotation, const struct cli *cli,
    const struct stock *stock, struct policy_options *options)
{
	struct registry *registry = stock->registry;
	struct buffer place = BUFFER_INIT;
	struct svc_error error = {EX_OSERR, "out of memory"};
	const char *path;

	rotation->cli = cli;
	if (registry == NULL && cli_place(cli, &place, &error) == 0 &&
	    (path = buffer_string(&place)) != NULL &&
	    registry_open(&rotation->registry, path, false, &error) == 0)
		registry = rotation->registry;
	buffer_release(&place);
	if (registry == NULL ||
	    cursor_set_open(&rotation->set, registry, &error) == -1)
		rotation_lost(rotation, &error);
	options->cursor =
	    (struct policy_cursor){rotation->set, cursor_key, cursor_load,
		cursor_store, cursor_set_commit, rotation_lost, rotation};
}

static void
rotation_close(struct rotation *rotation)
{
	cursor_set_close(rotation->set);
	if (rotation->registry != NULL)
		registry_close(rotation->registry);
}

/* Tasks in, tasks out; returns the exit status. */
static int
schedule_tasks(const struct cli *cli, struct request *request,
    struct placer *placer, struct reader *reader, struct writer *writer)
{
	struct placer_pipe filter = {.reader = reader,
	    .writer = writer,
	    .placer = placer,
	    .options = &request->lines,
	    .warn = warn_of_line};
	struct svc_error error;
	char run[40];
	int status = EX_OK;

	task_run_id(run);
	request->lines.run = run;
	request->lines.source = reader_name(reader);
	if (placer_pipe_run(&filter, &error) == -1) {
		if (filter.output_failed)
			cli_output_failed(&error);
		status = cli_warn(&error);
	}
	if (filter.invalid > 0)
		status = cli_worse(status, EX_DATAERR);
	if (filter.failed > 0 || filter.unplaced > 0)
		status = cli_worse(status, 1);
	if (filter.unplaced > 0 && !cli->quiet)
		cli_warn_line("%lu of %lu tasks not placed; %s:%lu: %s",
		    filter.unplaced, filter.tasks, reader_name(reader),
		    filter.first_line, filter.first);
	if (pool_count(placer->pool) > 0)
		return status;
	if (filter.unplaced == 0 && !cli->quiet)
		cli_warn_line("%s", placer->empty);
	return cli_worse(status, 1);
}

/* One choice, for no task in particular. */
static int
schedule_one(
    const struct cli *cli, struct placer *placer, struct writer *writer)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	int placed = placer_any(placer, &out, &error);

	if (placed == -1)
		cli_fail(&error);
	policy_settle(placer->policy);
	if (placed == 0 && !cli->quiet)
		cli_warn_line("%s", placer->failure.message);
	if (placed == 1 &&
	    writer_line(writer, out.data, out.length, &error) == -1)
		cli_output_failed(&error);
	buffer_release(&out);
	return placed == 1 ? EX_OK : 1;
}

/* All is open but the policy; reader is NULL where there are no tasks. */
static int
schedule(const struct cli *cli, struct request *request,
    const struct stock *stock, struct pool *pool, struct reader *reader)
{
	struct buffer empty = BUFFER_INIT;
	struct writer *writer;
	struct policy policy;
	struct svc_error error;
	struct placer placer = {.pool = pool,
	    .policy = &policy,
	    .service = request->service,
	    .explain = request->explain};
	int status;

	append_empty(cli, stock, request, &empty);
	placer.empty = buffer_string(&empty);
	if (policy_open(&policy, request->policy, pool, &request->options,
		&error) == -1)
		cli_fail(&error);
	writer = cli_stdout();
	if (reader == NULL)
		status = schedule_one(cli, &placer, writer);
	else
		status = schedule_tasks(cli, request, &placer, reader, writer);
	if (stock->roster.skipped > 0)
		status = cli_worse(status, EX_DATAERR);
	policy_close(&policy);
	buffer_release(&empty);
	return cli_finish(writer, status);
}

static int
run(const struct cli *cli, struct request *request)
{
	struct rotation rotation = {NULL, NULL, NULL};
	struct stock stock = {.list = INSTANCE_LIST_INIT};
	struct reader *reader = NULL;
	struct svc_error error;
	struct pool *pool;
	int status;

	if (has_tasks(request))
		reader = open_reader(request->tasks, LINE_LENGTH_MAX);
	if (request->resources != NULL || reads_instances(request))
		stock_from_reader(&stock, request);
	else
		stock_from_registry(&stock, request, cli);
	if (pool_open(&pool, stock.items, stock.count, &error) == -1)
		cli_fail(&error);
	pool_set_all(pool, request->all);
	if (request->policy == &policy_round_robin)
		rotation_open(&rotation, cli, &stock, &request->options);
	status = schedule(cli, request, &stock, pool, reader);
	rotation_close(&rotation);
	pool_close(pool);
	stock_release(&stock);
	if (reader != NULL)
		close_reader(reader);
	return status;
}

int
main(int argc, char *argv[])
{
	struct cli cli = {.rows = rows,
	    .synopsis = synopsis,
	    .summary = "Choose an instance for each task."};
	struct request request = {.policy = NULL};
	int option, status;

	cli_init(&cli);
	while ((option = cli_option(&cli, argc, argv)) != -1)
		parse_option(&cli, &request, option);
	cli_check_operands(&cli, argc - optind, argv + optind, "operands");
	if (optind < argc)
		cli_usage(&cli, "unexpected operand '%s'", argv[optind]);
	check_request(&cli, &request);
	status = run(&cli, &request);
	selector_free(request.selector);
	return status;
}
