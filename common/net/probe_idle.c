#include "net/probe_idle.h"

#include <event2/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/check.h"
#include "line/units.h"
#include "net/probe.h"
#include "registry/list.h"

#define ASK_TIMEOUT 2.0 /* of one question, seconds */
#define ASK_PAUSE   0.1 /* between two */

struct idle {
	struct event_base *base;
	double load; /* last observed; negative: nobody said */
	bool answered; /* the instance has told its load once */
	bool gone; /* nobody listens there any more */
	char reason[160];
};

static void
on_answer(void *argument, const struct probe_answer *answer)
{
	struct idle *idle = argument;

	idle->load = answer->busy >= 0 ? answer->busy : answer->utilization;
	if (idle->load >= 0)
		idle->answered = true;
	idle->gone = idle->answered && (answer->failure == ECONNREFUSED ||
					   answer->failure == ENOENT);
	(void)snprintf(idle->reason, sizeof(idle->reason), "%s",
	    answer->reason[0] == '\0' ? "its answer has no \"busy\""
				      : answer->reason);
}

static int
ask(struct idle *idle, const struct instance *instance, struct svc_error *error)
{
	const char *path = "/health";
	struct address address;
	struct check check;
	struct probe *probe;

	idle->load = -1;
	/* A malformed check says nothing of where to ask. */
	if (check_read(instance, CHECK_INTERVAL, &check, NULL) == 1 &&
	    check.kind == CHECK_HTTP)
		path = check.path;
	if (address_parse(instance->address, &address, error) == -1)
		return -1;
	if (address.tls) {
		(void)snprintf(
		    idle->reason, sizeof(idle->reason), "its address is https");
		return 0;
	}
	if (probe_start(&probe, idle->base, &address, path, ASK_TIMEOUT,
		on_answer, idle, error) == -1)
		return -1;
	if (event_base_dispatch(idle->base) == -1)
		return svc_error_set(error, EX_OSERR, "event loop failed");
	return 0;
}

/* What a prober wrote, which the registry hands out only while it is fresh. */
static double
health_load(const struct instance *instance)
{
	if (instance->pinned || instance->checked == 0)
		return -1;
	return instance->utilization;
}

/* 1: idle; 0: busy; -1. */
static int
look(
    struct idle *idle, const struct instance *instance, struct svc_error *error)
{
	if (instance->status == STATUS_EXPIRED)
		return 1;
	if (ask(idle, instance, error) == -1)
		return -1;
	if (idle->gone)
		return 1;
	if (idle->load < 0 && !idle->answered)
		idle->load = health_load(instance);
	if (idle->load < 0 && !idle->answered)
		return svc_error_set(error, EX_UNAVAILABLE,
		    "%s/%s: its load is not known: %s, and no prober has told "
		    "it",
		    instance->service, instance->id, idle->reason);
	return idle->load == 0;
}

static int
pause_for(struct idle *idle, double seconds, struct svc_error *error)
{
	struct timeval time = duration_timeval(seconds);

	if (event_base_loopexit(idle->base, &time) == -1 ||
	    event_base_loop(idle->base, EVLOOP_NO_EXIT_ON_EMPTY) == -1)
		return svc_error_set(error, EX_OSERR, "event loop failed");
	return 0;
}

int
probe_idle_wait(struct registry *registry, const char *service, const char *id,
    double timeout, struct svc_error *error)
{
	struct idle idle = {.base = event_base_new()};
	double deadline = time_monotonic() + timeout;
	int result = -1;

	if (idle.base == NULL)
		return svc_error_set(error, EX_OSERR, "no event base");
	for (;;) {
		struct instance instance;
		int found =
		    registry_get(registry, service, id, &instance, error);

		if (found != 1) {
			result = found == 0 ? 1 : -1;
			break;
		}
		result = look(&idle, &instance, error);
		instance_release(&instance);
		if (result != 0 ||
		    (timeout >= 0 && time_monotonic() >= deadline) ||
		    (result = pause_for(&idle, ASK_PAUSE, error)) == -1)
			break;
	}
	event_base_free(idle.base);
	return result;
}
