/* svc-call: send tasks to instances of services, many at once, in a pipe. */
#include <sys/resource.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/units.h"
#include "net/call_pipe.h"

#define JOBS_DEFAULT 16
#define RETRIES_MAX  1000
/* Besides connections: standard ones, event loop, registry, resolver. */
#define DESCRIPTORS_OTHER 32

enum { OPTION_RETRIES = OPTION_LONG, OPTION_IDEMPOTENT, OPTION_MAX_RESULT };

/* clang-format off */
static const struct option_row rows[] = {
	{'d', "data", "TASK", "send TASK (@FILE: what FILE has), once"},
	{'j', "jobs", "N", "at most N requests at once (16)"},
	{'k', "keep-order", NULL, "print in the order of the input"},
	{'n', "dry-run", NULL, "print what would be sent, send nothing"},
	{'o', "output", "FORMAT", "json, or result: the results alone"},
	{'T', "timeout", "DURATION", "give up a task after DURATION (30s)"},
	{'H', "header", "HEADER", "send 'Name: value' along"},
	{'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
	OPTION_ROWS_LINES,
	{OPTION_RETRIES, "retries", "N", "after a failure, N times more (2)"},
	{OPTION_IDEMPOTENT, "idempotent", NULL,
	    "executing a task twice is harmless"},
	{OPTION_MAX_RESULT, "max-result", "SIZE", "the largest result (8M)"},
	OPTION_ROWS_COMMON,
	{0, NULL, NULL, NULL},
};
/* clang-format on */

static const char synopsis[] =
    "svc-call [-kLnqv] [-d TASK] [-H HEADER]... [-j N] [-l SELECTOR] "
    "[-o FORMAT] [-R PLACE] [-T DURATION] [--bare] [--idempotent] "
    "[--max-result SIZE] [--max-task SIZE] [--retries N] [--retry] [NAME]";

struct call {
	struct cli cli;
	struct call_pipe_options options;
	struct call_pipe *pipe;
	struct selector *selector;
	const char *data; /* -d */
	struct buffer payload; /* as one line of JSON */
	const char **headers;
	size_t header_count;
	char run[40];
	int signal; /* that asked for an orderly stop; 0 */
};

static void
add_header(struct call *call, const char *header)
{
	struct svc_error error;
	const char **grown;

	if (call_header_check(header, &error) == -1)
		cli_refuse(&call->cli, 'H', "%s", error.message);
	grown =
	    reallocarray(call->headers, call->header_count + 2, sizeof(*grown));
	if (grown == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	call->headers = grown;
	grown[call->header_count++] = header;
	grown[call->header_count] = NULL;
}

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

static int
parse_timeout(const char *text, double *seconds, struct svc_error *error)
{
	if (duration_parse(text, seconds, error) == -1)
		return -1;
	if (*seconds <= 0)
		return svc_error_set(error, EX_USAGE,
		    "not a duration over 0: '%s' (say 30s)", text);
	return 0;
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
		result = parse_timeout(optarg, &options->item.timeout, &error);
		break;
	case 'H':
		add_header(call, optarg);
		break;
	case 'l':
		selector_free(call->selector);
		result = selector_parse(&call->selector, optarg, &error);
		break;
	case OPTION_RETRIES:
		result = parse_number(
		    optarg, 0, RETRIES_MAX, &options->call.retries, &error);
		break;
	case OPTION_IDEMPOTENT:
		options->call.idempotent = true;
		break;
	case OPTION_MAX_RESULT:
		result = size_parse_within(
		    optarg, LINE_LENGTH_MAX, &options->call.max_result, &error);
		break;
	default:
		cli_line_option(&call->cli, option, &options->item.envelope);
	}
	if (result == -1)
		cli_refuse(&call->cli, option, "%s", error.message);
}

/* All of a file, at most limit bytes of it and one more. */
static void
read_file(const char *path, size_t limit, struct buffer *out)
{
	struct svc_error error;
	size_t want = 64UL * 1024;
	ssize_t count = 1;
	char *room;
	int fd;

	fd = strcmp(path, "-") == 0 ? STDIN_FILENO
				    : open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && count > 0 && out->length <= limit) {
		room = buffer_reserve(out, want);
		if (room == NULL)
			break;
		count = read(fd, room, want);
		if (count > 0)
			out->length += (size_t)count;
	}
	if (fd == -1 || count == -1) {
		svc_error_errno(&error, "--data: %s", path);
		cli_fail(&error);
	}
	if (buffer_failed(out)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	if (fd != STDIN_FILENO)
		close(fd);
}

/* -d as one line of JSON. */
static void
make_payload(struct call *call)
{
	struct json_document document = {0};
	struct buffer file = BUFFER_INIT;
	struct json_span text = {call->data, strlen(call->data)};
	size_t limit = call->options.item.envelope.max_task;
	struct svc_error error;

	if (*call->data == '@') {
		read_file(call->data + 1, limit, &file);
		text.data = file.length == 0 ? "" : file.data;
		text.length = file.length;
	}
	if (text.length > limit) {
		svc_error_set(&error, EX_DATAERR,
		    "--data: larger than --max-task (%zu bytes)", limit);
		cli_fail(&error);
	}
	if (call->options.item.envelope.text) {
		json_append_string(&call->payload, text.data, text.length);
	} else if (json_scan(&document, text.data, text.length, &error) == -1) {
		cli_refuse(&call->cli, 'd',
		    "not JSON: %s; with --text it is text", error.message);
	} else {
		json_append_line(&call->payload, document.value.span);
	}
	json_document_release(&document);
	buffer_release(&file);
	if (buffer_failed(&call->payload)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	call->options.item.payload.data = call->payload.data;
	call->options.item.payload.length = call->payload.length;
}

static void
parse_operands(struct call *call, int argc, char *argv[])
{
	struct call_item_options *item = &call->options.item;
	const struct cli *cli = &call->cli;

	cli_check_operands(cli, argc, argv, "NAME");
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

	if (!call->cli.quiet)
		cli_warn_line("%s", message);
}

/* An error line of -o result; where stderr is gone nobody wants it. */
static void
complain(void *argument, const char *text, size_t length)
{
	(void)argument;
	fwrite(text, 1, length, stderr);
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
	options->call.headers = (const char *const *)call->headers;
	options->call.seed = ((uint64_t)arc4random() << 32) | arc4random();
	if (call->cli.verbose > 0)
		options->call.note = say;
	options->call.note_argument = call;
	options->watch.open =
	    item->input == INPUT_INSTANCES ? NULL : open_registry;
	options->watch.selector = call->selector;
	options->watch.empty = append_empty;
	options->watch.warn = say;
	options->watch.argument = call;
	options->complain = complain;
	options->warn = say;
	options->argument = call;
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
		cli_warn_line("%d requests at once, not more: at most %llu "
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
	if (call_pipe_run(call->pipe, &counts, &output, &error) == -1) {
		int saved = errno;

		/* ^C ends the reader too: the signal, then, is why. */
		if (output && saved == EPIPE)
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		if (output && call->signal != 0)
			cli_die_of(call->signal);
		errno = saved;
		if (output)
			cli_output_failed(&error);
		status = cli_warn(&error);
	}
	for (i = 0; i < 3; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	call_pipe_close(call->pipe);
	event_base_free(base);
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
	selector_free(call.selector);
	free(call.headers);
	return status;
}
