/* Turns a command into a service: see task-worker(8). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli.h"
#include "line/json.h"
#include "line/record_parts.h"
#include "line/units.h"
#include "net/worker.h"
#include "process/child.h"
#include "process/command.h"
#include "process/signals.h"
#include "registry/keeper.h"

#define SIZE_LARGEST	(1024UL * 1024 * 1024)
#define SIZE_DEFAULT	(8UL * 1024 * 1024)
#define SLOTS_MAX	4096
#define BACKLOG_MAX	100000
#define DRAIN_SECONDS	1.0
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

enum { OPTION_BACKLOG = OPTION_LONG, OPTION_LINES, OPTION_PUBLIC };

static const struct option_row rows[] = {
    {'j', "jobs", "SLOTS", "tasks at once (1)"},
    {OPTION_BACKLOG, "backlog", "N", "requests that wait beyond (SLOTS)"},
    {'b', "bind", "ADDR:PORT", "listen there (127.0.0.1:0, a free port)"},
    {OPTION_PUBLIC, "public", NULL, "ADDR may be one that others reach"},
    {'T', "timeout", "DURATION", "stop a task after DURATION (no limit)"},
    {OPTION_LINES, "lines", NULL, "keep SLOTS copies, a line in and out"},
    {'L', "text", NULL, "what the command prints is text"},
    {OPTION_MAX_TASK, "max-task", "SIZE", "the largest task (8M)"},
    {OPTION_MAX_RESULT, "max-result", "SIZE", "the largest result (8M)"},
    OPTION_ROWS_RECORD,
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

struct task_worker {
	struct cli cli;
	struct event_base *base;
	struct worker_options options;
	struct worker *worker;
	struct record_parts parts;
	bool described; /* an option of the record was given */
	struct instance instance;
	struct registry *registry;
	struct keeper *keeper;
	struct signals *signals;
	int signal; /* the one that asked for the end */
	int status;
};

static int
read_integer(
    long long least, long long greatest, int *number, struct svc_error *error)
{
	long long parsed;

	if (integer_parse(optarg, least, greatest, &parsed, error) == -1)
		return -1;
	*number = (int)parsed;
	return 0;
}

/* An option of the record. */
static int
read_part(struct task_worker *self, int value, struct svc_error *error)
{
	if (value == 'c' && strncmp(optarg, "slots=", 6) == 0)
		return svc_error_set(
		    error, EX_USAGE, "slots is what --jobs says: '%s'", optarg);
	self->described = true;
	return record_set(
	    &self->parts, option_row_find(rows, value)->name, optarg, error);
}

static void
read_option(struct task_worker *self, int value)
{
	struct worker_options *options = &self->options;
	struct svc_error error = {0, ""};
	int result = 0;

	switch (value) {
	case 'j':
		result = read_integer(1, SLOTS_MAX, &options->slots, &error);
		break;
	case OPTION_BACKLOG:
		result =
		    read_integer(0, BACKLOG_MAX, &options->backlog, &error);
		break;
	case 'b':
		options->bind = optarg;
		break;
	case OPTION_PUBLIC:
		options->public = true;
		break;
	case 'T':
		result = duration_parse(optarg, &options->timeout, &error);
		break;
	case OPTION_LINES:
		options->lines = true;
		break;
	case 'L':
		options->text = true;
		break;
	case OPTION_MAX_TASK:
		result = size_parse_within(
		    optarg, SIZE_LARGEST, &options->max_task, &error);
		break;
	case OPTION_MAX_RESULT:
		result = size_parse_within(
		    optarg, SIZE_LARGEST, &options->max_result, &error);
		break;
	default:
		result = read_part(self, value, &error);
		break;
	}
	if (result == -1)
		cli_refuse(&self->cli, value, "%s", error.message);
}

/* [NAME] -- COMMAND...: getopt_long(3) has eaten "--" where there is no NAME.
 */
static void
read_operands(struct task_worker *self, int argc, char *argv[])
{
	const struct cli *cli = &self->cli;

	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		cli_check_operands(cli, 1, argv + optind, "NAME");
		self->parts.service = argv[optind++];
		cli_check_name(cli, "service", self->parts.service);
		if (optind < argc && strcmp(argv[optind], "--") != 0)
			cli_check_operands(cli, 1, argv + optind, "NAME");
		if (optind < argc && strcmp(argv[optind], "--") != 0)
			cli_usage(cli, "COMMAND must follow '--': '%s'",
			    argv[optind]);
		optind++;
	}
	if (optind >= argc)
		cli_usage(cli, "COMMAND is missing: it follows '--'");
	self->options.command = argv + optind;
	if (self->parts.service == NULL && self->described)
		cli_usage(
		    cli, "options of a record need the NAME of a service");
}

static void
check_command(const struct task_worker *self)
{
	struct svc_error error;

	if (command_check(self->options.command[0], getenv("PATH"), &error) ==
	    0)
		return;
	cli_warn(&error);
	exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

/* HOST:PORT for others: an address that means "all" is nobody's. */
static void
append_address(struct task_worker *self, struct buffer *out)
{
	const char *address = worker_address(self->worker),
		   *port = strrchr(address, ':');
	char host[256];

	if ((strncmp(address, "0.0.0.0:", 8) == 0 ||
		strncmp(address, "[::]:", 5) == 0) &&
	    gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		buffer_append_string(out, host);
		buffer_append_string(out, port);
	} else
		buffer_append_string(out, address);
}

static void
fail_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

/* The line that is printed, and registered where there is a NAME. */
static void
make_record(struct task_worker *self, const char *url, struct buffer *record)
{
	struct buffer slots = BUFFER_INIT;
	struct svc_error error;

	buffer_append_format(&slots, "slots=%d", self->options.slots);
	if (self->parts.service == NULL) {
		buffer_append_string(record, "{\"address\":");
		json_append_string(record, url, strlen(url));
		buffer_append_format(record, ",\"capacity\":{\"slots\":%d}}",
		    self->options.slots);
	} else {
		self->parts.address = url;
		self->parts.lease = LEASE_LOCK;
		self->parts.check_http = "/health";
		if (buffer_string(&slots) == NULL ||
		    record_add_pair(
			&self->parts.capacity, slots.data, &error) == -1 ||
		    record_build(&self->parts, record, &error) == -1 ||
		    instance_parse(&self->instance, record->data,
			record->length, &error) == -1)
			cli_fail(&error);
	}
	if (buffer_string(record) == NULL)
		fail_memory();
	buffer_release(&slots);
}

/* What the command is told by its environment; freed with free(3). */
static char **
make_environment(
    struct task_worker *self, const char *url, struct buffer store[4])
{
	const char *assignments[4];
	struct svc_error error;
	char **environment;
	int count = 0, i;

	/* Of a task-worker around this one. */
	unsetenv("SVC_TASK_ID");
	unsetenv("SVC_DEADLINE");
	buffer_append_format(&store[0], "SVC_ADDRESS=%s", url);
	buffer_append_format(&store[1], "PORT=%s",
	    strrchr(worker_address(self->worker), ':') + 1);
	if (self->parts.service != NULL) {
		buffer_append_format(
		    &store[2], "SVC_NAME=%s", self->instance.service);
		buffer_append_format(&store[3], "SVC_ID=%s", self->instance.id);
	}
	for (i = 0; i < 4; i++)
		if (store[i].length > 0)
			assignments[count++] = buffer_string(&store[i]);
	environment = child_environment(environ, assignments, count, &error);
	if (environment == NULL)
		cli_fail(&error);
	return environment;
}

static void
notice(void *argument, const char *message)
{
	(void)argument;
	cli_warn_line("%s", message);
}

static double
load(void *argument)
{
	struct task_worker *self = argument;

	return worker_utilization(self->worker);
}

static int
register_worker(struct task_worker *self, struct svc_error *error)
{
	struct registration registration = {.instance = &self->instance};
	struct keeper_options options = {.base = self->base,
	    .notice = notice,
	    .load = load,
	    .load_argument = self};

	self->registry = cli_registry(&self->cli, true);
	if (keeper_open(&self->keeper, self->registry, &registration, &options,
		error) == -1)
		return -1;
	if (keeper_ttl(self->keeper) > 0 && !self->cli.quiet)
		cli_warn_line("the registry's file system has no lock "
			      "leases; a ttl of %g s is kept instead",
		    keeper_ttl(self->keeper));
	return 0;
}

static int
leave_registry(struct task_worker *self)
{
	struct svc_error error;
	int status = 0;

	if (keeper_close(self->keeper, &error) == -1)
		status = cli_warn(&error);
	self->keeper = NULL;
	return status;
}

static void
stop(void *argument)
{
	struct task_worker *self = argument;

	event_base_loopbreak(self->base);
}

/* The first asks for an orderly end, the second for the end. */
static void
signalled(void *argument, int number, bool alone)
{
	struct task_worker *self = argument;

	(void)alone;
	if (self->signal != 0) {
		stop(self);
		return;
	}
	self->signal = number;
	self->status = cli_worse(self->status, leave_registry(self));
	worker_drain(self->worker, DRAIN_SECONDS, stop, self);
}

/* Prints where it is: what scripts wait for. */
static void
announce(const struct buffer *record, const struct instance *instance)
{
	struct writer *writer = cli_stdout();
	struct svc_error error;
	const char *text = record->data;
	size_t length = record->length;

	if (instance->record.data != NULL) {
		text = instance->record.data;
		length = instance->record.length;
	}
	if (writer_line(writer, text, length, &error) == -1)
		cli_output_failed(&error);
	if (cli_finish(writer, EX_OK) != EX_OK)
		exit(EX_IOERR);
}

static void
pass_complaint(void *argument, const char *text, size_t length)
{
	ssize_t written;

	(void)argument;
	/* A standard error that takes nothing must not end the service. */
	do
		written = write(STDERR_FILENO, text, length);
	while (written == -1 && errno == EINTR);
}

static void
pass_event_message(int severity, const char *message)
{
	if (severity >= EVENT_LOG_WARN)
		cli_warn_line("%s", message);
}

static void
open_loop(struct task_worker *self)
{
	struct svc_error error;
	sigset_t wanted;

	event_set_log_callback(pass_event_message);
	self->base = event_base_new();
	if (self->base == NULL)
		fail_memory();
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	if (signals_open(&self->signals, self->base, &wanted, signalled, self,
		&error) == -1)
		cli_fail(&error);
	if (worker_open(&self->worker, self->base, &self->options, &error) == 0)
		return;
	if (error.code == EX_USAGE)
		cli_refuse(&self->cli, 'b', "%s", error.message);
	cli_fail(&error);
}

/* From listening to the end of the last task. */
static void
serve(struct task_worker *self)
{
	struct buffer address = BUFFER_INIT, url = BUFFER_INIT,
		      record = BUFFER_INIT,
		      store[4] = {
			  BUFFER_INIT, BUFFER_INIT, BUFFER_INIT, BUFFER_INIT};
	struct svc_error error;
	char **environment;
	int i;

	append_address(self, &address);
	if (buffer_string(&address) == NULL)
		fail_memory();
	if (address_expand(address.data, &url, &error) == -1)
		cli_fail(&error);
	if (buffer_string(&url) == NULL)
		fail_memory();
	make_record(self, url.data, &record);
	environment = make_environment(self, url.data, store);
	if (worker_start(self->worker, environment, &error) == -1 ||
	    (self->parts.service != NULL &&
		register_worker(self, &error) == -1)) {
		self->status = cli_warn(&error);
	} else {
		announce(&record, &self->instance);
		if (event_base_dispatch(self->base) == -1)
			self->status = EX_OSERR;
	}
	worker_close(self->worker);
	free(environment);
	for (i = 0; i < 4; i++)
		buffer_release(&store[i]);
	buffer_release(&record);
	buffer_release(&address);
	buffer_release(&url);
}

static void
release(struct task_worker *self)
{
	self->status = cli_worse(self->status, leave_registry(self));
	if (self->registry != NULL)
		registry_close(self->registry);
	instance_release(&self->instance);
	record_parts_release(&self->parts);
	signals_close(self->signals);
	event_base_free(self->base);
	libevent_global_shutdown();
}

static const char synopsis[] =
    "task-worker [-Lqv] [-b ADDR:PORT [--public]] [-c K=N]... [-i ID] "
    "[-j SLOTS] [-l K=V]... [-R PLACE] [-T DURATION] [-u N] "
    "[--accepts TYPE] [--backlog N] [--lines] [--max-result SIZE] "
    "[--max-task SIZE] [--meta K=V]... [--produces TYPE] "
    "[NAME] -- COMMAND [ARGUMENT]...";

int
main(int argc, char *argv[])
{
	struct task_worker self = {
	    .cli = {.rows = rows,
		.synopsis = synopsis,
		.summary =
		    "Turn a command into a service: POST /task runs it."},
	    .options = {.bind = "127.0.0.1:0",
		.slots = 1,
		.backlog = -1,
		.max_task = SIZE_DEFAULT,
		.max_result = SIZE_DEFAULT,
		.complaint = pass_complaint},
	    .parts = RECORD_PARTS_INIT};
	int value;

	cli_init(&self.cli);
	while ((value = cli_option(&self.cli, argc, argv)) != -1)
		read_option(&self, value);
	read_operands(&self, argc, argv);
	check_command(&self);
	if (self.options.backlog == -1)
		self.options.backlog = self.options.slots;
	if (self.cli.quiet)
		self.options.complaint = NULL;
	cli_ignore_pipe();
	open_loop(&self);
	serve(&self);
	release(&self);
	if (self.signal == SIGINT && self.status == EX_OK)
		cli_die_of(SIGINT);
	return self.status;
}
