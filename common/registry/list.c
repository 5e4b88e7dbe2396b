#include "registry/list.h"

#include <stdlib.h>
#include <string.h>

#include "registry/handle.h"
#include "registry/health.h"
#include "registry/observe.h"
#include "registry/scan.h"

void
instance_list_release(struct instance_list *list)
{
	while (list->count > 0)
		instance_release(&list->items[--list->count]);
	free(list->items);
	list->items = NULL;
	list->capacity = 0;
}

struct instance *
instance_list_add(struct instance_list *list)
{
	struct instance *items;
	size_t capacity;

	if (list->count == list->capacity) {
		capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
		items = reallocarray(list->items, capacity, sizeof(*items));
		if (items == NULL)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	memset(&list->items[list->count], 0, sizeof(*items));
	return &list->items[list->count++];
}

static int
list_service(struct registry *registry, const char *service,
    struct instance_list *list, struct svc_error *error)
{
	size_t first = list->count;
	struct health health;
	int status;

	if (health_read(&health, registry, service, error) == -1)
		return -1;
	status = scan_service(registry, service, &health, list, error);
	if (status == 0 && health.fresh && list->count > first &&
	    (list->health_ends <= 0 || health.ends < list->health_ends))
		list->health_ends = health.ends;
	health_release(&health);
	return status;
}

int
registry_list(struct registry *registry, const char *service,
    struct instance_list *list, struct svc_error *error)
{
	char **names;
	size_t count, i;
	int status = 0;

	if (service != NULL) {
		if (name_check("service", service, error) == -1)
			return -1;
		return list_service(registry, service, list, error);
	}
	if (registry_services(registry, &names, &count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (status == 0)
			status = list_service(registry, names[i], list, error);
		free(names[i]);
	}
	free(names);
	return status;
}

int
registry_get(struct registry *registry, const char *service, const char *id,
    struct instance *instance, struct svc_error *error)
{
	struct health health;
	int status;

	if (name_check("service", service, error) == -1 ||
	    health_read(&health, registry, service, error) == -1)
		return -1;
	status = scan_instance(registry, service, id, &health, instance, error);
	health_release(&health);
	return status;
}

double
instance_list_next_expiry(const struct instance_list *list)
{
	double next = list->health_ends > 0 ? list->health_ends : -1;
	const struct instance *instance;
	int64_t end;
	double left;
	size_t i;

	for (i = 0; i < list->count; i++) {
		instance = &list->items[i];
		end = observe_end(instance);
		if (instance->status == STATUS_EXPIRED || end == INT64_MAX)
			continue;
		left =
		    (double)(end - instance->heartbeat) / 1000 - instance->age;
		if (left < 0)
			left = 0;
		if (next < 0 || left < next)
			next = left;
	}
	return next;
}

/* "2 expired (4m)": the least age of the expired, else the first reason. */
static void
append_status(const struct instance_list *list, const char *service,
    enum instance_status status, const char *separator, struct buffer *out)
{
	const struct instance *instance;
	const char *reason = NULL;
	double age = -1;
	size_t count = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		instance = &list->items[i];
		if (instance->status != status ||
		    strcmp(instance->service, service) != 0)
			continue;
		count++;
		if (reason == NULL)
			reason = instance->reason;
		if (age < 0 || instance->age < age)
			age = instance->age;
	}
	buffer_append_format(
	    out, "%s%zu %s", separator, count, status_name(status));
	if (status == STATUS_EXPIRED && age >= 0) {
		buffer_append_string(out, " (");
		duration_append(out, age);
		buffer_append_char(out, ')');
	} else if (reason != NULL) {
		buffer_append_format(out, " (%s)", reason);
	}
}

void
instance_list_statuses(
    const struct instance_list *list, const char *service, struct buffer *out)
{
	static const enum instance_status order[] = {STATUS_EXPIRED,
	    STATUS_DRAINING, STATUS_CRITICAL, STATUS_UNKNOWN, STATUS_WARNING,
	    STATUS_PASSING};
	size_t counts[STATUS_COUNT] = {0};
	const char *separator = "";
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i].service, service) == 0)
			counts[list->items[i].status]++;
	for (i = 0; i < STATUS_COUNT; i++) {
		if (counts[order[i]] == 0)
			continue;
		append_status(list, service, order[i], separator, out);
		separator = ", ";
	}
}

void
instance_list_why(
    const struct instance_list *list, const char *service, struct buffer *out)
{
	size_t total = 0;
	size_t i;

	for (i = 0; i < list->count; i++)
		total += strcmp(list->items[i].service, service) == 0;
	if (total == 0) {
		buffer_append_format(out, "%s: no instances", service);
		return;
	}
	buffer_append_format(out, "%s: %zu %s, none available: ", service,
	    total, total == 1 ? "instance" : "instances");
	instance_list_statuses(list, service, out);
}
