#include "registry/keeper.h"

#include <event2/event.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "line/units.h"
#include "registry/handle.h"
#include "registry/list.h"
#include "registry/load.h"
#include "registry/own_record.h"

/* How often a lock's record is looked at when nobody tells of changes. */
#define LOOK_INTERVAL 5.0
/* Changes are told at once, but not more often: the service's other instances
 * report their load, too, and each of them would wake us. */
#define WATCH_INTERVAL 1

struct keeper {
	struct registry *registry;
	struct keeper_options options;
	char service[NAME_MAX_LENGTH + 1];
	char id[NAME_MAX_LENGTH + 1];
	double ttl; /* 0: a lock */
	struct registry_hold *hold; /* NULL: a plain ttl */
	struct buffer record; /* as it stood after registering, less load */
	bool pinned;
	double told; /* the load that was reported last; negative: none */
	double told_at; /* on the monotonic clock */
	bool untold; /* the last report failed, and that was said */
	bool lost;
	bool late; /* the last heartbeat failed, and that was said */
	struct store_watch *watch; /* NULL: the timer must do */
	struct event *changed;
	struct event *pause; /* while it is pending changed is not */
	struct event *timer;
	struct event *reporter;
	bool concerned; /* what the watch told of is our record */
	bool deaf; /* the watch failed: read it although it is not readable */
};

static void
tell(struct keeper *keeper, const char *what, const char *why)
{
	struct buffer line = BUFFER_INIT;

	if (keeper->options.notice == NULL)
		return;
	buffer_append_format(&line, "%s/%s: %s%s%s", keeper->service,
	    keeper->id, what, why[0] == '\0' ? "" : ": ", why);
	if (buffer_string(&line) != NULL)
		keeper->options.notice(keeper->options.argument, line.data);
	buffer_release(&line);
}

static void
stop(struct keeper *keeper)
{
	if (keeper->changed != NULL)
		event_free(keeper->changed);
	if (keeper->pause != NULL)
		event_free(keeper->pause);
	if (keeper->timer != NULL)
		event_free(keeper->timer);
	if (keeper->reporter != NULL)
		event_free(keeper->reporter);
	keeper->changed = keeper->pause = NULL;
	keeper->timer = keeper->reporter = NULL;
	if (keeper->watch != NULL)
		store_watch_close(keeper->watch);
	keeper->watch = NULL;
}

static void
lose(struct keeper *keeper)
{
	keeper->lost = true;
	stop(keeper);
	tell(keeper, "its record was removed or replaced, and stays so", "");
}

/* 1: the record is ours; 0: somebody removed or replaced it; -1. */
static int
look(struct keeper *keeper, struct svc_error *error)
{
	struct instance found;
	int result;

	if (keeper->hold != NULL && keeper->ttl == 0)
		return registry_hold_beat(keeper->hold, error);
	result = registry_get(
	    keeper->registry, keeper->service, keeper->id, &found, error);
	if (result != 1)
		return result;
	result = found.record.length == keeper->record.length &&
		 memcmp(found.record.data, keeper->record.data,
		     keeper->record.length) == 0;
	instance_release(&found);
	return result;
}

int
keeper_check(struct keeper *keeper)
{
	struct svc_error error;
	int ours;

	if (keeper->lost)
		return 0;
	/* First the look: another's record must not get our heartbeat. */
	ours = look(keeper, &error);
	if (ours == 1 && keeper->ttl > 0)
		ours = registry_renew(
		    keeper->registry, keeper->service, keeper->id, &error);
	if (ours == 0) {
		lose(keeper);
		return 0;
	}
	if (ours == -1 && !keeper->late)
		tell(keeper, "heartbeat failed, trying again", error.message);
	keeper->late = ours == -1;
	return 1;
}

double
keeper_ttl(const struct keeper *keeper)
{
	return keeper->ttl;
}

double
keeper_interval(const struct keeper *keeper)
{
	return keeper->ttl == 0 ? LOOK_INTERVAL : keeper->ttl / 3;
}

/* 1; 0: the record is lost; -1. */
static int
write_load(struct keeper *keeper, double load, struct svc_error *error)
{
	struct json_span record = {keeper->record.data, keeper->record.length};
	struct buffer line = BUFFER_INIT;
	char key[REGISTRY_KEY_SIZE];
	int result = -1;

	load_append(&line, record, load, time_now());
	if (buffer_string(&line) == NULL)
		(void)svc_error_set(error, EX_OSERR, "out of memory");
	else if (line.length > INSTANCE_RECORD_MAX)
		(void)svc_error_set(error, EX_DATAERR,
		    "the record would have %zu bytes, more than %lu",
		    line.length, INSTANCE_RECORD_MAX);
	else if (keeper->hold != NULL)
		result = registry_hold_put(
		    keeper->hold, line.data, line.length, error);
	else if (registry_key(
		     key, keeper->service, keeper->id, ".json", error) == 0)
		result = own_record_replace(keeper->registry, key, record,
		    line.data, line.length, error);
	buffer_release(&line);
	return result;
}

int
keeper_report(struct keeper *keeper, double utilization, double now)
{
	double load = load_round(utilization);
	struct svc_error error;
	int ours;

	if (keeper->lost)
		return 0;
	if (keeper->pinned || utilization < 0 ||
	    !load_due(keeper->told, now - keeper->told_at, load))
		return 1;
	ours = write_load(keeper, load, &error);
	if (ours == 0) {
		lose(keeper);
		return 0;
	}
	if (ours == 1) {
		keeper->told = load;
		keeper->told_at = now;
	} else if (!keeper->untold) {
		tell(keeper, "its load cannot be reported, trying again",
		    error.message);
	}
	keeper->untold = ours == -1;
	return 1;
}

static void
on_report(evutil_socket_t descriptor, short what, void *argument)
{
	struct keeper *keeper = argument;

	(void)descriptor;
	(void)what;
	(void)keeper_report(keeper,
	    keeper->options.load(keeper->options.load_argument),
	    time_monotonic());
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	(void)keeper_check(argument);
}

static void
on_change(void *argument, const struct store_change *change)
{
	struct keeper *keeper = argument;
	const char *name;
	size_t length = strlen(keeper->id);

	if (change->kind == STORE_RESYNC) {
		keeper->concerned = true;
		return;
	}
	name = strrchr(change->key, '/');
	name = name == NULL ? change->key : name + 1;
	if (strncmp(name, keeper->id, length) == 0 && name[length] == '.')
		keeper->concerned = true;
}

static void
on_watch(evutil_socket_t descriptor, short what, void *argument)
{
	const struct timeval pause = {WATCH_INTERVAL, 0};
	struct keeper *keeper = argument;
	struct svc_error error;

	(void)descriptor;
	(void)what;
	keeper->concerned = false;
	keeper->deaf =
	    store_watch_read(keeper->watch, on_change, keeper, &error) == -1;
	/* Our own heartbeat is a change too: looking must not beat again. */
	if ((keeper->concerned || keeper->deaf) && look(keeper, &error) == 0) {
		lose(keeper);
		return;
	}
	(void)event_del(keeper->changed);
	(void)event_add(keeper->pause, &pause);
}

static void
on_pause(evutil_socket_t descriptor, short what, void *argument)
{
	struct keeper *keeper = argument;

	(void)descriptor;
	(void)what;
	if (event_add(keeper->changed, NULL) == -1 || keeper->deaf)
		event_active(keeper->changed, EV_READ, 0);
}

/* Changes are told where the kernel has a watch left for us.  Whether they
 * are. */
static bool
follow(struct keeper *keeper)
{
	struct event_base *base = keeper->options.base;

	if (registry_watch_open(keeper->registry, keeper->service,
		&keeper->watch, NULL) == -1) {
		keeper->watch = NULL;
		return false;
	}
	keeper->pause = evtimer_new(base, on_pause, keeper);
	keeper->changed = event_new(base, store_watch_descriptor(keeper->watch),
	    EV_READ | EV_PERSIST, on_watch, keeper);
	return keeper->pause != NULL && keeper->changed != NULL &&
	       event_add(keeper->changed, NULL) == 0;
}

/* Makes a timer that calls fn every interval seconds. */
static int
repeat(struct keeper *keeper, double interval, event_callback_fn fn,
    struct event **timer, struct svc_error *error)
{
	struct timeval time = duration_timeval(interval);

	*timer = event_new(keeper->options.base, -1, EV_PERSIST, fn, keeper);
	if (*timer == NULL || event_add(*timer, &time) == -1)
		return svc_error_set(error, EX_OSERR, "keeper: no timer");
	return 0;
}

static int
schedule(struct keeper *keeper, struct svc_error *error)
{
	if (keeper->options.base == NULL)
		return 0;
	if ((!follow(keeper) || keeper->ttl > 0) &&
	    repeat(keeper, keeper_interval(keeper), on_timer, &keeper->timer,
		error) == -1)
		return -1;
	if (keeper->options.load == NULL || keeper->pinned)
		return 0;
	return repeat(
	    keeper, LOAD_INTERVAL, on_report, &keeper->reporter, error);
}

static int
enter(struct keeper *keeper, struct registration *registration,
    struct svc_error *error)
{
	const struct instance *instance = registration->instance;

	if (instance->lease == LEASE_LOCK) {
		if (registry_hold(keeper->registry, registration, &keeper->hold,
			error) == -1)
			return -1;
		keeper->ttl = registry_hold_ttl(keeper->hold);
		return 0;
	}
	if (instance->lease != LEASE_TTL)
		return svc_error_set(error, EX_SOFTWARE,
		    "%s/%s: a record without lease is not kept",
		    instance->service, instance->id);
	keeper->ttl = instance->ttl;
	return registry_register(keeper->registry, registration, error);
}

/* What stands in the registry, to know it again. */
static int
remember(struct keeper *keeper, struct svc_error *error)
{
	struct instance stored;
	int found = registry_get(
	    keeper->registry, keeper->service, keeper->id, &stored, error);

	if (found == -1)
		return -1;
	if (found == 0)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s/%s: its record was removed while it was made",
		    keeper->service, keeper->id);
	buffer_append(
	    &keeper->record, stored.record.data, stored.record.length);
	keeper->pinned = stored.pinned;
	keeper->told = -1;
	if (stored.draining)
		tell(keeper, "drains: no work until --undrain", "");
	instance_release(&stored);
	if (buffer_failed(&keeper->record))
		return svc_error_set(error, EX_OSERR, "keeper: out of memory");
	return 0;
}

static void
keeper_free(struct keeper *keeper)
{
	stop(keeper);
	buffer_release(&keeper->record);
	free(keeper);
}

int
keeper_open(struct keeper **keeper, struct registry *registry,
    struct registration *registration, const struct keeper_options *options,
    struct svc_error *error)
{
	struct keeper *made = calloc(1, sizeof(*made));
	struct svc_error ignored;

	if (made == NULL)
		return svc_error_errno(error, "keeper");
	made->registry = registry;
	made->options = *options;
	memcpy(made->service, registration->instance->service,
	    strlen(registration->instance->service) + 1);
	memcpy(made->id, registration->instance->id,
	    strlen(registration->instance->id) + 1);
	if (enter(made, registration, error) == -1) {
		keeper_free(made);
		return -1;
	}
	if (remember(made, error) == -1 || schedule(made, error) == -1) {
		(void)keeper_close(made, &ignored);
		return -1;
	}
	*keeper = made;
	return 0;
}

static int
leave(struct keeper *keeper, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];
	int ours;

	if (keeper->hold != NULL)
		return registry_hold_release(keeper->hold, error);
	ours = keeper->lost ? 0 : look(keeper, error);
	if (ours != 1)
		return ours;
	/* The record alone: who drained the id goes on draining it. */
	if (registry_key(key, keeper->service, keeper->id, ".json", error) ==
	    -1)
		return -1;
	return store_delete(registry_store(keeper->registry), key, NULL, false,
		   error) == -1
		   ? -1
		   : 0;
}

int
keeper_close(struct keeper *keeper, struct svc_error *error)
{
	int result;

	if (keeper == NULL)
		return 0;
	result = leave(keeper, error);
	keeper_free(keeper);
	return result;
}
