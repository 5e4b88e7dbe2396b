/* task-schedule: choose an instance for each task. */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_instances.h"
#include "cli_policy.h"
#include "cli_rotation.h"
#include "line/reader.h"
#include "line/replace.h"
#include "line/task.h"
#include "line/units.h"
#include "sched/batch.h"
#include "sched/comparison.h"
#include "sched/group_shares.h"
#include "sched/placer.h"
#include "sched/placer_batch.h"
#include "sched/placer_pipe.h"
#include "sched/plan_measure.h"
#include "sched/planner.h"
#include "sched/policy.h"
#include "sched/policy_list.h"
#include "sched/pool.h"
#include "sched/task_order.h"
#include "ui/plan_chart.h"
#include "ui/plan_report.h"

enum {
	OPTION_ORDER = OPTION_LONG,
	OPTION_SHARES,
	OPTION_PLAN,
	OPTION_START,
	OPTION_GANTT,
	OPTION_COMPARE,
	OPTION_EXPLAIN
};

static const struct option_row rows[] = {
    OPTION_ROWS_POLICY,
    {OPTION_ORDER, "order", "ORDER",
	"read all; by priority, then fifo, edf, lpt or fair"},
    {OPTION_SHARES, "shares", "GROUP=N,...", "fair: the weights of groups"},
    {OPTION_PLAN, "plan", NULL, "simulate: when each task starts and ends"},
    {OPTION_START, "start", "TIME", "when the plan begins (now)"},
    {OPTION_GANTT, "gantt", "FILE", "draw the plan into FILE, as SVG"},
    {OPTION_COMPARE, "compare", "POLICY,...",
	"plan under each policy and print a table"},
    {'o', "output", "HOW", "compare: table or json"},
    {'t', "tasks", "FILE", "tasks from FILE; '-' is standard input"},
    {'r', "resources", "FILE", "instances from FILE"},
    {'s', "service", "NAME", "for tasks that name none"},
    {'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
    {'a', "all", NULL, "also instances whose status gets no work"},
    OPTION_ROWS_LINES,
    {OPTION_EXPLAIN, "explain", "[=full]", "say why, on each line"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

static const char synopsis[] =
    "task-schedule [-aLqv] [--random | --round-robin | "
    "--weighted[=FIELD] [--smooth] | --constrained [--score=spread|pack] | "
    "--least-loaded | --p2c | --hash[=/POINTER]] "
    "[-l SELECTOR] [-R PLACE] [-r FILE] [-s NAME] [-t FILE] [--bare] "
    "[--explain[=full]] [--max-task SIZE] "
    "[--order=fifo|edf|lpt|fair [--shares GROUP=N,...]] [--retry] "
    "[--seed N] [--stale D]\n"
    "task-schedule --plan [--gantt FILE] [--start TIME] [OPTIONS]\n"
    "task-schedule --compare POLICY,... [-o json|table] [--start TIME] "
    "[OPTIONS]";

struct request {
	struct cli_policy policy;
	int order; /* -1: not said */
	struct group_shares shares;
	bool plan;
	const char *start; /* NULL: now */
	int64_t start_time; /* ms since 1970 */
	const char *gantt;
	struct policy_list compare; /* empty: not said */
	const char *output;
	const char *tasks;
	struct cli_instances_options instances;
	bool all;
	enum chooser_explain explain;
	struct envelope_options lines;
};

/* What all ways to schedule need. */
struct schedule {
	const struct cli *cli;
	struct request *request;
	struct cli_instances *instances;
	struct pool *pool;
	struct reader *reader; /* of tasks; NULL: there are none */
	const char *empty; /* why there are no instances */
};

static void
set_order(struct cli *cli, struct request *request, const char *name)
{
	request->order = task_order_find(name);
	if (request->order == -1)
		cli_refuse(cli, OPTION_ORDER,
		    "not an order: '%s' (say fifo, edf, lpt or fair)", name);
}

static void
set_shares(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	if (group_shares_add(&request->shares, text, &error) == 0)
		return;
	if (error.code == EX_OSERR)
		cli_fail(&error);
	cli_refuse(cli, OPTION_SHARES, "%s", error.message);
}

static void
set_start(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	request->start = text;
	if (time_parse(text, time_now(), &request->start_time, &error) == -1)
		cli_refuse(cli, OPTION_START, "%s", error.message);
}

static void
set_output(struct cli *cli, struct request *request, const char *how)
{
	if (strcmp(how, "table") != 0 && strcmp(how, "json") != 0)
		cli_refuse(cli, 'o',
		    "not a way to print a comparison: '%s' (say table or "
		    "json)",
		    how);
	request->output = how;
}

static void
set_compare(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	if (policy_list_parse(&request->compare, text, &error) == 0)
		return;
	if (error.code == EX_OSERR)
		cli_fail(&error);
	cli_refuse(cli, OPTION_COMPARE, "%s", error.message);
}

static void
set_explain(struct cli *cli, struct request *request, const char *how)
{
	if (how != NULL && strcmp(how, "full") != 0)
		cli_refuse(cli, OPTION_EXPLAIN,
		    "not a way to explain: '%s' (say full, or nothing)", how);
	request->explain = how == NULL ? EXPLAIN_COUNTS : EXPLAIN_FULL;
}

/* In which order, and what comes of it. */
static void
parse_plan(struct cli *cli, struct request *request, int option)
{
	switch (option) {
	case OPTION_ORDER:
		set_order(cli, request, optarg);
		break;
	case OPTION_SHARES:
		set_shares(cli, request, optarg);
		break;
	case OPTION_PLAN:
		request->plan = true;
		break;
	case OPTION_START:
		set_start(cli, request, optarg);
		break;
	case OPTION_GANTT:
		request->gantt = cli_file_name(cli, option, optarg);
		break;
	case OPTION_COMPARE:
		set_compare(cli, request, optarg);
		break;
	case 'o':
		set_output(cli, request, optarg);
		break;
	}
}

static void
parse_option(struct cli *cli, struct request *request, int option)
{
	switch (option) {
	case 't':
		request->tasks = cli_file_name(cli, option, optarg);
		break;
	case 'a':
		request->all = true;
		break;
	case OPTION_EXPLAIN:
		set_explain(cli, request, optarg);
		break;
	default:
		if (!cli_line_option(cli, option, &request->lines) &&
		    !cli_instances_option(cli, option, &request->instances) &&
		    !cli_policy_option(cli, option, &request->policy))
			parse_plan(cli, request, option);
	}
}

/* Whether there are tasks, or one choice is to be made for none. */
static bool
has_tasks(const struct request *request)
{
	return request->tasks != NULL || request->instances.path != NULL ||
	       !cli_instances_piped(&request->instances);
}

static bool
compares(const struct request *request)
{
	return request->compare.count > 0;
}

/* Whether all tasks are read before the first is placed. */
static bool
holds_tasks(const struct request *request)
{
	return request->order != -1 || request->plan || compares(request);
}

static void
check_policy(struct cli *cli, const struct request *request)
{
	const struct policy_type *type = request->policy.type;

	if (compares(request) && type != NULL)
		cli_usage(cli, "--compare names the policies: leave out --%s",
		    type->name);
	if (type == &policy_hash && !has_tasks(request))
		cli_usage(cli, "--hash goes by the keys of tasks, and there "
			       "are none: say --tasks, or where instances come "
			       "from");
	cli_policy_check(cli, &request->policy,
	    compares(request) ? &request->compare : NULL);
}

static void
check_plan(struct cli *cli, const struct request *request)
{
	if (request->plan && compares(request))
		cli_usage(cli, "--plan and --compare exclude each other");
	if (request->gantt != NULL && !request->plan)
		cli_usage(cli, "--gantt needs --plan");
	if (request->output != NULL && !compares(request))
		cli_usage(cli, "--output needs --compare");
	if (request->explain != EXPLAIN_NO && compares(request))
		cli_usage(cli, "--explain and --compare exclude each other: a "
			       "table has no lines to explain");
	if (request->start != NULL && !request->plan && !compares(request))
		cli_usage(cli, "--start needs --plan or --compare");
	if (request->shares.count > 0 && request->order != ORDER_FAIR)
		cli_usage(cli, "--shares needs --order=fair");
	if (holds_tasks(request) && !has_tasks(request))
		cli_usage(cli, "there are no tasks: say --tasks, or where "
			       "instances come from");
}

static void
check_request(struct cli *cli, struct request *request)
{
	struct svc_error error;

	check_policy(cli, request);
	check_plan(cli, request);
	cli_instances_check(
	    cli, &request->instances, has_tasks(request), request->tasks);
	if (request->gantt != NULL &&
	    replace_check(request->gantt, &error) == -1)
		cli_fail(&error);
}

/* What was not said. */
static void
complete_request(struct cli *cli, struct request *request)
{
	struct policy_options *options = &request->policy.options;

	if (request->policy.type == NULL)
		request->policy.type =
		    request->plan ? &policy_least_loaded : &policy_random;
	options->service = request->instances.service;
	options->now = time_now();
	if (compares(request))
		options->pointer = request->compare.pointer;
	if (request->start == NULL)
		request->start_time = options->now;
	cli_policy_seed(cli, &request->policy);
}

static void
warn_of_line(void *argument, const struct svc_error *error)
{
	(void)argument;
	cli_warn(error);
}

/* What came of all lines: told, and as the exit status. */
static int
tell(const struct schedule *schedule, const struct placer_pipe *filter,
    int status)
{
	bool quiet = schedule->cli->quiet;

	if (filter->invalid > 0)
		status = cli_worse(status, EX_DATAERR);
	if (filter->failed > 0 || filter->unplaced > 0)
		status = cli_worse(status, 1);
	if (filter->unplaced > 0 && !quiet)
		cli_warn_line("%lu of %lu tasks not placed; %s:%lu: %s",
		    filter->unplaced, filter->tasks,
		    reader_name(schedule->reader), filter->first_line,
		    filter->first);
	if (pool_count(schedule->pool) > 0)
		return status;
	if (filter->unplaced == 0 && !quiet)
		cli_warn_line("%s", schedule->empty);
	return cli_worse(status, 1);
}

static enum task_order
order_of(const struct request *request)
{
	return request->order == -1 ? ORDER_FIFO
				    : (enum task_order)request->order;
}

/* Of -1 from what writes lines. */
static int
fail(const struct placer_pipe *filter, const struct svc_error *error)
{
	if (filter->output_failed)
		cli_output_failed(error);
	return cli_warn(error);
}

/* A group that is named wrongly would otherwise go without a word. */
static void
tell_idle_shares(const struct group_shares *shares, const struct batch *batch)
{
	size_t i;

	for (i = 0; i < shares->count; i++)
		if (batch_group_find(batch, shares->items[i].group) ==
		    batch_groups(batch))
			cli_warn_line("--shares: no task of the group '%s'",
			    shares->items[i].group);
}

/*
 * Reads all tasks and puts them in order.  What was read before the input
 * failed is in the batch all the same: the status says so, and it goes on.
 */
static int
gather(const struct schedule *schedule, struct placer_pipe *filter)
{
	const struct request *request = schedule->request;
	struct svc_error error;
	int status = EX_OK;

	if (placer_pipe_run(filter, &error) == -1)
		status = fail(filter, &error);
	if (task_order_sort(filter->batch, order_of(request), schedule->pool,
		request->shares.items, request->shares.count, &error) == -1)
		cli_fail(&error);
	if (schedule->cli->verbose > 0)
		tell_idle_shares(&request->shares, filter->batch);
	return status;
}

static struct planner_options
planner_options(const struct schedule *schedule)
{
	const struct request *request = schedule->request;

	return (struct planner_options){.type = request->policy.type,
	    .policy = request->policy.options,
	    .service = request->instances.service,
	    .empty = schedule->empty,
	    .explain = request->explain,
	    .start = request->start_time};
}

static int
draw(const struct schedule *schedule, const struct plan *plan,
    const struct plan_measure *measure, const char *policy)
{
	const struct request *request = schedule->request;
	struct buffer chart = BUFFER_INIT;
	struct svc_error error;
	int status = EX_OK;

	if (plan_chart_append(plan, measure, policy,
		task_order_name(order_of(request)), &chart, &error) == -1 ||
	    replace_file(
		request->gantt, chart.data, chart.length, false, &error) == -1)
		status = cli_warn(&error);
	buffer_release(&chart);
	return status;
}

/* The summary and the picture of a plan that was run. */
static int
show_plan(const struct schedule *schedule, const struct plan *plan)
{
	const struct request *request = schedule->request;
	struct buffer policy = BUFFER_INIT, report = BUFFER_INIT;
	struct plan_measure measure;
	struct svc_error error;
	int status = EX_OK;

	policy_describe(
	    request->policy.type, &request->policy.options, &policy);
	if (plan_measure(&measure, plan, &error) == -1)
		cli_fail(&error);
	plan_report_summary(plan, &measure, buffer_string(&policy),
	    task_order_name(order_of(request)), &report);
	if (buffer_failed(&policy) || buffer_failed(&report)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	if (!schedule->cli->quiet)
		cli_report(&report);
	if (request->gantt != NULL)
		status = draw(schedule, plan, &measure, buffer_string(&policy));
	plan_measure_release(&measure);
	buffer_release(&report);
	buffer_release(&policy);
	return status;
}

/* Tasks in, tasks out, in time. */
static int
schedule_plan(const struct schedule *schedule, struct placer_pipe *filter)
{
	struct planner_options options = planner_options(schedule);
	struct planner planner;
	struct svc_error error;
	int status;

	status = gather(schedule, filter);
	if (planner_open(&planner, schedule->pool, filter->batch, &options,
		&error) == -1)
		cli_fail(&error);
	filter->placer->chooser = &planner.chooser;
	if (placer_batch_plan(filter, &planner.plan, &error) == -1)
		status = cli_worse(status, fail(filter, &error));
	else
		status = cli_worse(status, show_plan(schedule, &planner.plan));
	planner_close(&planner);
	return status;
}

/* Tasks in, a table out. */
static int
schedule_compare(const struct schedule *schedule, struct placer_pipe *filter,
    struct writer *writer)
{
	const struct request *request = schedule->request;
	struct planner_options options = planner_options(schedule);
	struct buffer out = BUFFER_INIT;
	struct comparison comparison;
	struct svc_error error;
	int status;

	status = gather(schedule, filter);
	if (comparison_run(&comparison, &request->compare, schedule->pool,
		filter->batch, &options, &error) == -1)
		cli_fail(&error);
	if (request->output != NULL && strcmp(request->output, "json") == 0)
		plan_report_compare_json(
		    comparison.rows, comparison.count, &out);
	else
		plan_report_compare(comparison.rows, comparison.count, &out);
	if (buffer_failed(&out)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	if (writer_line(writer, out.data, out.length, &error) == -1)
		cli_output_failed(&error);
	comparison_release(&comparison);
	buffer_release(&out);
	return status;
}

/* Tasks in, tasks out, side by side. */
static int
schedule_lines(const struct schedule *schedule, struct placer_pipe *filter)
{
	struct svc_error error;
	int status;

	if (filter->batch == NULL)
		return placer_pipe_run(filter, &error) == -1
			   ? fail(filter, &error)
			   : EX_OK;
	status = gather(schedule, filter);
	if (placer_batch_write(filter, filter->batch, &error) == -1)
		status = cli_worse(status, fail(filter, &error));
	return status;
}

static int
schedule_tasks(const struct schedule *schedule, struct placer *placer,
    struct writer *writer)
{
	struct request *request = schedule->request;
	struct placer_pipe filter = {.reader = schedule->reader,
	    .writer = compares(request) ? NULL : writer,
	    .placer = placer,
	    .options = &request->lines,
	    .warn = warn_of_line};
	struct svc_error error;
	char run[40];
	int status;

	task_run_id(run);
	request->lines.run = run;
	request->lines.source = reader_name(schedule->reader);
	if (holds_tasks(request) && batch_open(&filter.batch, &error) == -1)
		cli_fail(&error);
	if (compares(request))
		status = schedule_compare(schedule, &filter, writer);
	else if (request->plan)
		status = schedule_plan(schedule, &filter);
	else
		status = schedule_lines(schedule, &filter);
	batch_close(filter.batch);
	return tell(schedule, &filter, status);
}

/* One choice, for no task in particular. */
static int
schedule_one(const struct schedule *schedule, struct placer *placer,
    struct writer *writer)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	int placed = placer_any(placer, &out, &error);

	if (placed == -1)
		cli_fail(&error);
	policy_settle(placer->chooser->policy);
	if (placed == 0 && !schedule->cli->quiet)
		cli_warn_line("%s", placer->failure.message);
	if (placed == 1 &&
	    writer_line(writer, out.data, out.length, &error) == -1)
		cli_output_failed(&error);
	buffer_release(&out);
	return placed == 1 ? EX_OK : 1;
}

/*
 * Plans open a policy of their own (planner.h).  It is opened here all the
 * same: a weight that is wrong is told before anything is read.
 */
static void
open_chooser(struct chooser *chooser, const struct schedule *schedule)
{
	const struct request *request = schedule->request;
	struct svc_error error;

	if (compares(request))
		return;
	if (policy_open(chooser->policy, request->policy.type, schedule->pool,
		&request->policy.options, &error) == -1 ||
	    constraints_open(&chooser->constraints, schedule->pool, &error) ==
		-1)
		cli_fail(&error);
}

static int
run_schedule(const struct schedule *schedule)
{
	const struct request *request = schedule->request;
	struct policy policy = {.type = NULL};
	struct chooser chooser = {.pool = schedule->pool,
	    .policy = &policy,
	    .service = request->instances.service,
	    .empty = schedule->empty,
	    .explain = request->explain};
	struct placer placer = {
	    .chooser = &chooser, .pointer = request->policy.options.pointer};
	struct writer *writer;
	int status;

	open_chooser(&chooser, schedule);
	writer = cli_stdout();
	if (schedule->reader == NULL)
		status = schedule_one(schedule, &placer, writer);
	else
		status = schedule_tasks(schedule, &placer, writer);
	if (schedule->instances->skipped > 0)
		status = cli_worse(status, EX_DATAERR);
	constraints_close(chooser.constraints);
	policy_close(&policy);
	return cli_finish(writer, status);
}

static int
run(const struct cli *cli, struct request *request)
{
	struct cli_rotation rotation = {NULL, NULL, NULL};
	struct cli_instances instances;
	struct buffer empty = BUFFER_INIT;
	struct schedule schedule = {
	    .cli = cli, .request = request, .instances = &instances};
	struct svc_error error;
	int status;

	if (has_tasks(request))
		schedule.reader = cli_reader(request->tasks, LINE_LENGTH_MAX);
	cli_instances_read(cli, &instances, &request->instances);
	cli_instances_append_empty(
	    cli, &instances, &request->instances, &empty);
	schedule.empty = buffer_string(&empty);
	if (pool_open(
		&schedule.pool, instances.items, instances.count, &error) == -1)
		cli_fail(&error);
	pool_set_all(schedule.pool, request->all);
	/* what is only imagined moves nobody's place */
	if (request->policy.type == &policy_round_robin && !request->plan)
		cli_rotation_open(&rotation, cli, instances.registry,
		    &request->policy.options);
	status = run_schedule(&schedule);
	cli_rotation_close(&rotation);
	pool_close(schedule.pool);
	cli_instances_release(&instances);
	buffer_release(&empty);
	if (schedule.reader != NULL)
		cli_reader_close(schedule.reader);
	return status;
}

int
main(int argc, char *argv[])
{
	struct cli cli = {.rows = rows,
	    .synopsis = synopsis,
	    .summary = "Choose an instance for each task, at random unless "
		       "said."};
	struct request request = {.order = -1};
	int option, status;

	cli_init(&cli);
	while ((option = cli_option(&cli, argc, argv)) != -1)
		parse_option(&cli, &request, option);
	if (optind < argc)
		cli_usage(&cli, "unexpected operand '%s'", argv[optind]);
	check_request(&cli, &request);
	complete_request(&cli, &request);
	status = run(&cli, &request);
	group_shares_release(&request.shares);
	policy_list_release(&request.compare);
	cli_instances_options_release(&request.instances);
	return status;
}
