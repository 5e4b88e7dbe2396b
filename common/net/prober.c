#include "net/prober.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "net/probed_service.h"
#include "registry/health_book.h"
#include "registry/registry.h"

#define HEALTH "health"

struct prober {
	struct probed_common common;
	struct probed_service **services; /* sorted by name */
	size_t count;
	size_t capacity;
	struct store_watch *watch; /* of health/; NULL: a single pass */
	struct event *changed;
	struct event *idle; /* a single pass: nothing may be left to do */
	bool idle_told;
};

static void
notice(struct prober *prober, const char *message)
{
	const struct prober_options *options = &prober->common.options;

	if (options->notice != NULL)
		options->notice(options->argument, message);
}

static size_t
position(
    const struct prober *prober, const char *name, size_t length, bool *found)
{
	size_t low = 0, high = prober->count, middle;
	const char *other;
	int order;

	*found = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		other = prober->services[middle]->name;
		order = strncmp(other, name, length);
		if (order == 0 && other[length] != '\0')
			order = 1;
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct probed_service *
find(const struct prober *prober, const char *name)
{
	bool found;
	size_t i = position(prober, name, strlen(name), &found);

	return found ? prober->services[i] : NULL;
}

static struct probed_service *
add(struct prober *prober, const char *name, struct svc_error *error)
{
	size_t capacity = prober->capacity == 0 ? 16 : 2 * prober->capacity;
	struct probed_service *service, **services;
	bool found;
	size_t i;

	if (prober->count == prober->capacity) {
		services =
		    reallocarray(prober->services, capacity, sizeof(*services));
		if (services == NULL) {
			(void)svc_error_errno(error, "%s", name);
			return NULL;
		}
		prober->services = services;
		prober->capacity = capacity;
	}
	if (probed_service_open(&service, &prober->common, name, error) == -1)
		return NULL;
	i = position(prober, name, strlen(name), &found);
	memmove(&prober->services[i + 1], &prober->services[i],
	    (prober->count - i) * sizeof(*prober->services));
	prober->services[i] = service;
	prober->count++;
	return service;
}

/* A single pass: looked at in the next round of the loop, once for all that
 * ends in this one. */
static void
on_progress(void *argument)
{
	struct prober *prober = argument;

	if (!prober->idle_told)
		event_active(prober->idle, EV_TIMEOUT, 0);
}

static void
on_idle(evutil_socket_t descriptor, short what, void *argument)
{
	struct prober *prober = argument;
	const struct prober_options *options = &prober->common.options;
	size_t i;

	(void)descriptor;
	(void)what;
	for (i = 0; i < prober->count; i++)
		if (probed_service_busy(prober->services[i]))
			return;
	if (prober->idle_told)
		return;
	for (i = 0; i < prober->count; i++)
		probed_service_flush(prober->services[i]);
	prober->idle_told = true;
	if (options->idle != NULL)
		options->idle(options->argument);
	else
		(void)event_base_loopbreak(options->base);
}

static void
on_change(void *argument, const struct store_change *change)
{
	struct prober *prober = argument;
	size_t i;

	if (change->kind == STORE_RESYNC) {
		for (i = 0; i < prober->count; i++)
			probed_service_look(prober->services[i]);
	} else if (strncmp(change->key, HEALTH "/", strlen(HEALTH "/")) == 0) {
		struct probed_service *service =
		    find(prober, change->key + strlen(HEALTH "/"));

		if (service != NULL)
			probed_service_look(service);
	}
}

static void
on_changed(evutil_socket_t descriptor, short what, void *argument)
{
	struct prober *prober = argument;
	struct svc_error error;

	(void)descriptor;
	(void)what;
	if (store_watch_read(prober->watch, on_change, prober, &error) == 0)
		return;
	/* What is looked at on a timer is found later. */
	notice(prober, error.message);
	(void)event_del(prober->changed);
}

static int
open_watch(struct prober *prober, struct svc_error *error)
{
	const struct prober_options *options = &prober->common.options;

	if (store_watch_open(registry_store(options->registry), HEALTH,
		&prober->watch, error) == -1)
		return -1;
	prober->changed =
	    event_new(options->base, store_watch_descriptor(prober->watch),
		EV_READ | EV_PERSIST, on_changed, prober);
	if (prober->changed == NULL || event_add(prober->changed, NULL) == -1)
		return svc_error_set(error, EX_OSERR, "prober: no event");
	/* Once right after opening, else it tells nothing. */
	return store_watch_read(prober->watch, on_change, prober, error);
}

int
prober_open(struct prober **prober, const struct prober_options *options,
    struct svc_error *error)
{
	struct probe_queue_options queue = {.base = options->base,
	    .jobs = options->jobs,
	    .done = probed_service_done};
	struct prober *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "prober");
	made->common = (struct probed_common){
	    .options = *options, .progress = on_progress, .argument = made};
	if (probe_queue_open(&made->common.queue, &queue, error) == -1)
		goto out;
	made->idle = evtimer_new(options->base, on_idle, made);
	if (made->idle == NULL) {
		(void)svc_error_set(error, EX_OSERR, "prober: no timer");
		goto out;
	}
	if (!options->once && open_watch(made, error) == -1)
		goto out;
	if (options->once)
		on_progress(made);
	*prober = made;
	return 0;
out:
	prober_close(made);
	return -1;
}

void
prober_close(struct prober *prober)
{
	if (prober == NULL)
		return;
	while (prober->count > 0)
		probed_service_close(prober->services[--prober->count]);
	free(prober->services);
	if (prober->changed != NULL)
		event_free(prober->changed);
	if (prober->watch != NULL)
		store_watch_close(prober->watch);
	if (prober->idle != NULL)
		event_free(prober->idle);
	probe_queue_close(prober->common.queue);
	free(prober);
}

void
prober_update(struct prober *prober, const struct instance *before,
    const struct instance *after)
{
	const char *name = after != NULL ? after->service : before->service;
	struct probed_service *service = find(prober, name);
	struct svc_error error;

	if (after == NULL) {
		if (service != NULL)
			probed_service_remove(service, before->id);
		return;
	}
	prober->idle_told = false;
	if (service == NULL)
		service = add(prober, name, &error);
	if (service == NULL ||
	    probed_service_update(service, before, after, &error) == -1)
		notice(prober, error.message);
}

void
prober_jumped(struct prober *prober, double seconds)
{
	size_t i;

	(void)seconds;
	for (i = 0; i < prober->count; i++)
		probed_service_jumped(prober->services[i]);
}

int
prober_overlay(const struct prober *prober, struct instance *instance)
{
	const struct probed_service *service = find(prober, instance->service);
	const struct probed_instance *probed =
	    service == NULL ? NULL : probed_service_find(service, instance->id);
	struct health_line line;

	if (probed == NULL || instance->status == STATUS_EXPIRED ||
	    instance->status == STATUS_DRAINING)
		return 0;
	instance->panic = panic_mark(service->panic) != PANIC_NONE;
	if (!probed_instance_line(probed, &line))
		return 0;
	instance->status = line.status;
	if (line.utilization >= 0 && !instance->pinned) {
		instance->utilization = line.utilization;
		instance->reported = 0;
	}
	instance->latency_ms = line.latency_ms;
	instance->checked = line.checked;
	return instance_observe(instance, instance->owner, line.reason);
}

int
prober_service(
    const struct prober *prober, size_t index, struct prober_service *service)
{
	const struct probed_service *probed;

	if (index >= prober->count)
		return 0;
	probed = prober->services[index];
	*service = (struct prober_service){.service = probed->name,
	    .holder = health_book_held(probed->book),
	    .panic = panic_mark(probed->panic) != PANIC_NONE,
	    .counts = probed->counts,
	    .seconds = probed->seconds,
	    .answers = probed->answers};
	return 1;
}
