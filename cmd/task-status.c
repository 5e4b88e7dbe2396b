/* task-status: see, follow, cancel, hold and retry the tasks of the queue. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_task_change.h"
#include "cli_task_follow.h"
#include "cli_task_ids.h"
#include "cli_tasks.h"
#include "line/units.h"

enum {
	OPTION_STATE = OPTION_LONG,
	OPTION_COUNT,
	OPTION_CANCEL,
	OPTION_RETRY_TASK,
	OPTION_HOLD,
	OPTION_RELEASE,
	OPTION_PURGE,
	OPTION_OLDER
};

static const struct option_row rows[] = {
    {'s', "service", "NAME", "only tasks of this service"},
    {OPTION_STATE, "state", "S[,S]...",
	"only waiting, held, running, done, failed ones"},
    {'a', "all", NULL, "also those that are done or have failed"},
    {'f', "follow", NULL, "go on, and print what changes"},
    {OPTION_COUNT, "count", NULL, "how many are in which state"},
    {'o', "output", "FORMAT",
	"json, table, tsv, result, or a text with %{MEMBER}"},
    {OPTION_CANCEL, "cancel", NULL, "end tasks that have not ended"},
    {OPTION_RETRY_TASK, "retry", NULL, "let failed tasks wait again"},
    {OPTION_HOLD, "hold", NULL, "keep waiting tasks from being claimed"},
    {OPTION_RELEASE, "release", NULL, "let held tasks wait again"},
    {OPTION_PURGE, "purge", NULL, "remove tasks that have ended"},
    {OPTION_OLDER, "older", "DURATION",
	"with --purge: all that ended so long ago"},
    {'n', "dry-run", NULL, "print what would be changed, change nothing"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

static const char synopsis[] =
    "task-status [-afqv] [-o FORMAT] [-R PLACE] [-s NAME] [--count] "
    "[--state S[,S]...] [ID...]\n"
    "task-status --cancel | --hold | --purge | --release | --retry [-nqv] "
    "[-o FORMAT] [-R PLACE] ID...\n"
    "task-status --purge --older DURATION [-nqv] [-o FORMAT] [-R PLACE] "
    "[--state S[,S]...]";

#define QUEUE_STATES_ALL (QUEUE_STATES_OPEN | QUEUE_STATES_ENDED)

struct request {
	const char *service;
	unsigned states; /* QUEUE_STATE_BITs; 0: not said */
	bool all;
	bool follow;
	bool count;
	const char *output;
	struct task_format *format;
	int verb; /* OPTION_CANCEL and its like; 0: list */
	double older; /* seconds; negative: not said */
	bool dry_run;
	struct cli_task_ids ids;
	bool named; /* there are operands */
};

static int
parse_states(struct request *request, const char *text, struct svc_error *error)
{
	enum queue_state state;
	char name[16];
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		state = QUEUE_ABSENT;
		if (length < sizeof(name)) {
			memcpy(name, text, length);
			name[length] = '\0';
			state = queue_state_find(name);
		}
		if (state == QUEUE_ABSENT)
			return svc_error_set(error, EX_USAGE,
			    "not a state: '%.*s': waiting, held, running, done "
			    "or failed",
			    (int)length, text);
		request->states |= QUEUE_STATE_BIT(state);
		if (text[length] == '\0')
			return 0;
	}
}

static void
take_verb(struct cli *cli, struct request *request, int verb)
{
	if (request->verb != 0 && request->verb != verb)
		cli_usage(cli, "--%s and --%s exclude each other",
		    option_row_find(rows, request->verb)->name,
		    option_row_find(rows, verb)->name);
	request->verb = verb;
}

static void
parse_option(struct cli *cli, struct request *request, int option)
{
	struct svc_error error;
	int result = 0;

	switch (option) {
	case 's':
		result = name_check("service", optarg, &error);
		request->service = optarg;
		break;
	case OPTION_STATE:
		result = parse_states(request, optarg, &error);
		break;
	case 'a':
		request->all = true;
		break;
	case 'f':
		request->follow = true;
		break;
	case OPTION_COUNT:
		request->count = true;
		break;
	case 'o':
		request->output = optarg;
		break;
	case OPTION_OLDER:
		result = duration_parse(optarg, &request->older, &error);
		break;
	case 'n':
		request->dry_run = true;
		break;
	default:
		take_verb(cli, request, option);
	}
	if (result == -1)
		cli_refuse(cli, option, "%s", error.message);
}

/* Options that say nothing where they stand are a mistake. */
static void
check_change(struct cli *cli, const struct request *request)
{
	const char *verb = option_row_find(rows, request->verb)->name;
	bool purge = request->verb == OPTION_PURGE;
	bool older = request->older >= 0;

	if (request->all || request->follow || request->count ||
	    request->service != NULL)
		cli_usage(cli,
		    "--%s goes with none of --all, --count, "
		    "--follow and --service",
		    verb);
	if (older && !purge)
		cli_usage(cli, "--older needs --purge");
	if (request->states != 0 && !older)
		cli_usage(cli, "--%s takes ids, not --state", verb);
	if ((request->states & ~QUEUE_STATES_ENDED) != 0)
		cli_usage(cli, "--purge is for done and failed tasks");
	if (older && request->named)
		cli_usage(cli, "--older finds the tasks: it goes without ID");
	if (!older && !request->named)
		cli_usage(cli, "--%s needs %sID", verb,
		    purge ? "--older DURATION or " : "");
}

static void
check_request(struct cli *cli, struct request *request)
{
	const char *output = request->output;
	struct svc_error error;

	if (request->verb != 0)
		check_change(cli, request);
	else if (request->older >= 0)
		cli_usage(cli, "--older needs --purge");
	else if (request->dry_run)
		cli_usage(cli, "--dry-run needs --cancel, --hold, --purge, "
			       "--release or --retry");
	if (request->count && (request->follow || request->named))
		cli_usage(cli, "--count goes with neither --follow nor ID");
	if (output == NULL && isatty(STDOUT_FILENO) == 1)
		output = "table";
	if (task_format_parse(&request->format, output, &error) == -1)
		cli_refuse(cli, 'o', "%s", error.message);
	if (request->count && task_format_is_result(request->format))
		cli_refuse(cli, 'o', "a count has no result");
}

/* The states that a list is of. */
static unsigned
states_of(const struct request *request)
{
	if (request->states != 0)
		return request->states;
	if (task_format_is_result(request->format))
		return QUEUE_STATE_BIT(QUEUE_DONE);
	if (request->all || request->count || request->named)
		return QUEUE_STATES_ALL;
	return QUEUE_STATES_OPEN;
}

static bool
is_of(const struct queue_record *record, const struct request *request)
{
	if ((states_of(request) & QUEUE_STATE_BIT(record->state)) == 0)
		return false;
	return request->service == NULL ||
	       (record->service != NULL &&
		   strcmp(record->service, request->service) == 0);
}

/* -o result says nothing of what has none. */
static void
warn_of_no_result(const struct queue_record *record)
{
	if (record->state == QUEUE_FAILED)
		cli_warn_line("%s: failed: %s: %s", record->id,
		    record->reason == NULL ? "error" : record->reason,
		    record->message == NULL ? "" : record->message);
	else if (record->state != QUEUE_DONE)
		cli_warn_line("%s: is %s: it has no result", record->id,
		    queue_state_name(record->state));
}

static int
list_named(struct cli_tasks *tasks, const struct request *request)
{
	bool results = task_format_is_result(request->format);
	struct queue_record record;
	int status = EX_OK;
	size_t i, found = 0;

	for (i = 0; i < request->ids.count; i++) {
		if (cli_tasks_get(
			tasks, request->ids.items[i], &record, &status) == 0)
			continue;
		if (record.state == QUEUE_FAILED)
			status = cli_worse(status, 1);
		if (is_of(&record, request)) {
			cli_tasks_print(tasks, &record, NULL,
			    cli_tasks_line(tasks, &record));
			found++;
		} else if (results && request->states == 0) {
			warn_of_no_result(&record);
		}
		queue_record_release(&record);
	}
	return found == 0 ? cli_worse(status, 1) : status;
}

/* Why there is nothing, for people. */
static void
say_why(const struct cli *cli, struct registry *registry)
{
	struct buffer text = BUFFER_INIT;
	struct queue_count *counts = NULL;
	struct svc_error error;
	size_t count;

	if (cli->quiet || isatty(STDOUT_FILENO) != 1)
		return;
	if (registry != NULL &&
	    queue_records_count(registry, QUEUE_STATES_ENDED, false, &counts,
		&count, &error) == -1)
		cli_fail(&error);
	if (counts != NULL &&
	    counts->states[QUEUE_DONE] + counts->states[QUEUE_FAILED] > 0) {
		cli_warn_line("nothing of that; %zu done, %zu failed "
			      "(task-status --all shows them)",
		    counts->states[QUEUE_DONE], counts->states[QUEUE_FAILED]);
	} else if (cli_place(cli, &text, &error) == 0 &&
		   buffer_string(&text) != NULL) {
		cli_warn_line("no such tasks in the queue of %s%s", text.data,
		    registry == NULL ? ", which does not exist" : "");
	}
	free(counts);
	buffer_release(&text);
}

static int
list_all(const struct cli *cli, struct cli_tasks *tasks,
    struct registry *registry, const struct request *request)
{
	struct queue_records records = {0};
	struct svc_error error;
	size_t i, count;

	if (registry != NULL && queue_records_list(registry, states_of(request),
				    request->service, &records, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < records.count; i++)
		cli_tasks_print(tasks, &records.items[i], NULL,
		    cli_tasks_line(tasks, &records.items[i]));
	count = records.count;
	queue_records_release(&records);
	if (count > 0)
		return EX_OK;
	say_why(cli, registry);
	return 1;
}

/* Nothing is an answer to how many there are. */
static int
count_all(struct cli_tasks *tasks, struct registry *registry,
    const struct request *request)
{
	bool by_service = request->all || request->service != NULL;
	struct queue_count nothing = {0}, *counts = NULL;
	struct svc_error error;
	size_t count = 0, i;

	if (registry != NULL &&
	    queue_records_count(registry, states_of(request), by_service,
		&counts, &count, &error) == -1)
		cli_fail(&error);
	if (count == 0 && !by_service)
		cli_tasks_print_count(
		    tasks, &nothing, states_of(request), false);
	for (i = 0; i < count; i++)
		if (request->service == NULL ||
		    strcmp(counts[i].service, request->service) == 0)
			cli_tasks_print_count(
			    tasks, &counts[i], states_of(request), by_service);
	free(counts);
	return EX_OK;
}

static int
follow(
    struct cli_tasks *tasks, struct registry *registry, struct request *request)
{
	struct cli_task_follow options = {.first = states_of(request),
	    .states = request->states,
	    .service = request->service,
	    .ids = &request->ids};

	if (options.states == 0)
		options.states = task_format_is_result(request->format)
				     ? options.first
				     : QUEUE_STATES_ALL;
	cli_task_ids_sort(&request->ids);
	return cli_task_follow(tasks, registry, &options);
}

static enum queue_change
change_of(int verb)
{
	switch (verb) {
	case OPTION_CANCEL:
		return QUEUE_CANCEL;
	case OPTION_RETRY_TASK:
		return QUEUE_RETRY;
	case OPTION_HOLD:
		return QUEUE_HOLD;
	case OPTION_RELEASE:
		return QUEUE_RELEASE;
	default:
		return QUEUE_PURGE;
	}
}

static int
change(
    struct cli_tasks *tasks, struct registry *registry, struct request *request)
{
	struct cli_task_change options = {
	    .change = change_of(request->verb), .dry_run = request->dry_run};

	if (request->older >= 0 && registry != NULL)
		cli_task_find_older(registry,
		    request->states == 0 ? QUEUE_STATES_ENDED : request->states,
		    request->older, &request->ids);
	if (request->ids.count > 0 && registry != NULL)
		return cli_task_change(
		    tasks, registry, &options, &request->ids);
	if (request->named)
		return list_named(tasks, request);
	/* Nothing is so old: there is nothing to be done. */
	return EX_OK;
}

static int
serve(const struct cli *cli, struct cli_tasks *tasks, struct registry *registry,
    struct request *request)
{
	if (request->verb != 0)
		return change(tasks, registry, request);
	if (request->count)
		return count_all(tasks, registry, request);
	if (request->follow && request->named == (request->ids.count > 0))
		return follow(tasks, registry, request);
	if (request->named)
		return list_named(tasks, request);
	return list_all(cli, tasks, registry, request);
}

int
main(int argc, char *argv[])
{
	struct cli cli = {
	    .rows = rows,
	    .synopsis = synopsis,
	    .summary = "See, follow, cancel, hold and retry the tasks of the "
		       "queue.",
	};
	struct request request = {.older = -1};
	struct registry *registry;
	struct cli_tasks *tasks;
	int option, status;

	cli_init(&cli);
	while ((option = cli_option(&cli, argc, argv)) != -1)
		parse_option(&cli, &request, option);
	cli_check_operands(&cli, argc - optind, argv + optind, "ID");
	request.named = optind < argc;
	check_request(&cli, &request);
	status =
	    cli_task_ids_read(&cli, &request.ids, argc - optind, argv + optind);
	registry = request.follow ? cli_registry(&cli, true)
				  : cli_registry_if_any(&cli);
	cli_tasks_open(&tasks, &cli, registry, request.format,
	    !request.named && !request.follow && request.verb == 0);
	status = cli_worse(status, serve(&cli, tasks, registry, &request));
	status = cli_tasks_close(tasks, status);
	registry_close(registry);
	task_format_free(request.format);
	cli_task_ids_release(&request.ids);
	return status;
}
