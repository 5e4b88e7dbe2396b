/* svc-call: send tasks to instances of services, many at once, in a pipe. */
#include <event2/event.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "cli_calling.h"
#include "cli_payload.h"
#include "net/call_pipe.h"

/* clang-format off */
static const struct option_row rows[] = {
	{'d', "data", "TASK", "send TASK (@FILE: what FILE has), once"},
	OPTION_ROWS_CALLING,
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
	struct cli_calling calling;
	struct call_pipe_options options;
	struct call_pipe *pipe;
	const char *data; /* -d */
	struct buffer payload; /* as one line of JSON */
};

static void
parse_option(struct call *call, int option)
{
	if (option == 'd')
		call->data = optarg;
	else
		(void)cli_calling_option(&call->calling, option);
}

/* -d, which is the same for all lines. */
static void
make_payload(struct call *call)
{
	struct call_item_options *item = &call->calling.item;
	const struct cli_payload payload = {
	    .data = call->data,
	    .content_type = cli_http_content_type(&call->calling.http),
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
	struct call_item_options *item = &call->calling.item;
	const struct cli *cli = &call->cli;

	cli_check_operands(cli, argc, argv, "NAME");
	cli_calling_check(&call->calling);
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
	if (item->service == NULL && call->calling.selector != NULL)
		cli_usage(cli, "--label needs NAME: the instances come from "
			       "standard input");
	item->input = item->service == NULL ? INPUT_INSTANCES : INPUT_PAYLOAD;
	make_payload(call);
}

static void
show(void *argument, const struct call_progress *counts)
{
	const struct cli_calling *calling = argument;

	cli_progress_update(calling->progress, counts);
}

static void
open_reader(struct call *call)
{
	struct svc_error error;

	if (reader_open(&call->options.reader, STDIN_FILENO, "stdin",
		cli_calling_line_limit(&call->calling), &error) == -1)
		cli_fail(&error);
}

/* What the options leave open, and the ends of the pipe. */
static void
complete(struct call *call)
{
	struct call_pipe_options *options = &call->options;
	struct cli_calling *calling = &call->calling;
	enum call_input input = calling->item.input;

	/* Instances from a pipe need nobody else, but to trust them does. */
	cli_calling_complete(calling, "stdin", true,
	    input != INPUT_INSTANCES || calling->call.security.token != NULL);
	cli_calling_show(calling, input == INPUT_PAYLOAD ? -1 : STDIN_FILENO);
	options->item = calling->item;
	options->call = calling->call;
	options->watch = calling->watch;
	options->keep_order = calling->keep_order;
	options->preview = calling->dry_run;
	options->complain = cli_calling_complain;
	options->warn = cli_calling_say;
	options->progress = calling->progress == NULL ? NULL : show;
	options->argument = calling;
	options->output = STDOUT_FILENO;
	options->writer = cli_stdout();
	if (input != INPUT_PAYLOAD)
		open_reader(call);
}

static void
on_stop(void *argument)
{
	const struct call *call = argument;

	call_pipe_stop(call->pipe);
}

static int
run(struct call *call)
{
	struct event_base *base = event_base_new();
	struct call_counts counts = {0, 0};
	struct cli_stops *stops;
	struct svc_error error;
	bool output = false;
	int status = EX_OK;

	if (base == NULL) {
		svc_error_set(&error, EX_OSERR, "no event loop");
		cli_fail(&error);
	}
	if (call_pipe_open(&call->pipe, base, &call->options, &error) == -1)
		cli_fail(&error);
	cli_calling_catch(&stops, &call->calling, base, on_stop, call);
	if (call_pipe_run(call->pipe, &counts, &output, &error) == -1)
		status = cli_calling_fail(&call->calling, base, output, &error);
	cli_calling_release(stops);
	call_pipe_close(call->pipe);
	event_base_free(base);
	status = cli_worse(status, cli_calling_report(&call->calling));
	if (counts.invalid > 0)
		status = cli_worse(status, EX_DATAERR);
	return counts.failed > 0 ? cli_worse(status, 1) : status;
}

int
main(int argc, char *argv[])
{
	struct call call = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary = "Send tasks to instances of services: many at "
			   "once, bounded, retried, in a pipe."},
	};
	int option, status;

	cli_init(&call.cli);
	cli_calling_init(&call.calling, &call.cli);
	while ((option = cli_option(&call.cli, argc, argv)) != -1)
		parse_option(&call, option);
	parse_operands(&call, argc - optind, argv + optind);
	complete(&call);
	cli_ignore_pipe();
	status = run(&call);
	reader_close(call.options.reader);
	buffer_release(&call.payload);
	return cli_calling_finish(&call.calling, call.options.writer, status);
}
