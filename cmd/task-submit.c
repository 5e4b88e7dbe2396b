/* task-submit: put tasks into the durable queue, and maybe wait for them. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_submit.h"
#include "line/units.h"

enum {
	OPTION_AFTER = OPTION_LONG,
	OPTION_DEADLINE,
	OPTION_HOLD,
	OPTION_NOT_BEFORE,
	OPTION_PRIORITY,
	OPTION_UNIQUE
};

/* clang-format off */
static const struct option_row rows[] = {
	{'d', "data", "TASK", "submit TASK (@FILE: what FILE has)"},
	{'s', "service", "NAME", "of tasks that name none"},
	{'i', "id", "ID", "of the task, which then is the only one"},
	{OPTION_UNIQUE, "unique", NULL, "the content makes the id"},
	{OPTION_PRIORITY, "priority", "N", "greater ones go first (0)"},
	{OPTION_AFTER, "after", "ID", "they wait for it; may be repeated"},
	{OPTION_NOT_BEFORE, "not-before", "T", "a time or a duration from now"},
	{OPTION_DEADLINE, "deadline", "T", "of no use after that"},
	{OPTION_RETRIES, "retries", "N", "after a failure, N times more"},
	{OPTION_HOLD, "hold", NULL, "nobody takes it before it is released"},
	{'w', "wait", NULL, "wait, and print what came of them"},
	{'T', "timeout", "DURATION", "with --wait: not longer than that"},
	{'k', "keep-order", NULL, "with --wait: print in the input's order"},
	{'o', "output", "FORMAT", "with --wait: json, or result"},
	{'n', "dry-run", NULL, "print what would be stored, store nothing"},
	{'L', "text", NULL, "each line is a task of plain text"},
	{OPTION_BARE, "bare", NULL, "each line is a task, whatever it is"},
	{OPTION_MAX_TASK, "max-task", "SIZE", "the largest task (8M)"},
	OPTION_ROWS_COMMON,
	{0, NULL, NULL, NULL},
};
/* clang-format on */

static const char synopsis[] =
    "task-submit [-Lnqv] [-d TASK] [-i ID] [-R PLACE] [-s NAME] "
    "[--after ID]... [--bare] [--deadline T] [--hold] [--max-task SIZE] "
    "[--not-before T] [--priority N] [--retries N] [--unique] "
    "[-w [-k] [-o FORMAT] [-T DURATION]]";

struct submit {
	struct cli cli;
	struct cli_submit_options options;
	const char **after;
	bool relative; /* a time that counts from now */
	const char *output; /* -o */
	int64_t now; /* ms since 1970 */
};

static void
out_of_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

/* RFC 3339, or a duration from now. */
static int
parse_time(struct submit *submit, const char *text, int64_t *time,
    struct svc_error *error)
{
	double seconds;

	if (duration_parse(text, &seconds, NULL) == 0) {
		submit->relative = true;
		*time = submit->now + (int64_t)(seconds * 1000);
		return 0;
	}
	if (text[0] == '+' || strcmp(text, "now") == 0)
		submit->relative = true;
	if (time_parse(text, submit->now, time, error) == -1)
		return svc_error_set(error, EX_USAGE,
		    "neither an RFC 3339 time nor a duration from now: '%s' "
		    "(say 2026-11-22T10:00:00Z or 5m)",
		    text);
	/* 0 stands for none; 1969 is as long ago. */
	if (*time <= 0)
		*time = 1;
	return 0;
}

static int
add_after(struct submit *submit, const char *id, struct svc_error *error)
{
	size_t count = submit->options.task.after_count;
	const char **after =
	    reallocarray(submit->after, count + 1, sizeof(*after));

	if (after == NULL)
		out_of_memory();
	after[count] = id;
	submit->options.task.after = submit->after = after;
	submit->options.task.after_count = count + 1;
	return name_check("task", id, error);
}

static int
parse_retries(struct submit *submit, const char *text, struct svc_error *error)
{
	long long number;

	if (integer_parse(text, 0, 1000000, &number, error) == -1)
		return -1;
	submit->options.task.retries = (int)number;
	return 0;
}

static int
parse_wait(struct submit *submit, const char *text, struct svc_error *error)
{
	if (duration_parse(text, &submit->options.timeout, error) == -1)
		return -1;
	if (submit->options.timeout > 0)
		return 0;
	return svc_error_set(
	    error, EX_USAGE, "not a duration over 0: '%s' (say 30s)", text);
}

/* Options that have nothing to parse. */
static void
set_flag(struct submit *submit, int option)
{
	switch (option) {
	case 'd':
		submit->options.data = optarg;
		break;
	case 'w':
		submit->options.wait = true;
		break;
	case 'k':
		submit->options.keep_order = true;
		break;
	case 'n':
		submit->options.dry_run = true;
		break;
	case 'o':
		submit->output = optarg;
		break;
	case OPTION_HOLD:
		submit->options.hold = true;
		break;
	case OPTION_UNIQUE:
		submit->options.task.unique = true;
		break;
	default:
		(void)cli_line_option(
		    &submit->cli, option, &submit->options.lines);
	}
}

static void
parse_option(struct submit *submit, int option)
{
	struct submission_options *task = &submit->options.task;
	struct svc_error error;
	int result = 0;

	switch (option) {
	case 's':
		task->service = optarg;
		result = name_check("service", optarg, &error);
		break;
	case 'i':
		task->id = optarg;
		result = name_check("task", optarg, &error);
		break;
	case 'T':
		result = parse_wait(submit, optarg, &error);
		break;
	case OPTION_AFTER:
		result = add_after(submit, optarg, &error);
		break;
	case OPTION_DEADLINE:
		result = parse_time(submit, optarg, &task->deadline, &error);
		break;
	case OPTION_NOT_BEFORE:
		result = parse_time(submit, optarg, &task->not_before, &error);
		break;
	case OPTION_PRIORITY:
		task->has_priority = true;
		result = number_parse(optarg, &task->priority, &error);
		break;
	case OPTION_RETRIES:
		result = parse_retries(submit, optarg, &error);
		break;
	default:
		set_flag(submit, option);
	}
	if (result == -1)
		cli_refuse(&submit->cli, option, "%s", error.message);
}

static void
check_output(struct submit *submit)
{
	const char *output = submit->output;

	if (output == NULL)
		return;
	submit->options.results = strcmp(output, "result") == 0;
	if (!submit->options.results && strcmp(output, "json") != 0)
		cli_refuse(&submit->cli, 'o',
		    "not an output: '%s' (say json or result)", output);
}

/* Options that say nothing where they stand are a mistake. */
static void
check(struct submit *submit, int argc, char *argv[])
{
	const struct cli *cli = &submit->cli;
	const struct submission_options *task = &submit->options.task;

	check_output(submit);
	if (argc > 0)
		cli_usage(cli,
		    "unexpected operand '%s'; a task is given with "
		    "--data or on standard input",
		    argv[0]);
	if (!submit->options.wait &&
	    (submit->options.keep_order || submit->output != NULL ||
		submit->options.timeout >= 0))
		cli_usage(cli, "--keep-order, --output and --timeout need "
			       "--wait");
	if (submit->options.wait && submit->options.dry_run)
		cli_usage(cli, "--wait and --dry-run exclude each other");
	if (submit->options.wait && submit->options.hold &&
	    submit->options.timeout < 0)
		cli_usage(cli, "--wait for what --hold keeps needs --timeout");
	if (task->id != NULL && task->unique)
		cli_usage(cli, "--id and --unique exclude each other");
	if (task->unique && submit->relative)
		cli_usage(cli, "--unique needs times that stay the same: a "
			       "duration from now is another one each time");
	if (task->deadline != 0 && task->not_before > task->deadline)
		cli_usage(cli, "--not-before lies behind --deadline");
	if (submit->options.data != NULL && submit->options.lines.bare)
		cli_usage(
		    cli, "--bare is for lines: --data is a task as it is");
	if (submit->options.data == NULL && isatty(STDIN_FILENO) == 1)
		cli_usage(cli, "standard input is a terminal: give --data, or "
			       "lines in a pipe");
}

int
main(int argc, char *argv[])
{
	struct submit submit = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary = "Put tasks into the durable queue, which "
			   "task-run --queue executes, and maybe wait for "
			   "them."},
	    .options = {.cli = &submit.cli,
		.lines = {.max_task = TASK_LENGTH_MAX},
		.task = {.retries = -1},
		.timeout = -1},
	    .now = time_now(),
	};
	int option, status;

	cli_init(&submit.cli);
	while ((option = cli_option(&submit.cli, argc, argv)) != -1)
		parse_option(&submit, option);
	check(&submit, argc - optind, argv + optind);
	status = cli_submit(&submit.options);
	free(submit.after);
	return status;
}
