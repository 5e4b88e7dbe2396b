/* svc-watch: tell what changes in the registry, probe, wait, run a handler. */
#include <event2/event.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/check.h"
#include "line/units.h"
#include "net/outlet.h"
#include "net/pass.h"
#include "net/watch_files.h"
#include "net/watcher.h"
#include "process/command.h"
#include "process/handler.h"
#include "process/signals.h"
#include "registry/until.h"
#include "ui/event_format.h"
#include "ui/summary.h"

#define STATUS_TIMED_OUT 124

#define JOBS		64
#define JOBS_MAX	10000
#define PANIC		50.0 /* percent */
#define HANDLER_TIMEOUT 60.0 /* seconds */
/* What a handler gets to end in, when we are told to. */
#define HANDLER_GRACE 5.0
/* What the reader of stdout gets, when we are told to end. */
#define DRAIN_MILLISECONDS 1000
/* Nothing more is told while so many bytes wait for the reader of stdout. */
#define BACKLOG_MAX (1024UL * 1024)

enum {
	OPTION_INTERVAL = OPTION_LONG,
	OPTION_SETTLE,
	OPTION_UNTIL,
	OPTION_STATE,
	OPTION_REAP,
	OPTION_METRICS,
	OPTION_PANIC,
	OPTION_HANDLER_TIMEOUT
};

static const struct option_row rows[] = {
    {'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
    {'a', "all", NULL, "also heartbeats and changes of load"},
    {'1', "one", NULL, "one pass, then exit"},
    {OPTION_STATE, "state", "FILE", "tell what changed since FILE was written"},
    {'o', "output", "FORMAT", "json, table, tsv, or a text with %{MEMBER}"},
    {OPTION_UNTIL, "until", "EXPR", "wait for NAME>=2, NAME=passing, ..."},
    {'T', "timeout", "DURATION", "give up waiting after DURATION"},
    {'p', "probe", NULL, "probe the instances that have a check"},
    {'j', "jobs", "N", "at most N probes at once (64)"},
    {OPTION_INTERVAL, "interval", "DURATION",
	"between probes, where the check does not say (5s)"},
    {OPTION_PANIC, "panic", "PERCENT",
	"that turn critical at once are not believed (50; 0: all are)"},
    {OPTION_REAP, "reap", NULL, "remove what is long expired"},
    {OPTION_METRICS, "metrics", "FILE", "for Prometheus' textfile collector"},
    {OPTION_SETTLE, "settle", "DURATION",
	"gather events for HANDLER until so much quiet"},
    {OPTION_HANDLER_TIMEOUT, "handler-timeout", "DURATION",
	"stop a HANDLER after DURATION (60s)"},
    {'n', "dry-run", NULL, "reap nothing, run nothing: say what would be"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

static const char synopsis[] =
    "svc-watch [-1anpqv] [-j N] [-l SELECTOR] [-o FORMAT] [-R PLACE] "
    "[-T DURATION] [--handler-timeout DURATION] [--interval DURATION] "
    "[--metrics FILE] [--panic PERCENT] [--reap] [--settle DURATION] "
    "[--state FILE] [--until EXPR] [NAME...] [-- HANDLER [ARGUMENT]...]";

struct request {
	const char *const *services; /* sorted */
	size_t service_count; /* 0: all */
	struct selector *selector;
	struct until *until;
	struct event_format *format;
	struct format_screen screen;
	char **handler; /* NULL: none */
	const char *output;
	const char *state;
	const char *metrics;
	bool one;
	bool all;
	bool probe;
	bool reap;
	bool dry_run;
	bool prints; /* events, on stdout */
	/* negative (jobs: 0) where the option was not given */
	double timeout;
	double settle;
	double handler_timeout;
	double interval;
	double panic;
	int jobs;
};

struct watch {
	struct cli cli;
	struct request request;
	sigset_t ignored; /* by who started us */
	struct event_base *base;
	struct signals *signals;
	struct registry *registry; /* NULL: a single pass, and there is none */
	struct watcher *watcher; /* NULL: a single pass */
	struct stream *stream;
	struct handler *handler;
	struct reaper *reaper;
	struct writer *writer;
	struct outlet *outlet;
	struct watch_files *files;
	struct event *deadline;
	struct buffer text; /* of one event, formatted */
	bool ending;
	bool broken; /* stdout */
	bool gone; /* its reader */
	bool dropped; /* what nobody read */
	bool untold; /* events that were not written, or not handled */
	int signal; /* the one that asked for the end */
	int status;
};

static int
parse_jobs(struct request *request, struct svc_error *error)
{
	long long number;

	if (integer_parse(optarg, 1, JOBS_MAX, &number, error) == -1)
		return -1;
	request->jobs = (int)number;
	return 0;
}

static int
parse_interval(struct request *request, struct svc_error *error)
{
	if (duration_parse(optarg, &request->interval, error) == -1)
		return -1;
	if (request->interval < CHECK_INTERVAL_MIN)
		return svc_error_set(
		    error, EX_USAGE, "less than 10ms (say 5s): '%s'", optarg);
	return 0;
}

static int
parse_panic(struct request *request, struct svc_error *error)
{
	if (number_parse(optarg, &request->panic, error) == -1)
		return -1;
	if (request->panic < 0 || request->panic > 100)
		return svc_error_set(error, EX_USAGE,
		    "not a percentage from 0 to 100: '%s'", optarg);
	return 0;
}

/* Reads the argument of an option that has one to be read. */
static int
parse_value(struct request *request, int option, struct svc_error *error)
{
	switch (option) {
	case 'l':
		selector_free(request->selector);
		request->selector = NULL;
		return selector_parse(&request->selector, optarg, error);
	case 'j':
		return parse_jobs(request, error);
	case 'T':
		return duration_parse(optarg, &request->timeout, error);
	case OPTION_INTERVAL:
		return parse_interval(request, error);
	case OPTION_PANIC:
		return parse_panic(request, error);
	case OPTION_SETTLE:
		return duration_parse(optarg, &request->settle, error);
	case OPTION_HANDLER_TIMEOUT:
		return duration_parse(optarg, &request->handler_timeout, error);
	case OPTION_UNTIL:
		until_free(request->until);
		request->until = NULL;
		return until_parse(&request->until, optarg, error);
	}
	return 0;
}

static void
parse_option(const struct cli *cli, struct request *request, int option)
{
	struct svc_error error;

	if (parse_value(request, option, &error) == -1)
		cli_refuse(cli, option, "%s", error.message);
	switch (option) {
	case '1':
		request->one = true;
		break;
	case 'a':
		request->all = true;
		break;
	case 'n':
		request->dry_run = true;
		break;
	case 'o':
		request->output = optarg;
		break;
	case 'p':
		request->probe = true;
		break;
	case OPTION_STATE:
		request->state = optarg;
		break;
	case OPTION_METRICS:
		request->metrics = optarg;
		break;
	case OPTION_REAP:
		request->reap = true;
		break;
	}
}

/* What --until asks for has to be watched. */
static void
take_until(const struct cli *cli, struct request *request)
{
	const char *const *asked;
	size_t count = until_services(request->until, &asked), i, k;

	if (request->service_count == 0) {
		request->services = asked;
		request->service_count = count;
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < request->service_count; k++)
			if (strcmp(asked[i], request->services[k]) == 0)
				break;
		if (k == request->service_count)
			cli_refuse(cli, OPTION_UNTIL,
			    "'%s' is not among the NAMEs", asked[i]);
	}
}

/* [NAME...] [-- HANDLER...]: getopt_long(3) has eaten "--" where there is no
 * NAME. */
static void
take_operands(const struct cli *cli, struct request *request, char *argv[])
{
	char **operands = argv + optind;
	bool eaten = strcmp(argv[optind - 1], "--") == 0;
	size_t count = 0;

	while (!eaten && operands[count] != NULL &&
	       strcmp(operands[count], "--") != 0)
		count++;
	if (eaten || operands[count] != NULL) {
		request->handler = operands + count + (eaten ? 0 : 1);
		if (request->handler[0] == NULL)
			cli_usage(cli, "HANDLER is missing: it follows '--'");
	}
	request->services = (const char *const *)operands;
	request->service_count = cli_services(cli, (int)count, operands);
	if (request->until != NULL)
		take_until(cli, request);
}

/* Options that mean nothing by themselves. */
static void
check_company(const struct cli *cli, const struct request *request)
{
	if (request->timeout >= 0 && request->until == NULL)
		cli_usage(cli, "--timeout needs --until");
	if (request->until != NULL && request->one)
		cli_usage(cli, "--until goes on until it holds: without --one");
	if (!request->probe && request->jobs > 0)
		cli_usage(cli, "--jobs needs --probe");
	if (!request->probe && request->interval >= 0)
		cli_usage(cli, "--interval needs --probe");
	if (!request->probe && request->panic >= 0)
		cli_usage(cli, "--panic needs --probe");
	if (request->handler == NULL && request->settle >= 0)
		cli_usage(cli, "--settle needs a HANDLER");
	if (request->handler == NULL && request->handler_timeout >= 0)
		cli_usage(cli, "--handler-timeout needs a HANDLER");
	if (request->dry_run && !request->reap && request->handler == NULL)
		cli_usage(cli, "--dry-run needs --reap or a HANDLER");
	if (request->reap && request->one && request->state == NULL)
		cli_usage(cli, "--reap --one needs --state FILE, which "
			       "remembers the first sighting");
}

static void
check_request(const struct cli *cli, struct request *request)
{
	const char *output = request->output;
	struct svc_error error;

	check_company(cli, request);
	if (request->jobs == 0)
		request->jobs = JOBS;
	if (request->interval < 0)
		request->interval = CHECK_INTERVAL;
	if (request->panic < 0)
		request->panic = PANIC;
	if (request->settle < 0)
		request->settle = 0;
	if (request->handler_timeout < 0)
		request->handler_timeout = HANDLER_TIMEOUT;
	request->prints =
	    output != NULL ||
	    (request->until == NULL && !(request->one && request->probe));
	if (output == NULL && isatty(STDOUT_FILENO) == 1)
		output = "table";
	if (event_format_parse(&request->format, output, &error) == -1)
		cli_refuse(cli, 'o', "%s", error.message);
	cli_screen(&request->screen);
	if (request->handler != NULL &&
	    command_check(request->handler[0], getenv("PATH"), &error) == -1)
		cli_fail(&error);
}

static void
fail_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

static void
warn(struct watch *self, const struct svc_error *error)
{
	self->status = cli_worse(self->status, cli_warn(error));
}

/* Something that is wrong and will be tried again. */
static void
notice(void *argument, const char *message)
{
	const struct watch *self = argument;

	if (!self->cli.quiet)
		cli_warn_line("%s", message);
}

static void
leave_loop(struct watch *self)
{
	(void)event_base_loopbreak(self->base);
}

/* Whether the handler has not yet dealt with what it was given. */
static bool
handles(const struct watch *self)
{
	return self->handler != NULL && handler_busy(self->handler);
}

/* Whether nothing is left to be waited for; a signal does not wait for the
 * reader of stdout. */
static bool
is_done(const struct watch *self)
{
	return self->ending && !handles(self) &&
	       (self->signal != 0 || self->broken ||
		   writer_pending(self->writer) == 0);
}

/* Ends when the handler has dealt with what it was given, and all is written.
 */
static void
finish(struct watch *self)
{
	self->ending = true;
	if (self->watcher != NULL)
		watcher_stop(self->watcher);
	if (is_done(self))
		leave_loop(self);
	else if (handles(self))
		handler_finish(self->handler);
}

/* Ends soon. */
static void
stop(struct watch *self)
{
	self->untold = self->untold || handles(self);
	if (self->handler != NULL)
		handler_stop(self->handler, HANDLER_GRACE);
	finish(self);
}

/* The first asks for an orderly end, the second for the end. */
static void
on_signal(void *argument, int number, bool alone)
{
	struct watch *self = argument;

	(void)alone;
	if (self->signal != 0) {
		leave_loop(self);
		return;
	}
	self->signal = number;
	stop(self);
}

static void
hold(struct watch *self, bool wanted)
{
	struct svc_error error;

	if (self->watcher != NULL &&
	    watcher_hold(self->watcher, wanted, &error) == -1)
		cli_fail(&error);
}

/* What did not fit is told as it is now. */
static void
on_drained(void *argument)
{
	struct watch *self = argument;

	if (!self->ending)
		hold(self, false);
	else if (is_done(self))
		leave_loop(self);
}

/* cli_finish() says why, unless the reader has gone. */
static void
on_broken(void *argument, bool gone)
{
	struct watch *self = argument;

	self->broken = true;
	self->gone = gone;
	stop(self);
}

static void
print(struct watch *self, const struct buffer *line)
{
	struct request *request = &self->request;
	struct svc_error error;

	buffer_clear(&self->text);
	if (event_format_line(request->format, line->data, line->length,
		&request->screen, &self->text, &error) == -1)
		cli_fail(&error);
	if (writer_line(self->writer, self->text.data, self->text.length,
		&error) == -1) {
		self->untold = true;
		stop(self);
	} else {
		outlet_wake(self->outlet);
	}
}

static void
handle(struct watch *self, const struct event *event, const struct buffer *line,
    bool more)
{
	struct handler_event handled = {.kind = event_name(event->kind),
	    .service = event->service,
	    .id = event->id,
	    .line = line->data,
	    .length = line->length,
	    .more = more};

	if (!self->request.dry_run)
		handler_add(self->handler, &handled);
	else
		cli_warn_line("would run '%s' for %s%s%s%s%s",
		    self->request.handler[0], handled.kind,
		    event->service == NULL ? "" : " ",
		    event->service == NULL ? "" : event->service,
		    event->id == NULL ? "" : "/",
		    event->id == NULL ? "" : event->id);
}

static void
tell(void *argument, const struct event *event, const struct buffer *line,
    bool more)
{
	struct watch *self = argument;

	if (self->request.prints)
		print(self, line);
	/* A handler that is told that it failed would fail for ever. */
	if (self->handler != NULL && event->kind != EVENT_HANDLER)
		handle(self, event, line, more);
	watch_files_stir(self->files);
}

static void
on_handler_failed(void *argument, const char *reason)
{
	struct watch *self = argument;

	if (!self->request.prints)
		cli_warn_line("handler: %s", reason);
	if (self->request.one)
		self->status = cli_worse(self->status, EXIT_FAILURE);
	stream_say(self->stream, EVENT_HANDLER, reason);
}

static void
on_handler_idle(void *argument)
{
	struct watch *self = argument;

	if (is_done(self))
		leave_loop(self);
}

static void
open_handler(struct watch *self)
{
	const struct request *request = &self->request;
	struct handler_options options = {.base = self->base,
	    .argv = request->handler,
	    .environment = environ,
	    .ignored = &self->ignored,
	    .settle = request->settle,
	    .timeout = request->handler_timeout,
	    .failed = on_handler_failed,
	    .idle = on_handler_idle,
	    .argument = self};
	struct svc_error error;

	if (request->handler != NULL &&
	    handler_open(&self->handler, &options, &error) == -1)
		cli_fail(&error);
}

static void
open_loop(struct watch *self)
{
	struct stream_options options = {.selector = self->request.selector,
	    .services = self->request.services,
	    .service_count = self->request.service_count,
	    .all = self->request.all,
	    .tell = tell,
	    .argument = self};
	struct svc_error error;
	sigset_t wanted;

	self->base = event_base_new();
	if (self->base == NULL)
		fail_memory();
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGQUIT);
	if (signals_open(&self->signals, self->base, &wanted, on_signal, self,
		&error) == -1 ||
	    stream_open(&self->stream, &options, &error) == -1)
		cli_fail(&error);
	self->writer = cli_stdout();
	writer_set_prompt(self->writer, true);
	open_handler(self);
}

static void
on_file_failed(void *argument, const struct svc_error *error)
{
	warn(argument, error);
}

static bool
has_settled(void *argument)
{
	const struct watch *self = argument;

	return writer_pending(self->writer) == 0 && !handles(self);
}

/* What the watcher knows; only the array is the caller's. */
static const struct prober *
collect(void *argument, struct instance_list *list)
{
	const struct watch *self = argument;
	struct svc_error error;

	if (watcher_list(self->watcher, list, &error) == -1)
		cli_fail(&error);
	return watcher_prober(self->watcher);
}

/* The files and the reaper, and what the last run told: 1; 0: none did. */
static int
open_files(struct watch *self, struct instance_list *told)
{
	const struct request *request = &self->request;
	struct watch_files_options options = {.base = self->base,
	    .state = request->state,
	    .metrics = request->metrics,
	    .services = request->services,
	    .service_count = request->service_count,
	    .stream = self->stream,
	    .collect = collect,
	    .settled = has_settled,
	    .failed = on_file_failed,
	    .argument = self};
	struct svc_error error;
	int found;

	if (request->reap && self->registry != NULL &&
	    reaper_open(&self->reaper, self->registry, &error) == -1)
		cli_fail(&error);
	if (self->reaper != NULL)
		reaper_confine(self->reaper, request->selector,
		    request->services, request->service_count);
	options.reaper = self->reaper;
	if (watch_files_open(&self->files, &options, &error) == -1)
		cli_fail(&error);
	found = watch_files_read(self->files, told, &error);
	if (found == -1)
		cli_fail(&error);
	return found;
}

static void
on_removed(void *argument, const char *service, const char *id)
{
	const struct watch *self = argument;

	if (self->request.dry_run)
		cli_warn_line("would remove %s/%s", service, id);
	else if (self->cli.verbose > 0)
		cli_warn_line("removed %s/%s", service, id);
}

static void
on_kept(void *argument, const struct svc_error *error)
{
	warn(argument, error);
}

static struct prober_options
prober_options(struct watch *self)
{
	const struct request *request = &self->request;

	return (struct prober_options){.base = self->base,
	    .registry = self->registry,
	    .jobs = request->jobs,
	    .interval = request->interval,
	    .panic = request->panic,
	    .notice = notice,
	    .argument = self};
}

/* The line about what the selector leaves of list. */
static void
summarize(struct watch *self, const struct instance_list *list)
{
	const struct request *request = &self->request;
	struct instance_list told = {.count = list->count};
	struct buffer line = BUFFER_INIT;
	struct svc_error error;
	int verdict;

	told.items = calloc(list->count + 1, sizeof(*told.items));
	if (told.items == NULL)
		fail_memory();
	if (list->count > 0)
		memcpy(
		    told.items, list->items, list->count * sizeof(*told.items));
	stream_narrow(self->stream, &told);
	verdict = summary_append(told.items, told.count, request->services,
	    request->service_count, &line);
	free(told.items);
	if (buffer_failed(&line))
		fail_memory();
	if (!request->prints &&
	    writer_line(self->writer, line.data, line.length, &error) == -1)
		cli_output_failed(&error);
	outlet_wake(self->outlet);
	self->status = cli_worse(self->status, verdict);
	buffer_release(&line);
}

/* The instances that --until is about. */
static void
collect_told(struct watch *self, struct instance_list *list)
{
	(void)collect(self, list);
	stream_narrow(self->stream, list);
	if (self->request.probe)
		until_doubt(list);
}

static void
on_deadline(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch *self = argument;
	struct instance_list list = INSTANCE_LIST_INIT;
	struct buffer why = BUFFER_INIT;

	(void)descriptor;
	(void)what;
	collect_told(self, &list);
	until_why(self->request.until, &list, &why);
	if (buffer_string(&why) == NULL)
		fail_memory();
	if (!self->cli.quiet)
		cli_warn_line("timed out: %s", why.data);
	buffer_release(&why);
	free(list.items);
	self->status = cli_worse(self->status, STATUS_TIMED_OUT);
	stop(self);
}

/* The events of what else happens. */
static void
open_events(struct watch *self)
{
	const struct request *request = &self->request;
	struct outlet_options outlet = {.base = self->base,
	    .writer = self->writer,
	    .descriptor = STDOUT_FILENO,
	    .drained = on_drained,
	    .broken = on_broken,
	    .argument = self};
	struct timeval time = duration_timeval(request->timeout);
	struct svc_error error;

	if (outlet_open(&self->outlet, &outlet, &error) == -1)
		cli_fail(&error);
	if (request->timeout < 0)
		return;
	self->deadline = evtimer_new(self->base, on_deadline, self);
	if (self->deadline == NULL || evtimer_add(self->deadline, &time) == -1)
		fail_memory();
}

/*
 * Goes on until nothing is left to be done.  After a signal a reader that takes
 * nothing for a second is not waited for, and the rest is dropped.
 */
static void
run(struct watch *self)
{
	struct svc_error error;

	if (!is_done(self) && event_base_dispatch(self->base) == -1)
		self->status = cli_worse(self->status, EX_OSERR);
	if (self->signal != 0)
		self->dropped =
		    outlet_drain(self->outlet, DRAIN_MILLISECONDS, &error) == 0;
}

/* The state of the end: the next run tells again what nobody was told. */
static void
keep_state(struct watch *self, const struct instance_list *list)
{
	if (!self->untold && has_settled(self))
		watch_files_write_state(self->files, list);
}

/* Ends what a pass begins: nobody watches any more. */
static void
tell_pass(struct watch *self, const struct instance_list *told,
    const struct instance_list *list)
{
	struct svc_error error;

	open_events(self);
	if (told != NULL)
		stream_catch_up(self->stream, told, list);
	else if (stream_sync(self->stream, list, &error) == -1)
		cli_fail(&error);
	if (self->request.probe)
		summarize(self, list);
	finish(self);
	run(self);
	keep_state(self, list);
}

/* -1: looks at everything once. */
static void
pass(struct watch *self)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list told = INSTANCE_LIST_INIT;
	const struct request *request = &self->request;
	struct prober_options probes;
	struct pass_options options = {.services = request->services,
	    .service_count = request->service_count,
	    .dry_run = request->dry_run,
	    .removed = on_removed,
	    .kept = on_kept,
	    .argument = self};
	struct prober *prober;
	struct svc_error error;
	int found;

	options.registry = self->registry = cli_registry_if_any(&self->cli);
	probes = prober_options(self);
	if (request->probe)
		options.prober = &probes;
	found = open_files(self, &told);
	options.reaper = self->reaper;
	if (pass_run(&options, &list, &prober, &error) == -1)
		cli_fail(&error);
	watch_files_write_metrics(self->files, &list, prober);
	prober_close(prober);
	if (self->signal == 0)
		tell_pass(self, found == 1 ? &told : NULL, &list);
	instance_list_release(&told);
	instance_list_release(&list);
}

/* --until: ends when it holds. */
static void
check_until(struct watch *self)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct svc_error error;
	int holds;

	collect_told(self, &list);
	holds = until_holds(self->request.until, &list, &error);
	free(list.items);
	if (holds == -1)
		cli_fail(&error);
	if (holds == 1)
		finish(self);
}

static void
on_looked(void *argument)
{
	struct watch *self = argument;

	if (stream_failed(self->stream))
		fail_memory();
	if (self->request.until != NULL && !self->ending)
		check_until(self);
	/* What is not read will be told later, as it is then. */
	if (!self->ending && writer_pending(self->writer) > BACKLOG_MAX)
		hold(self, true);
}

static void
on_unreadable(void *argument, const struct svc_error *error)
{
	(void)argument;
	cli_warn_line("%s; trying again", error->message);
}

static void
leave_files(struct watch *self)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	const struct prober *prober = collect(self, &list);
	struct svc_error error;

	watch_files_write_metrics(self->files, &list, prober);
	if (watcher_told(self->watcher, &list, &error) == -1)
		cli_fail(&error);
	keep_state(self, &list);
	free(list.items);
}

/* Goes on until something ends it. */
static void
follow(struct watch *self)
{
	const struct request *request = &self->request;
	struct instance_list told = INSTANCE_LIST_INIT;
	struct prober_options prober = prober_options(self);
	struct watcher_options options = {.base = self->base,
	    .services = request->services,
	    .service_count = request->service_count,
	    .stream = self->stream,
	    .dry_run = request->dry_run,
	    .looked = on_looked,
	    .failed = on_unreadable,
	    .removed = on_removed,
	    .kept = on_kept,
	    .argument = self};
	struct svc_error error;
	int found;

	options.registry = prober.registry = self->registry =
	    cli_registry(&self->cli, true);
	if (request->probe)
		options.prober = &prober;
	found = open_files(self, &told);
	options.reaper = self->reaper;
	if (watcher_open(&self->watcher, &options, &error) == -1)
		cli_fail(&error);
	open_events(self);
	if (watcher_begin(self->watcher, found == 1 ? &told : NULL, &error) ==
	    -1)
		cli_fail(&error);
	instance_list_release(&told);
	watch_files_start(self->files);
	on_looked(self);
	run(self);
	leave_files(self);
}

static void
release(struct watch *self)
{
	watcher_close(self->watcher);
	handler_close(self->handler);
	reaper_close(self->reaper);
	stream_close(self->stream);
	registry_close(self->registry);
	outlet_close(self->outlet);
	watch_files_close(self->files);
	if (self->deadline != NULL)
		event_free(self->deadline);
	signals_close(self->signals);
	event_base_free(self->base);
	libevent_global_shutdown();
	buffer_release(&self->text);
	event_format_free(self->request.format);
	selector_free(self->request.selector);
	until_free(self->request.until);
}

int
main(int argc, char *argv[])
{
	struct watch self = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary = "Tell what changes in the registry, probe its "
			   "instances, wait, run a handler."},
	    .request = {.timeout = -1,
		.settle = -1,
		.handler_timeout = -1,
		.interval = -1,
		.panic = -1},
	};
	int option;

	signals_ignored(&self.ignored);
	cli_init(&self.cli);
	while ((option = cli_option(&self.cli, argc, argv)) != -1)
		parse_option(&self.cli, &self.request, option);
	take_operands(&self.cli, &self.request, argv);
	check_request(&self.cli, &self.request);
	cli_ignore_pipe();
	open_loop(&self);
	if (self.request.one)
		pass(&self);
	else
		follow(&self);
	release(&self);
	if (self.dropped)
		writer_close(self.writer);
	else
		self.status = cli_finish(self.writer, self.status);
	if (self.signal != 0 || self.gone)
		cli_die_of(self.signal != 0 ? self.signal : SIGPIPE);
	return self.status;
}
