#include "net/tenure.h"

#include <event2/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/json.h"
#include "line/units.h"
#include "net/ready.h"
#include "process/child.h"
#include "process/wrapper.h"
#include "registry/keeper.h"
#include "registry/list.h"

#define WRAPPER_FAILED	  125
#define WRAPPER_CANNOT	  126
#define WRAPPER_NOT_FOUND 127

/* How long a command that is told to end has for it, in seconds. */
#define STOP_GRACE 10.0

#define CHECK_PATH_MAX 1024
#define CHECK_TIMEOUT  1.0

struct tenure {
	const struct tenure_options *options;
	struct event_base *base;
	struct wrapper *wrapper;
	struct keeper *keeper; /* NULL: not registered */
	struct ready *ready;
	struct buffer assignments; /* SVC_NAME=... and so on */
	char **environment;
	char check_path[CHECK_PATH_MAX];
	bool failed; /* error says why; the command has been told to end */
	struct svc_error *error;
	int wait_status;
};

static void
leave_registry(struct tenure *tenure)
{
	const struct tenure_options *options = tenure->options;
	struct svc_error error;

	ready_close(tenure->ready);
	tenure->ready = NULL;
	if (keeper_close(tenure->keeper, &error) == -1)
		options->notice(options->argument, error.message);
	tenure->keeper = NULL;
}

static int
enter_registry(struct tenure *tenure, struct svc_error *error)
{
	const struct tenure_options *options = tenure->options;
	struct registration registration = {.instance = options->instance};
	struct keeper_options keeper = {.base = tenure->base,
	    .notice = options->notice,
	    .argument = options->argument};

	if (keeper_open(&tenure->keeper, options->registry, &registration,
		&keeper, error) == -1)
		return -1;
	if (options->registered != NULL)
		options->registered(
		    options->argument, keeper_ttl(tenure->keeper));
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
	struct tenure *tenure = argument;

	tenure->wait_status = wait_status;
	leave_registry(tenure);
	(void)event_base_loopbreak(tenure->base);
}

static void
on_ready(void *argument, bool passed, const char *reason)
{
	struct tenure *tenure = argument;
	const struct tenure_options *options = tenure->options;
	struct buffer within = BUFFER_INIT;

	if (passed && enter_registry(tenure, tenure->error) == 0)
		return;
	if (!passed) {
		duration_append(&within, options->ready_timeout);
		(void)svc_error_set(tenure->error, WRAPPER_FAILED,
		    "%s/%s: not ready within %s: %s",
		    options->instance->service, options->instance->id,
		    buffer_string(&within), reason);
		buffer_release(&within);
	}
	tenure->error->code = WRAPPER_FAILED;
	tenure->failed = true;
	wrapper_stop(tenure->wrapper, STOP_GRACE);
}

/* 1: the record asks for a check; 0: it does not; -1. */
static int
read_check(
    struct tenure *tenure, struct ready_options *ready, struct svc_error *error)
{
	const struct instance *instance = tenure->options->instance;
	struct json_value value;
	double timeout;

	if (json_path(instance->record, "check", &value) == 0)
		return 0;
	if (address_parse(instance->address, &ready->address, error) == -1)
		return -1;
	ready->probe_timeout = CHECK_TIMEOUT;
	if (instance_number(instance, "check.timeout", &timeout) == 1)
		ready->probe_timeout = timeout;
	if (json_path(instance->record, "check.http", &value) == 0)
		return 1;
	if (json_string(&value, tenure->check_path, CHECK_PATH_MAX) == -1)
		return svc_error_set(error, EX_USAGE,
		    "the path of the check is longer than %d bytes",
		    CHECK_PATH_MAX - 1);
	ready->path = tenure->check_path;
	return 1;
}

static int
add_assignment(struct tenure *tenure, const char *name, const char *value)
{
	buffer_append_string(&tenure->assignments, name);
	buffer_append_string(&tenure->assignments, value);
	buffer_append_char(&tenure->assignments, '\0');
	return 1;
}

static int
make_environment(struct tenure *tenure, struct svc_error *error)
{
	const struct instance *instance = tenure->options->instance;
	const char *assignments[4], *next;
	struct address address;
	int count, i;

	if (address_parse(instance->address, &address, error) == -1)
		return -1;
	count = add_assignment(tenure, "SVC_NAME=", instance->service);
	count += add_assignment(tenure, "SVC_ID=", instance->id);
	count += add_assignment(tenure, "SVC_ADDRESS=", instance->address);
	if (address.port[0] != '\0')
		count += add_assignment(tenure, "PORT=", address.port);
	if (buffer_failed(&tenure->assignments))
		return svc_error_set(error, EX_OSERR, "out of memory");
	next = tenure->assignments.data;
	for (i = 0; i < count; i++) {
		assignments[i] = next;
		next += strlen(next) + 1;
	}
	tenure->environment = child_environment(
	    tenure->options->environment, assignments, count, error);
	return tenure->environment == NULL ? -1 : 0;
}

/* Better known before the command runs than when its check passes. */
static int
refuse_held(const struct tenure *tenure, struct svc_error *error)
{
	const struct instance *instance = tenure->options->instance;
	struct instance other;
	int found = registry_get(tenure->options->registry, instance->service,
	    instance->id, &other, error);
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
start(struct tenure *tenure, struct svc_error *error)
{
	const struct tenure_options *options = tenure->options;

	if (options->reserved != -1)
		(void)close(options->reserved);
	if (wrapper_start(tenure->wrapper, options->command,
		tenure->environment, error) == 0)
		return 0;
	if (error->code == EX_UNAVAILABLE)
		error->code =
		    errno == ENOENT ? WRAPPER_NOT_FOUND : WRAPPER_CANNOT;
	return -1;
}

/* Starts the command, and registers or waits for its check. */
static int
begin(struct tenure *tenure, struct svc_error *error)
{
	struct ready_options ready = {.base = tenure->base,
	    .timeout = tenure->options->ready_timeout,
	    .done = on_ready,
	    .argument = tenure};
	int checked = read_check(tenure, &ready, error);

	if (checked == -1 || make_environment(tenure, error) == -1)
		return -1;
	if (checked == 0)
		return enter_registry(tenure, error) == -1 ||
			       start(tenure, error) == -1
			   ? -1
			   : 0;
	if (refuse_held(tenure, error) == -1 || start(tenure, error) == -1)
		return -1;
	if (ready_open(&tenure->ready, &ready, error) == -1) {
		error->code = WRAPPER_FAILED;
		return -1;
	}
	return 0;
}

static void
tenure_release(struct tenure *tenure)
{
	leave_registry(tenure);
	wrapper_close(tenure->wrapper);
	free(tenure->environment);
	buffer_release(&tenure->assignments);
	if (tenure->base != NULL)
		event_base_free(tenure->base);
}

int
tenure_run(const struct tenure_options *options, int *wait_status,
    struct svc_error *error)
{
	struct tenure tenure = {.options = options, .error = error};
	struct wrapper_options wrapper = {.ignored = options->ignored,
	    .stopping = on_stopping,
	    .ended = on_ended,
	    .argument = &tenure};
	int result = -1;

	tenure.base = wrapper.base = event_base_new();
	if (tenure.base == NULL)
		return svc_error_set(error, EX_OSERR, "no event base");
	if (wrapper_open(&tenure.wrapper, &wrapper, error) == -1 ||
	    begin(&tenure, error) == -1)
		goto out;
	if (event_base_dispatch(tenure.base) == -1) {
		(void)svc_error_set(error, WRAPPER_FAILED, "event loop failed");
		goto out;
	}
	*wait_status = tenure.wait_status;
	result = tenure.failed ? -1 : 0;
out:
	tenure_release(&tenure);
	return result;
}
