/* task-schedule: choose an instance for each task. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_instances.h"
#include "line/reader.h"
#include "line/replace.h"
#include "line/selector.h"
#include "line/task.h"
#include "line/units.h"
#include "registry/cursor.h"
#include "sched/batch.h"
#include "sched/group_shares.h"
#include "sched/placer.h"
#include "sched/placer_batch.h"
#include "sched/placer_pipe.h"
#include "sched/plan_measure.h"
#include "sched/planner.h"
#include "sched/policy.h"
#include "sched/pool.h"
#include "sched/task_order.h"
#include "ui/plan_chart.h"
#include "ui/plan_report.h"

#define POLICIES_MAX 32 /* of --compare */

/* Seeds that are made stay whole numbers in every JSON reader. */
#define SEED_MAX ((uint64_t)1 << 53)

enum {
	OPTION_RANDOM = OPTION_LONG,
	OPTION_ROUND_ROBIN,
	OPTION_WEIGHTED,
	OPTION_SMOOTH,
	OPTION_CONSTRAINED,
	OPTION_SCORE,
	OPTION_LEAST_LOADED,
	OPTION_P2C,
	OPTION_HASH,
	OPTION_STALE,
	OPTION_SEED,
	OPTION_ORDER,
	OPTION_SHARES,
	OPTION_PLAN,
	OPTION_START,
	OPTION_GANTT,
	OPTION_COMPARE,
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
    {OPTION_LEAST_LOADED, "least-loaded", NULL, "the least load per slot"},
    {OPTION_P2C, "p2c", NULL, "the less loaded of two random ones"},
    {OPTION_HASH, "hash", "[=/POINTER]",
	"the same key (or value in the task) to the same instance"},
    {OPTION_STALE, "stale", "D", "load reported longer ago is not known (15s)"},
    {OPTION_SEED, "seed", "N", "the same choices each time"},
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
	const struct policy_type *policy; /* NULL: not said */
	struct policy_options options;
	const char *argument; /* of the policy: "headroom"; or NULL */
	bool score; /* said */
	bool seeded;
	bool stale;
	int order; /* -1: not said */
	struct group_shares shares;
	bool plan;
	const char *start; /* NULL: now */
	int64_t start_time; /* ms since 1970 */
	const char *gantt;
	char *compare; /* cut at its commas, owned; NULL: not said */
	const char *policies[POLICIES_MAX]; /* in compare */
	size_t policy_count;
	const char *output;
	const char *tasks;
	const char *resources;
	const char *service;
	struct cli_instances_options instances;
	struct selector *selector;
	bool all;
	enum chooser_explain explain;
	struct envelope_options lines;
};

/* Round-robin's place in the registry. */
struct rotation {
	const struct cli *cli;
	struct registry *registry; /* if it was opened for this alone */
	struct cursor_set *set; /* NULL: in memory */
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
set_policy(struct cli *cli, struct request *request, const char *name)
{
	const struct policy_type *policy = policy_find(name);
	struct svc_error error;

	if (request->policy != NULL && request->policy != policy)
		cli_usage(cli, "--%s and --%s exclude each other",
		    request->policy->name, name);
	request->policy = policy;
	request->argument = optarg;
	if (optarg != NULL &&
	    policy->configure(&request->options, optarg, &error) == -1)
		cli_usage(cli, "--%s: %s", name, error.message);
}

static void
set_score(struct cli *cli, struct request *request, const char *name)
{
	struct svc_error error;

	request->score = true;
	if (policy_constrained.configure(&request->options, name, &error) == -1)
		cli_refuse(cli, OPTION_SCORE, "%s", error.message);
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
set_stale(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	if (duration_parse(text, &request->options.stale, &error) == -1)
		cli_refuse(cli, OPTION_STALE, "%s", error.message);
	if (request->options.stale <= 0)
		cli_refuse(cli, OPTION_STALE,
		    "not a time that passes: '%s' (say 15s)", text);
	request->stale = true;
}

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

/* Keys are made when tasks are read, once for all policies. */
static void
set_pointer(struct cli *cli, struct request *request, size_t *hashes,
    const char *pointer)
{
	const char *first = request->options.pointer;

	if ((*hashes)++ > 0 &&
	    (first == NULL || pointer == NULL ? first != pointer
					      : strcmp(first, pointer) != 0))
		cli_refuse(cli, OPTION_COMPARE,
		    "hash by two keys: a comparison has one");
	request->options.pointer = pointer;
}

/* A policy that is named wrongly is told before anything is read. */
static void
set_compare(struct cli *cli, struct request *request, const char *text)
{
	const struct policy_type *type;
	struct svc_error error;
	char *rest, *part;
	size_t hashes = 0;

	free(request->compare);
	request->policy_count = 0;
	request->options.pointer = NULL;
	request->compare = rest = strdup(text);
	if (rest == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	while ((part = strsep(&rest, ",")) != NULL) {
		struct policy_options options = {.field = NULL};

		if (request->policy_count == POLICIES_MAX)
			cli_refuse(cli, OPTION_COMPARE, "more than %d policies",
			    POLICIES_MAX);
		if (policy_parse(part, &type, &options, &error) == -1)
			cli_refuse(cli, OPTION_COMPARE, "%s", error.message);
		if (type == &policy_hash)
			set_pointer(cli, request, &hashes, options.pointer);
		request->policies[request->policy_count++] = part;
	}
}

static void
set_label(struct cli *cli, struct request *request, const char *text)
{
	struct svc_error error;

	selector_free(request->selector);
	request->instances.label = text;
	if (selector_parse(&request->selector, text, &error) == -1)
		cli_refuse(cli, 'l', "%s", error.message);
	request->instances.selector = request->selector;
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

/* How one is chosen. */
static void
parse_policy(struct cli *cli, struct request *request, int option)
{
	switch (option) {
	case OPTION_RANDOM:
	case OPTION_ROUND_ROBIN:
	case OPTION_WEIGHTED:
	case OPTION_CONSTRAINED:
	case OPTION_LEAST_LOADED:
	case OPTION_P2C:
	case OPTION_HASH:
		set_policy(cli, request, option_row_find(rows, option)->name);
		break;
	case OPTION_SMOOTH:
		request->options.smooth = true;
		break;
	case OPTION_SCORE:
		set_score(cli, request, optarg);
		break;
	case OPTION_STALE:
		set_stale(cli, request, optarg);
		break;
	case OPTION_SEED:
		set_seed(cli, request, optarg);
		break;
	}
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
		request->gantt = optarg;
		break;
	case OPTION_COMPARE:
		set_compare(cli, request, optarg);
		break;
	case 'o':
		set_output(cli, request, optarg);
		break;
	default:
		parse_policy(cli, request, option);
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
			parse_plan(cli, request, option);
	}
}

/* Whether instances come down the pipe. */
static bool
reads_instances(const struct request *request)
{
	if (request->resources != NULL)
		return cli_is_stdin(request->resources);
	return request->service == NULL && request->instances.label == NULL;
}

/* Whether there are tasks, or one choice is to be made for none. */
static bool
has_tasks(const struct request *request)
{
	return request->tasks != NULL || request->resources != NULL ||
	       !reads_instances(request);
}

/* Whether all tasks are read before the first is placed. */
static bool
holds_tasks(const struct request *request)
{
	return request->order != -1 || request->plan ||
	       request->compare != NULL;
}

static void
check_policy(struct cli *cli, const struct request *request)
{
	bool any = request->compare != NULL;

	if (any && request->policy != NULL)
		cli_usage(cli, "--compare names the policies: leave out --%s",
		    request->policy->name);
	if (request->options.smooth && !any &&
	    request->policy != &policy_weighted)
		cli_usage(cli, "--smooth needs --weighted");
	if (request->score && !any && request->policy != &policy_constrained)
		cli_usage(cli, "--score needs --constrained");
	if (request->stale && !any && request->policy != &policy_weighted &&
	    request->policy != &policy_least_loaded &&
	    request->policy != &policy_p2c)
		cli_usage(cli, "--stale needs a policy that looks at load: "
			       "--weighted=headroom, --least-loaded or --p2c");
}

static void
check_plan(struct cli *cli, const struct request *request)
{
	if (request->plan && request->compare != NULL)
		cli_usage(cli, "--plan and --compare exclude each other");
	if (request->gantt != NULL && !request->plan)
		cli_usage(cli, "--gantt needs --plan");
	if (request->output != NULL && request->compare == NULL)
		cli_usage(cli, "--output needs --compare");
	if (request->explain != EXPLAIN_NO && request->compare != NULL)
		cli_usage(cli, "--explain and --compare exclude each other: a "
			       "table has no lines to explain");
	if (request->start != NULL && !request->plan &&
	    request->compare == NULL)
		cli_usage(cli, "--start needs --plan or --compare");
	if (request->shares.count > 0 && request->order != ORDER_FAIR)
		cli_usage(cli, "--shares needs --order=fair");
	if (holds_tasks(request) && !has_tasks(request))
		cli_usage(cli, "there are no tasks: say --tasks, or where "
			       "instances come from");
}

static void
check_input(struct cli *cli, const struct request *request)
{
	if (reads_instances(request) && has_tasks(request) &&
	    (request->tasks == NULL || cli_is_stdin(request->tasks)))
		cli_usage(cli, "instances and tasks cannot both come from "
			       "standard input: name a file with --tasks or "
			       "--resources, or a --service");
	if (reads_instances(request) && isatty(STDIN_FILENO) == 1)
		cli_usage(cli,
		    "instances are expected on standard input, and "
		    "it is a terminal: pipe svc-discover into it, or "
		    "use --service or --resources");
}

static void
check_request(struct cli *cli, struct request *request)
{
	struct svc_error error;

	check_policy(cli, request);
	check_plan(cli, request);
	check_input(cli, request);
	if (request->gantt != NULL &&
	    replace_check(request->gantt, &error) == -1)
		cli_fail(&error);
	if (request->policy == NULL)
		request->policy =
		    request->plan ? &policy_least_loaded : &policy_random;
	request->instances.path =
	    reads_instances(request) ? "-" : request->resources;
	request->options.service = request->service;
	request->options.now = time_now();
	if (request->start == NULL)
		request->start_time = request->options.now;
	if (request->seeded)
		return;
	arc4random_buf(&request->options.seed, sizeof(request->options.seed));
	request->options.seed %= SEED_MAX;
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
    struct registry *opened, struct policy_options *options)
{
	struct registry *registry = opened;
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
	return status;
}

/* "weighted=headroom" */
static void
append_policy(const struct request *request, struct buffer *out)
{
	buffer_append_string(out, request->policy->name);
	if (request->argument != NULL)
		buffer_append_format(out, "=%s", request->argument);
	if (request->options.smooth)
		buffer_append_string(out, ", smooth");
	if (request->policy == &policy_constrained && request->score)
		buffer_append_format(out, "=%s",
		    request->options.score == SCORE_PACK ? "pack" : "spread");
}

static struct planner_options
planner_options(const struct schedule *schedule)
{
	const struct request *request = schedule->request;

	return (struct planner_options){.type = request->policy,
	    .policy = request->options,
	    .service = request->service,
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

	append_policy(request, &policy);
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

/* One row of the table. */
static int
plan_under(const struct schedule *schedule, struct batch *batch,
    const char *policy, struct plan_report_row *row, struct svc_error *error)
{
	struct planner_options options = planner_options(schedule);
	struct planner planner;
	int result;

	row->policy = policy;
	if (policy_parse(policy, &options.type, &options.policy, error) == -1 ||
	    planner_open(&planner, schedule->pool, batch, &options, error) ==
		-1)
		return -1;
	result = plan_run(&planner.plan, error);
	if (result == 0)
		result = plan_measure(&row->measure, &planner.plan, error);
	planner_close(&planner);
	return result;
}

/* Tasks in, a table out. */
static int
schedule_compare(const struct schedule *schedule, struct placer_pipe *filter,
    struct writer *writer)
{
	const struct request *request = schedule->request;
	struct plan_report_row table[POLICIES_MAX];
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	size_t i;
	int status;

	status = gather(schedule, filter);
	for (i = 0; i < request->policy_count; i++)
		if (plan_under(schedule, filter->batch, request->policies[i],
			&table[i], &error) == -1)
			cli_fail(&error);
	if (request->output != NULL && strcmp(request->output, "json") == 0)
		plan_report_compare_json(table, i, &out);
	else
		plan_report_compare(table, i, &out);
	if (buffer_failed(&out)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	if (writer_line(writer, out.data, out.length, &error) == -1)
		cli_output_failed(&error);
	while (i > 0)
		plan_measure_release(&table[--i].measure);
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
	    .writer = request->compare == NULL ? writer : NULL,
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
	if (request->compare != NULL)
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

/* Of plans there is a policy each; see planner.h. */
static void
open_chooser(struct chooser *chooser, const struct schedule *schedule)
{
	const struct request *request = schedule->request;
	struct svc_error error;

	if (request->plan || request->compare != NULL)
		return;
	if (policy_open(chooser->policy, request->policy, schedule->pool,
		&request->options, &error) == -1 ||
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
	    .service = request->service,
	    .empty = schedule->empty,
	    .explain = request->explain};
	struct placer placer = {
	    .chooser = &chooser, .pointer = request->options.pointer};
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
	struct rotation rotation = {NULL, NULL, NULL};
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
	if (request->policy == &policy_round_robin && !request->plan)
		rotation_open(
		    &rotation, cli, instances.registry, &request->options);
	status = run_schedule(&schedule);
	rotation_close(&rotation);
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
	    .summary = "Choose an instance for each task."};
	struct request request = {.order = -1};
	int option, status;

	cli_init(&cli);
	while ((option = cli_option(&cli, argc, argv)) != -1)
		parse_option(&cli, &request, option);
	cli_check_operands(&cli, argc - optind, argv + optind, "operands");
	if (optind < argc)
		cli_usage(&cli, "unexpected operand '%s'", argv[optind]);
	check_request(&cli, &request);
	status = run(&cli, &request);
	group_shares_release(&request.shares);
	free(request.compare);
	selector_free(request.selector);
	return status;
}
