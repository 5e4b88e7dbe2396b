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

#define SIZE_LARGEST	(1024.0 * 1024 * 1024)
#define SIZE_DEFAULT	(8UL * 1024 * 1024)
#define SLOTS_MAX	4096
#define BACKLOG_MAX	100000
#define DRAIN_SECONDS	1.0
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

enum {
	OPTION_BACKLOG = OPTION_LONG,
	OPTION_LINES,
	OPTION_META,
	OPTION_ACCEPTS,
	OPTION_PRODUCES,
	OPTION_MAX_TASK,
	OPTION_MAX_RESULT,
	OPTION_PUBLIC
};

static const struct option_row rows[] = {
    {'j', "jobs", "SLOTS", "tasks at once (1)"},
    {OPTION_BACKLOG, "backlog", "N", "requests that wait beyond (SLOTS)"},
    {'b', "bind", "ADDR:PORT", "listen there (127.0.0.1:0, a free port)"},
    {OPTION_PUBLIC, "public", NULL, "ADDR may be one that others reach"},
    {'T', "timeout", "D", "stop a task after D (no limit)"},
    {OPTION_LINES, "lines", NULL, "keep SLOTS copies, a line in and out"},
    {'L', "text", NULL, "what the command prints is text"},
    {OPTION_MAX_TASK, "max-task", "SIZE", "largest task (8M)"},
    {OPTION_MAX_RESULT, "max-result", "SIZE", "largest result (8M)"},
    {'i', "id", "ID", "the instance's id (HOST-PORT)"},
    {'l', "label", "K=V", "a label of the instance"},
    {'c', "capacity", "K=N", "a capacity of the instance"},
    {'u', "utilization", "N", "pin the instance's utilization"},
    {OPTION_META, "meta", "K=V", "a member of the instance's meta"},
    {OPTION_ACCEPTS, "accepts", "TYPE", "the type that tasks have"},
    {OPTION_PRODUCES, "produces", "TYPE", "the type that results have"},
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

static void
check(const struct task_worker *self, int status, const struct svc_error *error)
{
	if (status == -1)
		cli_usage(&self->cli, "%s", error->message);
}

static int
read_integer(
    const struct task_worker *self, long long least, long long greatest)
{
	struct svc_error error;
	long long number = 0;

	check(self, integer_parse(optarg, least, greatest, &number, &error),
	    &error);
	return (int)number;
}

static size_t
read_size(const struct task_worker *self)
{
	struct svc_error error;
	double size = 0;

	check(self, size_parse(optarg, &size, &error), &error);
	if (size < 1 || size > SIZE_LARGEST)
		cli_usage(&self->cli, "not a size from 1 to 1G: '%s'", optarg);
	return (size_t)size;
}

/* An option of the record. */
static void
read_part(struct task_worker *self, int value)
{
	struct svc_error error;

	if (value == 'c' && strncmp(optarg, "slots=", 6) == 0)
		cli_usage(
		    &self->cli, "capacity.slots is what -j says: '%s'", optarg);
	self->described = true;
	check(self,
	    record_set(&self->parts, option_row_find(rows, value)->name, optarg,
		&error),
	    &error);
}

static void
read_option(struct task_worker *self, int value)
{
	struct worker_options *options = &self->options;
	struct svc_error error;

	switch (value) {
	case 'j':
		options->slots = read_integer(self, 1, SLOTS_MAX);
		break;
	case OPTION_BACKLOG:
		options->backlog = read_integer(self, 0, BACKLOG_MAX);
		break;
	case 'b':
		options->bind = optarg;
		break;
	case OPTION_PUBLIC:
		options->public = true;
		break;
	case 'T':
		check(self, duration_parse(optarg, &options->timeout, &error),
		    &error);
		break;
	case OPTION_LINES:
		options->lines = true;
		break;
	case 'L':
		options->text = true;
		break;
	case OPTION_MAX_TASK:
		options->max_task = read_size(self);
		break;
	case OPTION_MAX_RESULT:
		options->max_result = read_size(self);
		break;
	default:
		read_part(self, value);
		break;
	}
}

/* [NAME] -- COMMAND...: getopt_long(3) has eaten "--" where there is no NAME.
 */
static void
read_operands(struct task_worker *self, int argc, char *argv[])
{
	const struct cli *cli = &self->cli;

	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		self->parts.service = argv[optind++];
		cli_check_name(cli, "service", self->parts.service);
		if (optind < argc && strcmp(argv[optind], "--") != 0)
			cli_usage(cli, "COMMAND must follow '--': '%s'",
			    argv[optind]);
		optind++;
	}
	if (optind >= argc)
		cli_usage(cli, "no COMMAND; give it after '--'");
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

static int
register_worker(struct task_worker *self, struct svc_error *error)
{
	struct registration registration = {.instance = &self->instance};
	struct keeper_options options = {.base = self->base, .notice = notice};

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
		cli_usage(&self->cli, "%s", error.message);
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
    "task-worker [-j SLOTS] [--backlog N] [-b ADDR:PORT [--public]] [-T D] "
    "[--lines] [-L] [--max-task SIZE] [--max-result SIZE] [-i ID] "
    "[-l K=V]... [-c K=N]... [-u N] [--meta K=V]... [--accepts TYPE] "
    "[--produces TYPE] [-R PLACE] [-q] [-v] [NAME] -- COMMAND [ARGUMENT]...";

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
