/* svc-call: send tasks to instances of services, many at once, in a pipe. */
#include <sys/resource.h>

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_http.h"
#include "cli_payload.h"
#include "cli_policy.h"
#include "cli_progress.h"
#include "cli_rotation.h"
#include "cli_stats.h"
#include "line/traceparent.h"
#include "line/units.h"
#include "net/call_pipe.h"

#define JOBS_DEFAULT 16
#define RETRIES_MAX  1000
/* Besides connections: standard ones, event loop, registry, resolver. */
#define DESCRIPTORS_OTHER 32

enum {
	OPTION_RETRIES = OPTION_LONG,
	OPTION_IDEMPOTENT,
	OPTION_HEDGE,
	OPTION_RATE,
	OPTION_MAX_RESULT,
	OPTION_STATS,
	OPTION_PROGRESS
};

/* clang-format off */
static const struct option_row rows[] = {
	{'d', "data", "TASK", "send TASK (@FILE: what FILE has), once"},
	{'j', "jobs", "N", "at most N requests at once (16)"},
	{'k', "keep-order", NULL, "print in the order of the input"},
	{'n', "dry-run", NULL, "print what would be sent, send nothing"},
	{'o', "output", "FORMAT", "json, or result: the results alone"},
	{'T', "timeout", "DURATION", "give up a task after DURATION (30s)"},
	{'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
	OPTION_ROWS_LINES,
	{OPTION_RETRIES, "retries", "N", "after a failure, N times more (2)"},
	{OPTION_IDEMPOTENT, "idempotent", NULL,
	    "executing a task twice is harmless"},
	{OPTION_HEDGE, "hedge", "DURATION",
	    "no answer by then: ask a second instance, too"},
	{OPTION_RATE, "rate", "N/s", "send at most N requests a second"},
	{OPTION_MAX_RESULT, "max-result", "SIZE", "the largest result (8M)"},
	OPTION_ROWS_POLICY_NAMED,
	{OPTION_STATS, "stats", "FILE", "write what it came to into FILE"},
	{OPTION_PROGRESS, "progress", NULL,
	    "show on standard error how far it is"},
	OPTION_ROWS_HTTP,
	OPTION_ROWS_COMMON,
	{0, NULL, NULL, NULL},
};
/* clang-format on */

static const char synopsis[] =
    "svc-call [-kLnqv] [-d TASK] [-H HEADER]... [-j N] [-l SELECTOR] "
    "[-o FORMAT] [-R PLACE] [-T DURATION] [--bare] [--cacert FILE] "
    "[--cert FILE] [--deny-private] [--hedge DURATION] [--http1] "
    "[--idempotent] [--key FILE] [--max-result SIZE] [--max-task SIZE] "
    "[--policy P] [--progress] [--rate N/s] [--retries N] [--retry] "
    "[--score HOW] [--seed N] [--smooth] [--stale D] [--stats FILE] "
    "[--token-file FILE] [NAME]";

struct call {
	struct cli cli;
	struct call_pipe_options options;
	struct call_pipe *pipe;
	struct selector *selector;
	struct cli_policy policy;
	struct cli_rotation rotation;
	bool show; /* --progress */
	struct cli_progress *progress; /* NULL: not asked for */
	const char *stats_file; /* --stats, or NULL */
	struct cli_stats *stats; /* NULL: not asked for */
	const char *data; /* -d */
	struct buffer payload; /* as one line of JSON */
	struct cli_http http;
	char run[40];
	int signal; /* that asked for an orderly stop; 0 */
};

static void
set_output(struct call *call, const char *name)
{
	if (strcmp(name, "result") == 0)
		call->options.item.result_only = true;
	else if (strcmp(name, "json") == 0)
		call->options.item.result_only = false;
	else
		cli_refuse(&call->cli, 'o',
		    "not an output: '%s' (say json or result)", name);
}

static int
parse_number(const char *text, long long least, long long most, int *number,
    struct svc_error *error)
{
	long long parsed;

	if (integer_parse(text, least, most, &parsed, error) == -1)
		return -1;
	*number = (int)parsed;
	return 0;
}

/* A duration over 0. */
static int
parse_time(const char *text, double *seconds, struct svc_error *error)
{
	if (duration_parse(text, seconds, error) == -1)
		return -1;
	if (*seconds <= 0)
		return svc_error_set(error, EX_USAGE,
		    "not a duration over 0: '%s' (say 30s)", text);
	return 0;
}

/* What is left to the modules that options have in common. */
static void
parse_common(struct call *call, int option)
{
	if (!cli_http_option(&call->cli, option, &call->http) &&
	    !cli_policy_option(&call->cli, option, &call->policy))
		cli_line_option(
		    &call->cli, option, &call->options.item.envelope);
}

static void
parse_option(struct call *call, int option)
{
	struct call_pipe_options *options = &call->options;
	struct svc_error error = {0, ""};
	int result = 0;

	switch (option) {
	case 'd':
		call->data = optarg;
		break;
	case 'j':
		result = parse_number(
		    optarg, 1, CALL_JOBS_MAX, &options->call.jobs, &error);
		break;
	case 'k':
		options->keep_order = true;
		break;
	case 'n':
		options->preview = true;
		break;
	case 'o':
		set_output(call, optarg);
		break;
	case 'T':
		result = parse_time(optarg, &options->item.timeout, &error);
		break;
	case 'l':
		selector_free(call->selector);
		options->watch.selector_text = optarg;
		result = selector_parse(&call->selector, optarg, &error);
		break;
	case OPTION_RETRIES:
		result = parse_number(
		    optarg, 0, RETRIES_MAX, &options->call.retries, &error);
		break;
	case OPTION_IDEMPOTENT:
		options->call.idempotent = true;
		break;
	case OPTION_HEDGE:
		/* Two instances may execute the task: that must be harmless. */
		options->call.idempotent = true;
		result = parse_time(optarg, &options->call.hedge, &error);
		break;
	case OPTION_RATE:
		result = rate_parse(optarg, &options->call.rate, &error);
		break;
	case OPTION_STATS:
		call->stats_file = optarg;
		break;
	case OPTION_PROGRESS:
		call->show = true;
		break;
	case OPTION_MAX_RESULT:
		result = size_parse_within(
		    optarg, LINE_LENGTH_MAX, &options->call.max_result, &error);
		break;
	default:
		parse_common(call, option);
	}
	if (result == -1)
		cli_refuse(&call->cli, option, "%s", error.message);
}

/* -d, which is the same for all lines. */
static void
make_payload(struct call *call)
{
	struct call_item_options *item = &call->options.item;
	const struct cli_payload payload = {
	    .data = call->data,
	    .content_type = cli_http_content_type(&call->http),
	    .text = item->envelope.text,
	    .limit = item->envelope.max_task,
	};

	item->base64 = cli_payload_read(&call->cli, &payload, &call->payload);
	item->payload.data = call->payload.data;
	item->payload.length = call->payload.length;
}

static void
parse_operands(struct call *call, int argc, char *argv[])
{
	struct call_item_options *item = &call->options.item;
	const struct cli *cli = &call->cli;

	cli_check_operands(cli, argc, argv, "NAME");
	cli_http_check(cli, &call->http);
	if (argc > 1)
		cli_usage(cli, "one NAME at most: '%s'", argv[1]);
	if (argc == 1) {
		cli_check_name(cli, "service", argv[0]);
		item->service = argv[0];
	}
	if (call->data == NULL)
		return;
	if (item->envelope.retry || item->envelope.bare)
		cli_usage(cli, "--data goes with neither --retry nor --bare");
	if (strcmp(call->data, "@-") == 0 && item->service == NULL)
		cli_usage(cli, "instances and --data @- cannot both come from "
			       "standard input: give a NAME");
	if (item->service == NULL && call->selector != NULL)
		cli_usage(cli, "--label needs NAME: the instances come from "
			       "standard input");
	item->input = item->service == NULL ? INPUT_INSTANCES : INPUT_PAYLOAD;
	make_payload(call);
}

static struct registry *
open_registry(void *argument)
{
	const struct call *call = argument;

	return cli_registry_if_any(&call->cli);
}

static void
append_empty(void *argument, const char *service, struct buffer *out)
{
	const struct call *call = argument;

	cli_append_empty(&call->cli, service, out);
}

static void
say(void *argument, const char *message)
{
	const struct call *call = argument;

	if (call->cli.quiet)
		return;
	cli_progress_hide(call->progress);
	cli_warn_line("%s", message);
}

/* An error line of -o result; where stderr is gone nobody wants it. */
static void
complain(void *argument, const char *text, size_t length)
{
	const struct call *call = argument;

	cli_progress_hide(call->progress);
	fwrite(text, 1, length, stderr);
}

static void
show(void *argument, const struct call_progress *counts)
{
	const struct call *call = argument;

	cli_progress_update(call->progress, counts);
}

/* How instances are chosen. */
static void
complete_policy(struct call *call)
{
	struct call_options *options = &call->options.call;

	cli_policy_check(&call->cli, &call->policy, NULL);
	cli_policy_seed(&call->cli, &call->policy);
	options->policy = call->policy.type;
	options->choice = call->policy.options;
	/* What would be sent must not move the place of what is. */
	if (options->policy == &policy_round_robin && !call->options.preview)
		cli_rotation_open(
		    &call->rotation, &call->cli, NULL, &options->choice);
	call->options.item.hash = options->policy == &policy_hash;
	call->options.item.pointer = options->choice.pointer;
}

/* The registry, as the pipe sees it. */
static void
complete_watch(struct call *call)
{
	struct call_watch_options *watch = &call->options.watch;

	/* Instances from a pipe need nobody else, but to trust them does. */
	if (call->options.item.input != INPUT_INSTANCES ||
	    call->options.call.security.token != NULL)
		watch->open = open_registry;
	watch->selector = call->selector;
	watch->empty = append_empty;
	watch->warn = say;
	watch->argument = call;
}

/* A wrong one is no reason to call nobody: tracing is a help. */
static void
complete_trace(struct call *call)
{
	const char *parent = getenv("TRACEPARENT");

	if (parent == NULL || *parent == '\0')
		return;
	if (traceparent_valid(parent))
		call->options.call.traceparent = parent;
	else if (!call->cli.quiet)
		cli_warn_line(
		    "TRACEPARENT: not a trace context of W3C: '%.80s' "
		    "(not passed on)",
		    parent);
}

/* Who is told how it goes. */
static void
complete_reports(struct call *call)
{
	struct call_pipe_options *options = &call->options;

	options->complain = complain;
	options->warn = say;
	options->argument = call;
	if (call->cli.verbose > 0)
		options->call.note = say;
	options->call.note_argument = call;
	if (call->stats_file != NULL)
		cli_stats_open(&call->stats, call->stats_file);
	options->call.stats = cli_stats_counts(call->stats);
	if (!call->show)
		return;
	cli_progress_open(&call->progress,
	    options->item.input == INPUT_PAYLOAD ? -1 : STDIN_FILENO);
	options->progress = show;
}

/* What the options leave open, and the ends of the pipe. */
static void
complete(struct call *call)
{
	struct call_pipe_options *options = &call->options;
	struct call_item_options *item = &options->item;
	size_t limit =
	    item->envelope.max_task + options->call.max_result + 64UL * 1024;
	struct svc_error error;

	task_run_id(call->run);
	item->envelope.run = call->run;
	item->envelope.source = "stdin";
	options->call.headers = call->http.headers;
	options->call.security = call->http.security;
	complete_policy(call);
	complete_watch(call);
	complete_trace(call);
	complete_reports(call);
	options->output = STDOUT_FILENO;
	options->writer = cli_stdout();
	if (item->input != INPUT_PAYLOAD &&
	    reader_open(&options->reader, STDIN_FILENO, "stdin",
		limit < LINE_LENGTH_MAX ? limit : LINE_LENGTH_MAX,
		&error) == -1)
		cli_fail(&error);
}

/*
 * A connection a request, kept ones, and what the registry needs.  Where there
 * are fewer descriptors than that, fewer requests run: one that finds none
 * would look like a server that is out of reach.
 */
static void
raise_descriptors(struct call *call)
{
	int *jobs = &call->options.call.jobs;
	rlim_t wanted = (rlim_t)*jobs * 3 + 256;
	struct rlimit limit;
	long most;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	most = limit.rlim_cur < DESCRIPTORS_OTHER + 2
		   ? 1
		   : (long)((limit.rlim_cur - DESCRIPTORS_OTHER) / 2);
	if (*jobs <= most)
		return;
	*jobs = (int)most;
	if (!call->cli.quiet)
		cli_warn_line("requests at once: %d, not more: at most %llu "
			      "descriptors are allowed (ulimit -n)",
		    *jobs, (unsigned long long)limit.rlim_cur);
}

/*
 * Tasks and results that are large get memory of their own, which goes back
 * when they have gone.  By default malloc(3) learns from the first ones to keep
 * it, in pieces that the next ones do not fit into.
 */
static void
bound_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

static void
on_signal(evutil_socket_t number, short what, void *argument)
{
	struct call *call = argument;

	(void)what;
	if (call->signal == 0)
		call->signal = number;
	call_pipe_stop(call->pipe);
}

/* nohup(1), and a shell's background jobs: it stays ignored. */
static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

/* Before anything ends the process: 0, or 74 after a message. */
static int
end_reports(struct call *call)
{
	struct cli_stats *stats = call->stats;

	cli_progress_close(call->progress);
	call->progress = NULL;
	call->stats = NULL;
	return cli_stats_close(stats);
}

/* What was read or written is broken: returns the status, or dies. */
static int
fail_run(struct call *call, struct event_base *base, bool output,
    const struct svc_error *error)
{
	int saved = errno;

	/* ^C ends the reader too: the signal, then, is why. */
	if (output && saved == EPIPE)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	if (output)
		(void)end_reports(call);
	if (output && call->signal != 0)
		cli_die_of(call->signal);
	errno = saved;
	if (output)
		cli_output_failed(error);
	cli_progress_hide(call->progress);
	return cli_warn(error);
}

static int
run(struct call *call)
{
	static const int stops[3] = {SIGINT, SIGTERM, SIGHUP};
	struct event_base *base = event_base_new();
	struct event *events[3];
	struct call_counts counts = {0, 0};
	struct svc_error error;
	bool output = false;
	int status = EX_OK, i;

	if (base == NULL) {
		svc_error_set(&error, EX_OSERR, "no event loop");
		cli_fail(&error);
	}
	if (call_pipe_open(&call->pipe, base, &call->options, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < 3; i++) {
		events[i] = is_ignored(stops[i])
				? NULL
				: evsignal_new(base, stops[i], on_signal, call);
		if (events[i] != NULL)
			event_add(events[i], NULL);
	}
	if (call_pipe_run(call->pipe, &counts, &output, &error) == -1)
		status = fail_run(call, base, output, &error);
	for (i = 0; i < 3; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	call_pipe_close(call->pipe);
	event_base_free(base);
	status = cli_worse(status, end_reports(call));
	if (counts.invalid > 0)
		status = cli_worse(status, EX_DATAERR);
	return counts.failed > 0 ? cli_worse(status, 1) : status;
}

/* A signal that was taken comes before what became of the output. */
static int
end_output(const struct call *call, int status)
{
	struct svc_error error;

	if (call->signal == 0)
		return cli_finish(call->options.writer, status);
	if (writer_flush(call->options.writer, &error) == -1 && errno != EPIPE)
		(void)cli_warn(&error);
	cli_die_of(call->signal);
}

int
main(int argc, char *argv[])
{
	struct call call = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary = "Send tasks to instances of services: many at "
			   "once, bounded, retried, in a pipe."},
	    .options = {.call = {.jobs = JOBS_DEFAULT,
			    .timeout = CALL_TIMEOUT,
			    .retries = CALL_RETRIES,
			    .max_result = TASK_LENGTH_MAX},
		.item = {.timeout = -1,
		    .envelope = {.max_task = TASK_LENGTH_MAX}}},
	};
	int option, status;

	cli_init(&call.cli);
	while ((option = cli_option(&call.cli, argc, argv)) != -1)
		parse_option(&call, option);
	parse_operands(&call, argc - optind, argv + optind);
	bound_memory();
	raise_descriptors(&call);
	complete(&call);
	cli_ignore_pipe();
	status = run(&call);
	status = end_output(&call, status);
	reader_close(call.options.reader);
	buffer_release(&call.payload);
	cli_rotation_close(&call.rotation);
	selector_free(call.selector);
	cli_http_release(&call.http);
	return status;
}
