/*
 * svc-register: add, renew, drain and remove instances, or keep one registered
 * while a command lives.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/check.h"
#include "line/instance.h"
#include "line/reader.h"
#include "line/record_parts.h"
#include "line/units.h"
#include "net/probe_idle.h"
#include "net/registered_command.h"
#include "process/port.h"
#include "process/signals.h"
#include "registry/bulk.h"
#include "registry/lease.h"
#include "registry/list.h"
#include "registry/owner.h"
#include "registry/registry.h"
#include "registry/removal.h"

enum {
	OPT_TTL = OPTION_LONG,
	OPT_CHECK_HTTP,
	OPT_CHECK_TCP,
	OPT_INTERVAL,
	OPT_READY_TIMEOUT,
	OPT_REMOVE,
	OPT_ALL,
	OPT_RENEW,
	OPT_DRAIN,
	OPT_UNDRAIN,
	OPT_CREATE,
	OPT_OWNER
};

static const struct option_row rows[] = {
    OPTION_ROWS_RECORD,
    {OPT_TTL, "ttl", "DURATION", "it expires so long after its last heartbeat"},
    {OPT_CHECK_HTTP, "check-http", "PATH", "GET PATH tells its health"},
    {OPT_CHECK_TCP, "check-tcp", NULL, "a connection is health enough"},
    {OPT_INTERVAL, "interval", "DURATION", "between two checks (5s)"},
    {OPT_READY_TIMEOUT, "ready-timeout", "DURATION",
	"until COMMAND's check must have passed (30s)"},
    {OPT_REMOVE, "remove", NULL, "remove instances"},
    {OPT_ALL, "all", NULL, "with --remove: all of the service"},
    {OPT_RENEW, "renew", NULL, "send a heartbeat for instances"},
    {OPT_DRAIN, "drain", NULL, "no new work for instances"},
    {OPT_UNDRAIN, "undrain", NULL, "work for them again"},
    {'w', "wait", NULL, "with --drain: until they are idle"},
    {'T', "timeout", "DURATION", "with --wait: give up after DURATION"},
    {OPT_CREATE, "create", NULL, "make a service of a shared registry"},
    {OPT_OWNER, "owner", "USER[:GROUP]", "with --create: whose it is"},
    {'n', "dry-run", NULL, "print what would be, change nothing"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

#define STATUS_WAITED 124 /* a wait that was what the command was for */

/* What the command line asks for. */
struct order {
	struct cli *cli;
	int verb; /* OPT_REMOVE and its like; 0: register */
	struct record_parts parts;
	bool described; /* an option that describes a record was given */
	bool dry_run;
	bool all;
	bool wait;
	double timeout; /* seconds; negative: for ever */
	double ready_timeout; /* negative: not given */
	const char *owner;
	char **operands;
	int count;
	char **command; /* NULL: none */
	char **ported; /* the same with its %p filled in; NULL or to be freed */
	sigset_t ignored; /* when we were started */
};

/* An option of the record; the parser has let no other pass. */
static int
take_part(struct order *order, int option, struct svc_error *error)
{
	order->described = true;
	return record_set(
	    &order->parts, option_row_find(rows, option)->name, optarg, error);
}

static void
take_verb(struct order *order, int verb)
{
	if (order->verb != 0 && order->verb != verb)
		cli_usage(order->cli, "--%s and --%s exclude each other",
		    option_row_find(rows, order->verb)->name,
		    option_row_find(rows, verb)->name);
	order->verb = verb;
}

static void
take_option(struct order *order, int option)
{
	struct svc_error error;
	int result = 0;

	switch (option) {
	case OPT_REMOVE:
	case OPT_RENEW:
	case OPT_DRAIN:
	case OPT_UNDRAIN:
	case OPT_CREATE:
		take_verb(order, option);
		break;
	case OPT_ALL:
		order->all = true;
		break;
	case OPT_OWNER:
		order->owner = optarg;
		break;
	case OPT_READY_TIMEOUT:
		result = duration_parse(optarg, &order->ready_timeout, &error);
		break;
	case 'n':
		order->dry_run = true;
		break;
	case 'w':
		order->wait = true;
		break;
	case 'T':
		result = duration_parse(optarg, &order->timeout, &error);
		break;
	default:
		result = take_part(order, option, &error);
	}
	if (result == -1)
		cli_refuse(order->cli, option, "%s", error.message);
}

/*
 * Options may stand behind operands ("--drain NAME ID -w"), but what follows
 * "--" is COMMAND's own; so getopt_long(3) is asked again after each operand.
 */
static void
take_arguments(struct order *order, int argc, char *argv[])
{
	order->operands = argv + 1;
	for (;;) {
		bool ends = optind < argc && strcmp(argv[optind], "--") == 0;
		int option = cli_option(order->cli, argc, argv);

		if (option != -1) {
			take_option(order, option);
			continue;
		}
		if (ends)
			order->command = argv + optind;
		if (ends || optind == argc)
			break;
		order->operands[order->count++] = argv[optind++];
		cli_init(order->cli);
	}
	if (order->command != NULL && order->command[0] == NULL)
		cli_usage(order->cli, "COMMAND is missing: it follows '--'");
}

static bool
from_stdin(const struct order *order)
{
	return order->verb == 0 && order->count == 1 &&
	       strcmp(order->operands[0], "-") == 0;
}

/* Options that say nothing where they stand are a mistake. */
static void
check_options(const struct order *order)
{
	bool lines = from_stdin(order);
	bool checked =
	    order->parts.check_http != NULL || order->parts.check_tcp;
	const struct {
		bool broken;
		const char *rule;
	} rules[] = {
	    {order->wait && order->verb != OPT_DRAIN, "--wait needs --drain"},
	    {order->timeout >= 0 && !order->wait, "--timeout needs --wait"},
	    {order->all && order->verb != OPT_REMOVE, "--all needs --remove"},
	    {(order->owner != NULL) != (order->verb == OPT_CREATE),
		"--create and --owner go together"},
	    {order->described && (order->verb != 0 || lines),
		"options that describe an instance need NAME ADDRESS"},
	    {order->command != NULL && (order->verb != 0 || lines),
		"COMMAND needs NAME ADDRESS"},
	    {order->ready_timeout >= 0 && (order->command == NULL || !checked),
		"--ready-timeout needs a check and COMMAND"},
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].broken)
			cli_usage(order->cli, "%s", rules[i].rule);
	}
}

static void
check_operands(const struct order *order)
{
	const struct cli *cli = order->cli;
	int i;

	if (from_stdin(order))
		return;
	if (order->count == 0)
		cli_usage(cli, "NAME is missing");
	cli_check_name(cli, "service", order->operands[0]);
	if (order->verb == OPT_CREATE || order->all) {
		if (order->count != 1)
			cli_usage(cli, "one NAME and nothing after it: '%s'",
			    order->operands[1]);
		return;
	}
	if (order->count == 1)
		cli_usage(cli, "%s is missing after '%s'",
		    order->verb == 0 ? "ADDRESS" : "ID", order->operands[0]);
	if (order->verb == 0 && order->count > 2)
		cli_usage(cli, "unexpected operand '%s': COMMAND follows '--'",
		    order->operands[2]);
	for (i = 1; order->verb != 0 && i < order->count; i++)
		cli_check_name(cli, "instance", order->operands[i]);
}

static int
print_record(
    void *writer, const struct instance *instance, struct svc_error *error)
{
	if (writer != NULL && writer_line(writer, instance->record.data,
				  instance->record.length, error) == -1)
		cli_output_failed(error);
	return 0;
}

static struct writer *
open_output(const struct order *order)
{
	return order->cli->quiet ? NULL : cli_stdout();
}

static int
close_output(struct writer *writer, int status)
{
	return writer == NULL ? status : cli_finish(writer, status);
}

struct bulk_output {
	struct writer *writer;
	int status;
};

static int
bulk_stored(
    void *argument, const struct instance *instance, struct svc_error *error)
{
	struct bulk_output *output = argument;

	return print_record(output->writer, instance, error);
}

static void
bulk_refused(void *argument, const struct svc_error *error)
{
	struct bulk_output *output = argument;

	output->status = cli_worse(output->status, cli_warn(error));
}

static int
register_lines(const struct order *order)
{
	struct bulk_output output = {open_output(order), EX_OK};
	struct bulk_options options = {.dry_run = order->dry_run,
	    .stored = bulk_stored,
	    .refused = bulk_refused,
	    .argument = &output};
	struct registry *registry = NULL;
	struct reader *reader;
	struct svc_error error;

	if (!order->dry_run)
		registry = cli_registry(order->cli, true);
	if (reader_open(&reader, STDIN_FILENO, "stdin", 2 * INSTANCE_RECORD_MAX,
		&error) == -1)
		cli_fail(&error);
	if (bulk_register(registry, reader, &options, &error) == -1)
		output.status = cli_worse(output.status, cli_warn(&error));
	reader_close(reader);
	registry_close(registry);
	return close_output(output.writer, output.status);
}

/* What the verb does with one instance: 1; 0: there is none; -1. */
static int
apply(const struct order *order, struct registry *registry, const char *id,
    struct writer *writer, struct svc_error *error)
{
	const char *service = order->operands[0];
	struct instance instance;
	int found;

	if (order->dry_run) {
		found = registry_get(registry, service, id, &instance, error);
		if (found != 1)
			return found;
		(void)print_record(writer, &instance, error);
		instance_release(&instance);
		return 1;
	}
	if (order->verb == OPT_RENEW)
		return registry_renew(registry, service, id, error);
	return registry_drain(
	    registry, service, id, order->verb == OPT_DRAIN, error);
}

/* Many at once, so that many cost one sync. */
static void
apply_all(const struct order *order, struct registry *registry,
    struct writer *writer, struct removal *items, size_t count)
{
	size_t i;

	if (order->verb == OPT_REMOVE && !order->dry_run) {
		registry_remove_batch(
		    registry, order->operands[0], items, count);
		return;
	}
	for (i = 0; i < count; i++)
		items[i].result = apply(
		    order, registry, items[i].id, writer, &items[i].error);
}

static struct removal *
allocate(size_t count)
{
	struct removal *items = calloc(count + 1, sizeof(*items));
	struct svc_error error;

	if (items == NULL) {
		(void)svc_error_errno(&error, "instances");
		cli_fail(&error);
	}
	return items;
}

static int
apply_named(
    const struct order *order, struct registry *registry, struct writer *writer)
{
	size_t i, count = (size_t)order->count - 1;
	struct removal *items = allocate(count);
	int status = EX_OK;

	for (i = 0; i < count; i++)
		items[i].id = order->operands[i + 1];
	if (registry != NULL)
		apply_all(order, registry, writer, items, count);
	for (i = 0; i < count; i++) {
		if (items[i].result == 0) {
			cli_warn_line("%s/%s: no such instance",
			    order->operands[0], items[i].id);
			status = cli_worse(status, 1);
		} else if (items[i].result == -1) {
			status = cli_worse(status, cli_warn(&items[i].error));
		}
	}
	free(items);
	return status;
}

static void
say_empty(const struct order *order)
{
	struct buffer sentence = BUFFER_INIT;
	const char *text;

	cli_append_empty(order->cli, order->operands[0], &sentence);
	if ((text = buffer_string(&sentence)) != NULL)
		cli_warn_line("%s", text);
	buffer_release(&sentence);
}

static int
remove_all(
    const struct order *order, struct registry *registry, struct writer *writer)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct removal *items;
	struct svc_error error;
	size_t i, removed = 0;
	int status = EX_OK;

	if (registry != NULL &&
	    registry_list(registry, order->operands[0], &list, &error) == -1)
		cli_fail(&error);
	items = allocate(list.count);
	for (i = 0; i < list.count; i++)
		items[i].id = list.items[i].id;
	apply_all(order, registry, writer, items, list.count);
	for (i = 0; i < list.count; i++) {
		if (items[i].result == 1)
			removed++;
		else if (items[i].result == -1)
			status = cli_worse(status, cli_warn(&items[i].error));
	}
	free(items);
	instance_list_release(&list);
	if (removed > 0 || status != EX_OK)
		return status;
	say_empty(order);
	return 1;
}

static int
wait_idle(const struct order *order, struct registry *registry)
{
	double deadline = time_monotonic() + order->timeout;
	int i, status = EX_OK;

	for (i = 1; i < order->count; i++) {
		struct svc_error error;
		double left = deadline - time_monotonic();
		int idle;

		if (order->timeout < 0)
			left = -1;
		else if (left < 0)
			left = 0;
		idle = probe_idle_wait(registry, order->operands[0],
		    order->operands[i], left, &error);
		if (idle == -1) {
			status = cli_worse(status, cli_warn(&error));
		} else if (idle == 0) {
			cli_warn_line("%s/%s: still busy", order->operands[0],
			    order->operands[i]);
			status = cli_worse(status, STATUS_WAITED);
		}
	}
	return status;
}

/* The verbs that change what is registered. */
static int
change(const struct order *order)
{
	struct registry *registry = cli_registry_if_any(order->cli);
	struct writer *writer = open_output(order);
	int status;

	if (order->all)
		status = remove_all(order, registry, writer);
	else
		status = apply_named(order, registry, writer);
	if (order->wait && !order->dry_run && status == EX_OK)
		status = wait_idle(order, registry);
	registry_close(registry);
	return close_output(writer, status);
}

static int
create(const struct order *order)
{
	struct registry *registry;
	struct svc_error error;
	uid_t user;
	gid_t group;

	if (owner_parse(order->owner, &user, &group, &error) == -1)
		cli_fail(&error);
	if (order->dry_run)
		return EX_OK;
	/* Whoever makes the first service makes the registry. */
	registry = cli_registry(order->cli, true);
	if (registry_create_service(
		registry, order->operands[0], user, group, &error) == -1)
		cli_fail(&error);
	registry_close(registry);
	return EX_OK;
}

/* %p becomes a free port; returns the descriptor that keeps it, or -1. */
static int
take_port(struct order *order, struct buffer *address)
{
	struct svc_error error;
	uint16_t port;
	int descriptor;

	if (order->command == NULL || !port_wanted(order->parts.address))
		return -1;
	descriptor = port_reserve(&port, &error);
	if (descriptor == -1)
		cli_fail(&error);
	port_substitute(order->parts.address, port, address);
	order->ported = port_arguments(order->command, port, &error);
	if (order->ported == NULL)
		cli_fail(&error);
	order->command = order->ported;
	order->parts.address = buffer_string(address);
	return descriptor;
}

/* Makes the record that the options describe, or exits. */
static void
make_instance(struct order *order, struct instance *instance)
{
	struct buffer record = BUFFER_INIT;
	struct svc_error error;
	struct check check;

	order->parts.service = order->operands[0];
	if (order->command != NULL && order->parts.lease == LEASE_NONE)
		order->parts.lease = LEASE_LOCK;
	if (record_build(&order->parts, &record, &error) == -1)
		cli_usage(order->cli, "%s", error.message);
	if (instance_parse(instance, record.data, record.length, &error) ==
		-1 ||
	    check_read(instance, CHECK_INTERVAL, &check, &error) == -1)
		cli_usage(order->cli, "%s", error.message);
	buffer_release(&record);
	record_parts_release(&order->parts);
}

static void
say_registered(void *argument, double ttl)
{
	const struct order *order = argument;

	if (ttl > 0 && order->parts.lease == LEASE_LOCK && !order->cli->quiet)
		cli_warn_line("no lock leases here: a ttl of %gs instead", ttl);
	if (order->cli->verbose > 0)
		cli_warn_line("%s: registered", order->operands[0]);
}

static void
say_notice(void *argument, const char *message)
{
	(void)argument;
	cli_warn_line("%s", message);
}

/* Ends as the command did: of the same signal, without a second core. */
static int
end_as(int wait_status)
{
	if (WIFSIGNALED(wait_status)) {
		(void)prctl(PR_SET_DUMPABLE, 0);
		cli_die_of(WTERMSIG(wait_status));
	}
	return WEXITSTATUS(wait_status);
}

static int
hold(struct order *order, struct instance *instance, int reserved)
{
	struct registered_command_options options = {.instance = instance,
	    .command = order->command,
	    .environment = environ,
	    .ignored = &order->ignored,
	    .reserved = reserved,
	    .ready_timeout =
		order->ready_timeout < 0 ? 30 : order->ready_timeout,
	    .registered = say_registered,
	    .notice = say_notice,
	    .argument = order};
	struct svc_error error;
	int wait_status;

	options.registry = cli_registry(order->cli, true);
	if (registered_command_run(&options, &wait_status, &error) == -1)
		cli_fail(&error);
	registry_close(options.registry);
	return end_as(wait_status);
}

static void
say_draining(struct registry *registry, const struct instance *instance)
{
	struct svc_error ignored;
	struct instance stored;

	if (registry_get(registry, instance->service, instance->id, &stored,
		&ignored) != 1)
		return;
	if (stored.draining)
		cli_warn_line("%s/%s: drains: no work until --undrain",
		    instance->service, instance->id);
	instance_release(&stored);
}

static int
store(struct order *order, struct instance *instance)
{
	struct registration registration = {.instance = instance};
	struct registry *registry = cli_registry(order->cli, true);
	struct svc_error error;
	struct writer *writer;

	if (registry_register(registry, &registration, &error) == -1)
		cli_fail(&error);
	if (!order->cli->quiet)
		say_draining(registry, instance);
	registry_close(registry);
	writer = open_output(order);
	(void)print_record(writer, instance, &error);
	return close_output(writer, EX_OK);
}

static int
register_one(struct order *order)
{
	struct buffer address = BUFFER_INIT;
	struct instance instance;
	int reserved, status;

	order->parts.address = order->operands[1];
	reserved = take_port(order, &address);
	make_instance(order, &instance);
	if (order->dry_run) {
		struct writer *writer = cli_stdout();
		struct svc_error error;

		(void)print_record(writer, &instance, &error);
		status = cli_finish(writer, EX_OK);
	} else if (order->command != NULL) {
		status = hold(order, &instance, reserved);
	} else {
		status = store(order, &instance);
	}
	free(order->ported);
	instance_release(&instance);
	buffer_release(&address);
	return status;
}

int
main(int argc, char *argv[])
{
	struct cli cli = {.rows = rows,
	    .synopsis =
		"svc-register [option ...] NAME ADDRESS [-- COMMAND ...]\n"
		"svc-register [-nqv] [-R PLACE] -\n"
		"svc-register --remove NAME ID ... | --remove --all NAME\n"
		"svc-register --renew | --undrain NAME ID ...\n"
		"svc-register --drain [-w [-T DURATION]] NAME ID ...\n"
		"svc-register --create --owner USER[:GROUP] NAME",
	    .summary = "Add, renew, drain and remove instances of "
		       "services, or keep one registered while COMMAND "
		       "runs."};
	struct order order = {.cli = &cli,
	    .parts = RECORD_PARTS_INIT,
	    .timeout = -1,
	    .ready_timeout = -1};

	signals_ignored(&order.ignored);
	cli_ignore_pipe();
	cli_init(&cli);
	take_arguments(&order, argc, argv);
	check_options(&order);
	check_operands(&order);
	if (from_stdin(&order))
		return register_lines(&order);
	if (order.verb == OPT_CREATE)
		return create(&order);
	if (order.verb != 0)
		return change(&order);
	return register_one(&order);
}
