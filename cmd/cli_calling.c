#include "cli_calling.h"

#include <sys/resource.h>

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/traceparent.h"
#include "line/units.h"

#define JOBS_DEFAULT 16
#define RETRIES_MAX  1000
/* Besides connections: standard ones, event loop, registry, resolver. */
#define DESCRIPTORS_OTHER 32

void
cli_calling_init(struct cli_calling *calling, const struct cli *cli)
{
	memset(calling, 0, sizeof(*calling));
	calling->cli = cli;
	calling->call.jobs = JOBS_DEFAULT;
	calling->call.timeout = CALL_TIMEOUT;
	calling->call.retries = CALL_RETRIES;
	calling->call.max_result = TASK_LENGTH_MAX;
	calling->item.timeout = -1;
	calling->item.envelope.max_task = TASK_LENGTH_MAX;
}

static void
set_output(struct cli_calling *calling, const char *name)
{
	if (strcmp(name, "result") == 0)
		calling->item.result_only = true;
	else if (strcmp(name, "json") == 0)
		calling->item.result_only = false;
	else
		cli_refuse(calling->cli, 'o',
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

/* Options that have nothing to parse. */
static bool
set_flag(struct cli_calling *calling, int option)
{
	switch (option) {
	case 'k':
		calling->keep_order = true;
		return true;
	case 'n':
		calling->dry_run = true;
		return true;
	case 'o':
		set_output(calling, optarg);
		return true;
	case OPTION_IDEMPOTENT:
		calling->call.idempotent = true;
		return true;
	case OPTION_STATS:
		calling->stats_file = optarg;
		return true;
	case OPTION_PROGRESS:
		calling->show = true;
		return true;
	default:
		return false;
	}
}

bool
cli_calling_option(struct cli_calling *calling, int option)
{
	struct call_options *call = &calling->call;
	struct svc_error error;
	int result = 0;

	switch (option) {
	case 'j':
		result =
		    parse_number(optarg, 1, CALL_JOBS_MAX, &call->jobs, &error);
		break;
	case 'T':
		result = parse_time(optarg, &calling->item.timeout, &error);
		break;
	case 'l':
		selector_free(calling->selector);
		calling->watch.selector_text = optarg;
		result = selector_parse(&calling->selector, optarg, &error);
		break;
	case OPTION_RETRIES:
		calling->retries_said = true;
		result = parse_number(
		    optarg, 0, RETRIES_MAX, &call->retries, &error);
		break;
	case OPTION_HEDGE:
		/* Two instances may execute the task: that must be harmless. */
		call->idempotent = true;
		result = parse_time(optarg, &call->hedge, &error);
		break;
	case OPTION_RATE:
		result = rate_parse(optarg, &call->rate, &error);
		break;
	case OPTION_MAX_RESULT:
		result = size_parse_within(
		    optarg, LINE_LENGTH_MAX, &call->max_result, &error);
		break;
	default:
		return set_flag(calling, option) ||
		       cli_http_option(calling->cli, option, &calling->http) ||
		       cli_policy_option(
			   calling->cli, option, &calling->policy) ||
		       cli_line_option(
			   calling->cli, option, &calling->item.envelope);
	}
	if (result == -1)
		cli_refuse(calling->cli, option, "%s", error.message);
	return true;
}

void
cli_calling_check(const struct cli_calling *calling)
{
	const struct envelope_options *lines = &calling->item.envelope;

	cli_http_check(calling->cli, &calling->http);
	/* What comes back is a line, of which a payload would be made. */
	if (lines->retry && (lines->text || lines->bare))
		cli_usage(calling->cli,
		    "--retry goes with neither --text nor --bare: "
		    "it reads lines with their errors");
}

/* The watch closes it. */
static struct registry *
open_registry(void *argument)
{
	struct cli_calling *calling = argument;
	struct registry *registry = calling->registry;

	calling->registry = NULL;
	if (registry == NULL && !calling->dry_run)
		registry = cli_registry_again(calling->cli);
	return registry;
}

static void
append_empty(void *argument, const char *service, struct buffer *out)
{
	const struct cli_calling *calling = argument;

	cli_append_empty(calling->cli, service, out);
}

void
cli_calling_say(void *argument, const char *message)
{
	const struct cli_calling *calling = argument;

	if (calling->cli->quiet)
		return;
	cli_progress_hide(calling->progress);
	cli_warn_line("%s", message);
}

/* An error line of -o result; where stderr is closed nobody wants it. */
void
cli_calling_complain(void *argument, const char *text, size_t length)
{
	struct cli_calling *calling = argument;

	cli_progress_hide(calling->progress);
	if (fwrite(text, 1, length, stderr) != length && errno != EPIPE &&
	    errno != EBADF)
		calling->lost = true;
}

/* How instances are chosen. */
static void
complete_policy(struct cli_calling *calling)
{
	struct call_options *call = &calling->call;

	cli_policy_check(calling->cli, &calling->policy, NULL);
	cli_policy_seed(calling->cli, &calling->policy);
	call->policy = calling->policy.type;
	call->choice = calling->policy.options;
	/* What would be sent must not move the place of what is. */
	if (call->policy == &policy_round_robin && !calling->dry_run)
		cli_rotation_open(
		    &calling->rotation, calling->cli, NULL, &call->choice);
	calling->item.hash = call->policy == &policy_hash;
	calling->item.pointer = call->choice.pointer;
}

/* The registry, as the engine sees it. */
static void
complete_watch(struct cli_calling *calling, bool registry)
{
	struct call_watch_options *watch = &calling->watch;

	/* What is wrong with it is told although no task may come. */
	if (registry) {
		calling->registry = cli_registry_if_any(calling->cli);
		watch->open = open_registry;
	}
	watch->selector = calling->selector;
	watch->empty = append_empty;
	watch->warn = cli_calling_say;
	watch->argument = calling;
}

/* A wrong one is no reason to call nobody: tracing is a help. */
static void
complete_trace(struct cli_calling *calling)
{
	const char *parent = getenv("TRACEPARENT");

	if (parent == NULL || *parent == '\0')
		return;
	if (traceparent_valid(parent))
		calling->call.traceparent = parent;
	else if (!calling->cli->quiet)
		cli_warn_line(
		    "TRACEPARENT: not a trace context of W3C: '%.80s' "
		    "(not passed on)",
		    parent);
}

/*
 * A connection a request, kept ones, and what the registry needs; or three
 * pipes a command, and a descriptor that tells of its end.  Where there are
 * fewer than that, less runs at once: a request that finds none would look like
 * a server that is out of reach.
 */
static void
raise_descriptors(struct cli_calling *calling, bool calls)
{
	int *jobs = &calling->call.jobs;
	rlim_t each = calls ? 2 : 4;
	rlim_t wanted = (rlim_t)*jobs * (each + 1) + 256;
	struct rlimit limit;
	long most;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	most = limit.rlim_cur < DESCRIPTORS_OTHER + each
		   ? 1
		   : (long)((limit.rlim_cur - DESCRIPTORS_OTHER) / each);
	if (*jobs <= most)
		return;
	*jobs = (int)most;
	if (!calling->cli->quiet)
		cli_warn_line("%s at once: %d, not more: at most %llu "
			      "descriptors are allowed (ulimit -n)",
		    calls ? "requests" : "commands", *jobs,
		    (unsigned long long)limit.rlim_cur);
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

void
cli_calling_complete(
    struct cli_calling *calling, const char *source, bool calls, bool registry)
{
	struct call_options *call = &calling->call;
	struct call_item_options *item = &calling->item;

	bound_memory();
	raise_descriptors(calling, calls);
	task_run_id(calling->run);
	item->envelope.run = calling->run;
	item->envelope.source = source;
	item->content_type = cli_http_content_type(&calling->http);
	call->headers = calling->http.headers;
	call->security = calling->http.security;
	if (calls)
		complete_policy(calling);
	complete_watch(calling, registry);
	complete_trace(calling);
	if (calling->cli->verbose > 0)
		call->note = cli_calling_say;
	call->warn = cli_calling_say;
	call->note_argument = call->warn_argument = calling;
	if (calling->stats_file != NULL)
		cli_stats_open(&calling->stats, calling->stats_file);
	call->stats = cli_stats_counts(calling->stats);
}

void
cli_calling_show(struct cli_calling *calling, int input)
{
	if (calling->show)
		cli_progress_open(&calling->progress, input);
}

size_t
cli_calling_line_limit(const struct cli_calling *calling)
{
	size_t limit = calling->item.envelope.max_task +
		       calling->call.max_result + 64UL * 1024;

	return limit < LINE_LENGTH_MAX ? limit : LINE_LENGTH_MAX;
}

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(*stop_signals))

struct cli_stops {
	struct cli_calling *calling;
	void (*stop)(void *argument);
	void *argument;
	struct event *events[STOP_SIGNALS];
};

static void
on_signal(evutil_socket_t number, short what, void *argument)
{
	struct cli_stops *stops = argument;

	(void)what;
	if (stops->calling->signal == 0)
		stops->calling->signal = number;
	stops->stop(stops->argument);
}

/* nohup(1), and a shell's background jobs: it stays ignored. */
static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

void
cli_calling_catch(struct cli_stops **stops, struct cli_calling *calling,
    struct event_base *base, void (*stop)(void *argument), void *argument)
{
	struct cli_stops *made = calloc(1, sizeof(*made));
	struct svc_error error;
	size_t i;

	if (made == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	made->calling = calling;
	made->stop = stop;
	made->argument = argument;
	for (i = 0; i < STOP_SIGNALS; i++) {
		if (is_ignored(stop_signals[i]))
			continue;
		made->events[i] =
		    evsignal_new(base, stop_signals[i], on_signal, made);
		if (made->events[i] != NULL)
			event_add(made->events[i], NULL);
	}
	*stops = made;
}

void
cli_calling_release(struct cli_stops *stops)
{
	size_t i;

	for (i = 0; i < STOP_SIGNALS; i++)
		if (stops->events[i] != NULL)
			event_free(stops->events[i]);
	free(stops);
}

int
cli_calling_report(struct cli_calling *calling)
{
	struct cli_stats *stats = calling->stats;
	int status = 0;

	cli_progress_close(calling->progress);
	calling->progress = NULL;
	calling->stats = NULL;
	status = cli_stats_close(stats);
	/* On stderr there is nobody to tell. */
	return calling->lost ? cli_worse(status, EX_IOERR) : status;
}

int
cli_calling_fail(struct cli_calling *calling, struct event_base *base,
    bool output, const struct svc_error *error)
{
	int saved = errno;

	if (!output) {
		cli_progress_hide(calling->progress);
		return cli_warn(error);
	}
	/* ^C ends the reader too: the signal, then, is why. */
	if (saved == EPIPE)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	(void)cli_calling_report(calling);
	if (calling->signal != 0)
		cli_die_of(calling->signal);
	errno = saved;
	cli_output_failed(error);
}

/* A signal that was taken comes before what became of the output. */
int
cli_calling_finish(
    struct cli_calling *calling, struct writer *writer, int status)
{
	struct svc_error error;

	cli_rotation_close(&calling->rotation);
	registry_close(calling->registry);
	selector_free(calling->selector);
	cli_http_release(&calling->http);
	if (calling->signal == 0)
		return cli_finish(writer, status);
	if (writer_flush(writer, &error) == -1 && errno != EPIPE)
		(void)cli_warn(&error);
	cli_die_of(calling->signal);
}
