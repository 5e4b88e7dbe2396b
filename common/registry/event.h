/*
 * What happened to an instance, as svc-watch tells it: the differences between
 * what was told before and what is, named, and printed as one JSON line each
 * (svc-watch(1), EVENTS).
 *
 * Pure: no clock, no store.
 */
#ifndef SVCKIT_REGISTRY_EVENT_H
#define SVCKIT_REGISTRY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"

enum event_kind {
	EVENT_SYNC, /* the whole state */
	EVENT_RESYNC, /* something may have been missed; differences follow */
	EVENT_REGISTER,
	EVENT_CHANGE, /* members of the record, or a status beside it: passing
			 and warning, critical and then unknown */
	EVENT_DRAIN,
	EVENT_UNDRAIN,
	EVENT_EXPIRE,
	EVENT_DOWN, /* critical, or unknown after it could get work */
	EVENT_UP, /* may get work, after critical, unknown or expired */
	EVENT_REMOVE,
	EVENT_RENEW, /* a heartbeat, or a write that changes nothing */
	EVENT_LOAD, /* utilization, by 0.01 or more */
	EVENT_PANIC, /* of a service: too many turned critical, or expired */
	EVENT_CALM, /* of a service: the panic is over */
	EVENT_HANDLER /* a handler failed */
};

const char *event_name(enum event_kind kind);

struct event {
	enum event_kind kind;
	const char *service; /* NULL: of all */
	const char *id; /* NULL: not of an instance */
	const char *reason; /* one clause; NULL: none */
	int64_t at; /* ms since 1970 */
	const struct instance *before; /* or NULL */
	const struct instance *after; /* or NULL */
};

/*
 * Tells fn each event that turns before into after (either may be NULL, not
 * both): none, one, or several, in this order: register, change, drain or
 * undrain, and at most one of expire, down, up; remove alone.  What before and
 * after point to, and event itself, live during the call.
 *
 * A member of the record counts by its value: neither its order nor the space
 * in it does, and "boot", another with each restart of a holder, never does;
 * nor does anything observed but status and draining.  Whoever gets these
 * events knows record, status and draining of every instance: no status is left
 * without an event that has it.
 *
 *	was \ is	works	none	draining	expired
 *	works		change	down	drain		expire
 *	none		up	change	drain		expire
 *	draining	undrain	undrain	-		expire
 *				down
 *	expired		up	down	drain		-
 *
 * (works: passing, warning; none: critical, unknown; change only where the
 * status is another, and down instead where unknown turns out critical.)  The
 * marker of one that expires or has expired is told, too.
 *
 * all: also renew and load, where nothing else changed.  A heartbeat that is
 * not known (0) is none that changed.
 */
void event_differences(const struct instance *before,
    const struct instance *after, bool all, int64_t at,
    void (*fn)(void *argument, const struct event *event), void *argument);

/*
 * Appends the event as one JSON object, no LF:
 *
 *	{"event":"down","service":"render","id":"web1","status":"critical",
 *	 "reason":"connection refused","at":"2026-11-22T10:00:00.000Z"}
 *
 * status is that of after, or before where there is no after.  Behind "at",
 * register has "instance" (the whole line); change has "members" (names of
 * those that differ, sorted), "old" and "new" (objects of these members, less
 * those that were or are absent); load has "utilization".
 */
void event_print(const struct event *event, struct buffer *out);

/*
 * Appends a sync of count instances: {"event":"sync","at":...,"instances":
 * [...]}, no LF.  A state of more than EVENT_SYNC_MAX bytes is told in several
 * lines, all but the last with "more":true behind the instances; returns how
 * many instances this one took, at least one.  Without memory it returns count,
 * and out has failed.
 */
#define EVENT_SYNC_MAX (16UL * 1024 * 1024)
size_t event_print_sync(const struct instance *instances, size_t count,
    int64_t at, struct buffer *out);

#endif
