/*
 * Health: what a prober observed of a service's instances.
 *
 * health/NAME is written whole by the service's one prober, a line an instance:
 *
 *	{"id":"web1","status":"critical","utilization":0.4,"latency_ms":2.5,
 *	 "checked":"2026-11-22T10:00:00.000Z","reason":"connection refused"}
 *
 * It is believed for HEALTH_SECONDS after it was last written or touched, and
 * only if root, the registry's owner or, for his own records, a record's owner
 * wrote it.
 */
#ifndef SVCKIT_REGISTRY_HEALTH_H
#define SVCKIT_REGISTRY_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "line/error.h"
#include "line/instance.h"

#define HEALTH_SECONDS	  15
#define HEALTH_SIZE_MAX	  (16UL * 1024 * 1024)
#define HEALTH_REASON_MAX 256

struct registry;

struct health_line {
	char *id;
	enum instance_status status; /* passing, warning or critical */
	double utilization; /* negative: not said */
	double latency_ms; /* negative: not said */
	int64_t checked; /* ms since 1970; 0: not said */
	char *reason; /* or NULL */
};

struct health {
	bool fresh; /* else nothing below counts */
	double ends; /* seconds until it is not fresh any more */
	bool trusted; /* by all; else only for records of owner */
	uid_t owner;
	struct health_line *lines; /* sorted by id */
	size_t count;
	size_t capacity;
};

/* Reads the health of service; a line that cannot be read is warned of and
 * skipped.  Absent or stale: 0 and not fresh.  0, -1. */
int health_read(struct health *health, struct registry *registry,
    const char *service, struct svc_error *error);
void health_release(struct health *health);

/*
 * What the prober says of an instance whose record belongs to owner: its status
 * and measurements are set (a pinned utilization is not), and *reason points
 * into health or is NULL.
 */
void health_apply(const struct health *health, uid_t owner,
    struct instance *instance, const char **reason);

#endif
