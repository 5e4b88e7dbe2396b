#include "registry/observe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "registry/handle.h"

/* The clock that stamps files may be a tick behind the one that is asked: a
 * lease lives this much longer, in ms, so that it never ends early. */
#define CLOCK_TICK 10

int
observe_entry(struct registry *registry, const struct store_entry *entry,
    struct instance *instance, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];
	const char *owner;
	struct svc_error why;

	if (instance_parse(instance, entry->value, entry->length, &why) == -1) {
		registry_warn(registry, entry->key, why.message);
		return 0;
	}
	snprintf(key, sizeof(key), "services/%s/%s.json", instance->service,
	    instance->id);
	if (strcmp(key, entry->key) != 0) {
		svc_error_set(&why, 0, "the record is of '%s' of '%s'",
		    instance->id, instance->service);
		registry_warn(registry, entry->key, why.message);
		instance_release(instance);
		return 0;
	}
	instance->said = instance->utilization;
	instance->said_at = instance->reported;
	if (!instance->pinned && instance->reported == 0)
		instance->said = 0;
	instance->heartbeat = entry->heartbeat;
	memcpy(instance->revision, entry->revision.part,
	    sizeof(instance->revision));
	instance->owner_id = entry->owner;
	instance->held =
	    instance->lease == LEASE_LOCK && store_entry_held(entry);
	instance->draining = false;
	owner = registry_owner_name(registry, entry->owner);
	if (owner != NULL && instance_observe(instance, owner, NULL) == 0)
		return 1;
	svc_error_errno(error, "%s", entry->key);
	instance_release(instance);
	return -1;
}

int64_t
observe_end(const struct instance *instance)
{
	if (instance->lease != LEASE_TTL)
		return INT64_MAX;
	return instance->heartbeat + (int64_t)ceil(instance->ttl * 1000) +
	       CLOCK_TICK + 1;
}

/* Whether the lease, or the boot it was made in, is over. */
static bool
is_over(const struct registry *registry, const struct instance *instance,
    int64_t now)
{
	if (instance->lease != LEASE_LOCK)
		return now >= observe_end(instance);
	if (instance->boot != NULL && registry->boot[0] != '\0' &&
	    strcmp(instance->boot, registry->boot) != 0)
		return true;
	return !instance->held;
}

void
observe_status(const struct registry *registry, const struct health *health,
    int64_t now, struct instance *instance, const char **reason)
{
	double age = (double)(now - instance->heartbeat) / 1000;

	instance->status = STATUS_PASSING;
	instance->utilization = instance->said;
	instance->reported = instance->said_at;
	instance->latency_ms = -1;
	instance->checked = 0;
	instance->age = age < 0 ? 0 : age;
	health_apply(health, instance->owner_id, instance, reason);
	if (is_over(registry, instance, now))
		instance->status = STATUS_EXPIRED;
	instance->panic =
	    !instance->draining &&
	    health_overrides(health, instance->owner_id, instance);
	if (instance->draining && instance->status != STATUS_EXPIRED)
		instance->status = STATUS_DRAINING;
}

int
observe_instance(const struct registry *registry, const struct health *health,
    int64_t now, struct instance *instance, struct svc_error *error)
{
	const char *reason;

	observe_status(registry, health, now, instance, &reason);
	if (reason == NULL && instance->reason == NULL)
		return 0;
	if (instance_observe(instance, instance->owner, reason) == -1)
		return svc_error_errno(
		    error, "services/%s/%s", instance->service, instance->id);
	return 0;
}
