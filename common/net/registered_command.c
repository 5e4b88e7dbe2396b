#include "net/registered_command.h"

#include <event2/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/check.h"
#include "line/units.h"
#include "net/probe_ready.h"
#include "process/child.h"
#include "process/usage.h"
#include "process/wrapper.h"
#include "registry/keeper.h"
#include "registry/list.h"

#define WRAPPER_FAILED	  125
#define WRAPPER_CANNOT	  126
#define WRAPPER_NOT_FOUND 127

/* How long a command that is told to end has for it, in seconds. */
#define STOP_GRACE 10.0

struct registered_command {
	const struct registered_command_options *options;
	struct event_base *base;
	struct wrapper *wrapper;
	struct keeper *keeper; /* NULL: not registered */
	struct probe_ready *ready;
	struct usage *usage; /* NULL: its load is not known */
	struct buffer assignments; /* SVC_NAME=... and so on */
	char **environment;
	struct check check;
	bool failed; /* error says why; the command has been told to end */
	struct svc_error *error;
	int wait_status;
};

static void
leave_registry(struct registered_command *registered)
{
	const struct registered_command_options *options = registered->options;
	struct svc_error error;

	probe_ready_close(registered->ready);
	registered->ready = NULL;
	if (keeper_close(registered->keeper, &error) == -1)
		options->notice(options->argument, error.message);
	registered->keeper = NULL;
}

/* From here on it is known what the command uses. */
static void
measure(struct registered_command *registered)
{
	const struct registered_command_options *options = registered->options;
	struct svc_error error;

	if (options->instance->pinned ||
	    usage_open(&registered->usage, wrapper_pid(registered->wrapper),
		&error) == 0)
		return;
	registered->usage = NULL;
	options->notice(options->argument, error.message);
}

/* CPU time over time, in slots, or where the record has none in processors. */
static double
load(void *argument)
{
	struct registered_command *registered = argument;
	double slots = registered->options->instance->slots;
	double used, passed;
	struct svc_error ignored;

	if (registered->usage == NULL ||
	    usage_take(registered->usage, &used, &passed, &ignored) != 1 ||
	    passed <= 0)
		return -1;
	if (slots == 0)
		slots = usage_processors(wrapper_pid(registered->wrapper));
	return used / (passed * slots);
}

static int
enter_registry(struct registered_command *registered, struct svc_error *error)
{
	const struct registered_command_options *options = registered->options;
	struct registration registration = {.instance = options->instance};
	struct keeper_options keeper = {.base = registered->base,
	    .notice = options->notice,
	    .argument = options->argument,
	    .load = load,
	    .load_argument = registered};

	if (keeper_open(&registered->keeper, options->registry, &registration,
		&keeper, error) == -1)
		return -1;
	if (options->registered != NULL)
		options->registered(
		    options->argument, keeper_ttl(registered->keeper));
	return 0;
}

static void
on_stopping(void *argument, int number)
{
	(void)number;
	leave_registry(argument);
}

static void
on_ended(void *argument, int wait_status)
{
	struct registered_command *registered = argument;

	registered->wait_status = wait_status;
	leave_registry(registered);
	(void)event_base_loopbreak(registered->base);
}

static void
on_ready(void *argument, bool passed, const char *reason)
{
	struct registered_command *registered = argument;
	const struct registered_command_options *options = registered->options;
	struct buffer within = BUFFER_INIT;

	if (passed && enter_registry(registered, registered->error) == 0) {
		measure(registered);
		return;
	}
	if (!passed) {
		duration_append(&within, options->ready_timeout);
		(void)svc_error_set(registered->error, WRAPPER_FAILED,
		    "%s/%s: not ready within %s: %s",
		    options->instance->service, options->instance->id,
		    buffer_string(&within), reason);
		buffer_release(&within);
	}
	registered->error->code = WRAPPER_FAILED;
	registered->failed = true;
	wrapper_stop(registered->wrapper, STOP_GRACE);
}

/* 1: the record asks for a check; 0: it does not; -1. */
static int
read_check(struct registered_command *registered,
    struct probe_ready_options *ready, struct svc_error *error)
{
	const struct instance *instance = registered->options->instance;
	struct check *check = &registered->check;
	int found = check_read(instance, CHECK_INTERVAL, check, error);

	if (found != 1)
		return found;
	if (address_parse(instance->address, &ready->address, error) == -1)
		return -1;
	ready->probe_timeout = check->timeout;
	if (check->kind == CHECK_HTTP)
		ready->path = check->path;
	return 1;
}

static int
add_assignment(
    struct registered_command *registered, const char *name, const char *value)
{
	buffer_append_string(&registered->assignments, name);
	buffer_append_string(&registered->assignments, value);
	buffer_append_char(&registered->assignments, '\0');
	return 1;
}

static int
make_environment(struct registered_command *registered, struct svc_error *error)
{
	const struct instance *instance = registered->options->instance;
	const char *assignments[4], *next;
	struct address address;
	int count, i;

	if (address_parse(instance->address, &address, error) == -1)
		return -1;
	count = add_assignment(registered, "SVC_NAME=", instance->service);
	count += add_assignment(registered, "SVC_ID=", instance->id);
	count += add_assignment(registered, "SVC_ADDRESS=", instance->address);
	if (address.port[0] != '\0')
		count += add_assignment(registered, "PORT=", address.port);
	if (buffer_failed(&registered->assignments))
		return svc_error_set(error, EX_OSERR, "out of memory");
	next = registered->assignments.data;
	for (i = 0; i < count; i++) {
		assignments[i] = next;
		next += strlen(next) + 1;
	}
	registered->environment = child_environment(
	    registered->options->environment, assignments, count, error);
	return registered->environment == NULL ? -1 : 0;
}

/* Better known before the command runs than when its check passes. */
static int
refuse_held(
    const struct registered_command *registered, struct svc_error *error)
{
	const struct instance *instance = registered->options->instance;
	struct instance other;
	int found = registry_get(registered->options->registry,
	    instance->service, instance->id, &other, error);
	bool held;

	if (found != 1)
		return found;
	held = other.lease == LEASE_LOCK && other.status != STATUS_EXPIRED;
	instance_release(&other);
	if (held)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s/%s: a living process holds it", instance->service,
		    instance->id);
	return 0;
}

static int
start(struct registered_command *registered, struct svc_error *error)
{
	const struct registered_command_options *options = registered->options;

	if (options->reserved != -1)
		(void)close(options->reserved);
	if (wrapper_start(registered->wrapper, options->command,
		registered->environment, error) == 0)
		return 0;
	if (error->code == EX_UNAVAILABLE)
		error->code =
		    errno == ENOENT ? WRAPPER_NOT_FOUND : WRAPPER_CANNOT;
	return -1;
}

/* Starts the command, and registers or waits for its check. */
static int
begin(struct registered_command *registered, struct svc_error *error)
{
	struct probe_ready_options ready = {.base = registered->base,
	    .timeout = registered->options->ready_timeout,
	    .done = on_ready,
	    .argument = registered};
	int checked = read_check(registered, &ready, error);

	if (checked == -1 || make_environment(registered, error) == -1)
		return -1;
	if (checked == 0) {
		if (enter_registry(registered, error) == -1 ||
		    start(registered, error) == -1)
			return -1;
		measure(registered);
		return 0;
	}
	if (refuse_held(registered, error) == -1 ||
	    start(registered, error) == -1)
		return -1;
	if (probe_ready_open(&registered->ready, &ready, error) == -1) {
		error->code = WRAPPER_FAILED;
		return -1;
	}
	return 0;
}

static void
registered_release(struct registered_command *registered)
{
	leave_registry(registered);
	usage_close(registered->usage);
	wrapper_close(registered->wrapper);
	free(registered->environment);
	buffer_release(&registered->assignments);
	if (registered->base != NULL)
		event_base_free(registered->base);
}

int
registered_command_run(const struct registered_command_options *options,
    int *wait_status, struct svc_error *error)
{
	struct registered_command registered = {
	    .options = options, .error = error};
	struct wrapper_options wrapper = {.ignored = options->ignored,
	    .stopping = on_stopping,
	    .ended = on_ended,
	    .argument = &registered};
	int result = -1;

	registered.base = wrapper.base = event_base_new();
	if (registered.base == NULL)
		return svc_error_set(error, EX_OSERR, "no event base");
	if (wrapper_open(&registered.wrapper, &wrapper, error) == -1 ||
	    begin(&registered, error) == -1)
		goto out;
	if (event_base_dispatch(registered.base) == -1) {
		(void)svc_error_set(error, WRAPPER_FAILED, "event loop failed");
		goto out;
	}
	*wait_status = registered.wait_status;
	result = registered.failed ? -1 : 0;
out:
	registered_release(&registered);
	return result;
}
