/*
 * Health: what a prober observed of a service's instances.
 *
 * health/NAME is written whole by the service's one prober, a line an instance:
 *
 *	{"panic":"critical","since":"2026-11-22T10:00:00.000Z"}
 *	{"id":"web1","status":"critical","utilization":0.4,"latency_ms":2.5,
 *	 "checked":"2026-11-22T10:00:00.000Z",
 *	 "since":"2026-11-22T09:59:55.000Z","flaps":3,
 *	 "reason":"connection refused"}
 *
 * The first of these stands at the head of the file, or not at all: so much of
 * the service turned critical (or "expired") at once that the fault is more
 * likely the prober's, the network's or the clock's; readers then serve all of
 * it.  An empty line says nothing.
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

enum health_panic { PANIC_NONE, PANIC_CRITICAL, PANIC_EXPIRED };

struct health_line {
	char *id;
	enum instance_status status; /* passing, warning or critical */
	double utilization; /* negative: not said */
	double latency_ms; /* negative: not said */
	int64_t checked; /* ms since 1970; 0: not said */
	int64_t since; /* when the status began; the same */
	unsigned long flaps; /* changes of status since it was first probed */
	char *reason; /* or NULL */
};

struct health {
	bool fresh; /* else nothing below counts */
	double ends; /* seconds until it is not fresh any more */
	bool trusted; /* by all; else only for records of owner */
	uid_t owner;
	enum health_panic panic;
	int64_t panic_since; /* ms since 1970 */
	struct health_line *lines; /* sorted by id */
	size_t count;
	size_t capacity;
};

/* Reads the health of service; a line that cannot be read is warned of and
 * skipped.  Absent or stale: 0 and not fresh.  0, -1. */
int health_read(struct health *health, struct registry *registry,
    const char *service, struct svc_error *error);
void health_release(struct health *health);

/* What it says of id, or NULL. */
const struct health_line *health_find(
    const struct health *health, const char *id);

/*
 * Takes the text of a health file apart into health, which is emptied before;
 * fresh, trusted and owner are the caller's.  bad is told of the lines that
 * cannot be read, or NULL.  -1: no memory.
 */
int health_parse(struct health *health, const char *text, size_t length,
    void (*bad)(void *argument), void *argument);

/*
 * What the prober says of an instance whose record belongs to owner: its status
 * and measurements are set (over a utilization that its holder reported, not
 * over a pinned one), and *reason points into health or is NULL.
 */
void health_apply(const struct health *health, uid_t owner,
    struct instance *instance, const char **reason);

/*
 * Whether a panic serves the instance, whose status stands and whose record
 * belongs to owner: what is not expired, and in one of expiry also those whose
 * ttl ran out.  Draining is the caller's.
 */
bool health_overrides(
    const struct health *health, uid_t owner, const struct instance *instance);

#endif
