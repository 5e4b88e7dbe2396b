#include "registry/event.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "line/json.h"
#include "line/json_difference.h"
#include "line/units.h"

/* The least difference of utilization that is told; less than it by what
 * doubles are inexact. */
#define LOAD_STEP (0.01 - 1e-9)

#define STATUS_QUOTED 16 /* room for "\"critical\"" */
/* What a line of a sync may take before the end that it must have. */
#define SYNC_ROOM (EVENT_SYNC_MAX - sizeof("],\"more\":true}"))

/* What a status means for getting work. */
enum standing { WORKS, NONE, DRAINING, EXPIRED };

/* The events of one pair. */
struct telling {
	void (*fn)(void *argument, const struct event *event);
	void *argument;
	struct event event;
	bool told; /* at least one */
};

const char *
event_name(enum event_kind kind)
{
	static const char *const names[] = {
	    [EVENT_SYNC] = "sync",
	    [EVENT_RESYNC] = "resync",
	    [EVENT_REGISTER] = "register",
	    [EVENT_CHANGE] = "change",
	    [EVENT_DRAIN] = "drain",
	    [EVENT_UNDRAIN] = "undrain",
	    [EVENT_EXPIRE] = "expire",
	    [EVENT_DOWN] = "down",
	    [EVENT_UP] = "up",
	    [EVENT_REMOVE] = "remove",
	    [EVENT_RENEW] = "renew",
	    [EVENT_LOAD] = "load",
	    [EVENT_PANIC] = "panic",
	    [EVENT_CALM] = "calm",
	    [EVENT_HANDLER] = "handler",
	};

	return names[kind];
}

/* A state that was read from a file may have but one of both. */
static bool
is_draining(const struct instance *instance)
{
	return instance->draining || instance->status == STATUS_DRAINING;
}

static enum standing
standing_of(const struct instance *instance)
{
	if (instance->status == STATUS_EXPIRED)
		return EXPIRED;
	if (is_draining(instance))
		return DRAINING;
	return status_works(instance->status) ? WORKS : NONE;
}

/* A first result that is bad is news, though neither may get work. */
static bool
found_critical(const struct instance *before, const struct instance *after)
{
	return before->status == STATUS_UNKNOWN &&
	       after->status == STATUS_CRITICAL;
}

/* Whether only change can tell of the status: nothing else does. */
static bool
status_changed(const struct instance *before, const struct instance *after)
{
	return before->status != after->status &&
	       standing_of(before) == standing_of(after) &&
	       !found_critical(before, after);
}

static bool
is_name(struct json_span name, const char *wanted)
{
	return name.length == strlen(wanted) &&
	       memcmp(name.data, wanted, name.length) == 0;
}

/*
 * A pinned utilization that was printed and read back may have other bytes, and
 * is the same number.
 */
static bool
matters(const struct json_change *change, const struct instance *before,
    const struct instance *after)
{
	if (is_name(change->name, "boot"))
		return false;
	return !is_name(change->name, "utilization") || !before->pinned ||
	       !after->pinned || before->utilization != after->utilization;
}

/*
 * The members of the records that differ and matter.  -1: no memory.
 */
static int
find_changes(struct json_difference *difference, const struct instance *before,
    const struct instance *after)
{
	size_t kept = 0;
	size_t i;

	if (json_difference_find(
		difference, before->record, after->record, NULL) == -1)
		return -1;
	for (i = 0; i < difference->count; i++)
		if (matters(&difference->changes[i], before, after))
			difference->changes[kept++] = difference->changes[i];
	difference->count = kept;
	return 0;
}

/* Without memory to tell, it is another: event_print() then fails. */
static bool
record_changed(const struct instance *before, const struct instance *after)
{
	struct json_difference difference;
	bool changed;

	if (find_changes(&difference, before, after) == -1)
		return true;
	changed = difference.count > 0;
	json_difference_release(&difference);
	return changed;
}

static void
tell(struct telling *telling, enum event_kind kind, const char *reason)
{
	telling->event.kind = kind;
	telling->event.reason = reason;
	telling->told = true;
	telling->fn(telling->argument, &telling->event);
}

/* Why an instance has the status it has. */
static const char *
reason_of(const struct instance *instance)
{
	if (instance->reason != NULL && instance->reason[0] != '\0')
		return instance->reason;
	if (instance->status == STATUS_UNKNOWN)
		return "no result yet";
	return status_name(instance->status);
}

static const char *
expiry_of(const struct instance *instance)
{
	switch (instance->lease) {
	case LEASE_TTL:
		return "no heartbeat for its ttl";
	case LEASE_LOCK:
		return "its holder is gone";
	case LEASE_NONE:
		break;
	}
	return "expired";
}

static void
tell_change(struct telling *telling, const struct instance *before,
    const struct instance *after)
{
	if (record_changed(before, after))
		tell(telling, EVENT_CHANGE, "another record");
	else if (status_changed(before, after))
		tell(telling, EVENT_CHANGE, reason_of(after));
}

static void
tell_marker(struct telling *telling, const struct instance *before,
    const struct instance *after)
{
	if (!is_draining(before) && is_draining(after))
		tell(telling, EVENT_DRAIN, "draining");
	else if (is_draining(before) && !is_draining(after))
		tell(telling, EVENT_UNDRAIN, "draining no more");
	else if (standing_of(before) == EXPIRED &&
		 standing_of(after) == DRAINING)
		tell(telling, EVENT_DRAIN, "renewed");
}

static void
tell_standing(struct telling *telling, const struct instance *before,
    const struct instance *after)
{
	enum standing was = standing_of(before), is = standing_of(after);

	if (was == is && !found_critical(before, after))
		return;
	if (is == EXPIRED)
		tell(telling, EVENT_EXPIRE, expiry_of(after));
	else if (is == NONE)
		tell(telling, EVENT_DOWN, reason_of(after));
	else if (is == WORKS && was == EXPIRED)
		tell(telling, EVENT_UP, "renewed");
	else if (is == WORKS && was == NONE)
		tell(telling, EVENT_UP, reason_of(after));
}

/* What is no event of its own for most. */
static void
tell_rest(struct telling *telling, const struct instance *before,
    const struct instance *after)
{
	if (before->heartbeat != 0 && after->heartbeat != 0 &&
	    before->heartbeat != after->heartbeat)
		tell(telling, EVENT_RENEW, "renewed");
	if (fabs(before->utilization - after->utilization) >= LOAD_STEP)
		tell(telling, EVENT_LOAD, "another utilization");
}

void
event_differences(const struct instance *before, const struct instance *after,
    bool all, int64_t at, void (*fn)(void *argument, const struct event *event),
    void *argument)
{
	const struct instance *named = after != NULL ? after : before;
	struct telling telling = {.fn = fn, .argument = argument};

	telling.event = (struct event){.service = named->service,
	    .id = named->id,
	    .at = at,
	    .before = before,
	    .after = after};
	if (before == NULL) {
		tell(&telling, EVENT_REGISTER, "registered");
		return;
	}
	if (after == NULL) {
		tell(&telling, EVENT_REMOVE,
		    before->status == STATUS_EXPIRED ? "expired" : "removed");
		return;
	}
	tell_change(&telling, before, after);
	tell_marker(&telling, before, after);
	tell_standing(&telling, before, after);
	if (all && !telling.told)
		tell_rest(&telling, before, after);
}

static void
append_text(struct buffer *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, text, strlen(text));
}

/* "old" or "new": the members that are there on this side. */
static void
append_side(
    struct buffer *out, const struct json_difference *difference, bool after)
{
	const struct json_change *change;
	struct json_span value;
	bool first = true;
	size_t i;

	buffer_append_string(out, after ? ",\"new\":{" : ",\"old\":{");
	for (i = 0; i < difference->count; i++) {
		change = &difference->changes[i];
		value = after ? change->after : change->before;
		if (value.data == NULL)
			continue;
		if (!first)
			buffer_append_char(out, ',');
		first = false;
		json_append_string(out, change->name.data, change->name.length);
		buffer_append_char(out, ':');
		json_append_line(out, value);
	}
	buffer_append_char(out, '}');
}

/* A status as a member that differs. */
static struct json_span
quote_status(char quoted[STATUS_QUOTED], enum instance_status status)
{
	int length =
	    snprintf(quoted, STATUS_QUOTED, "\"%s\"", status_name(status));

	return (struct json_span){quoted, (size_t)length};
}

static void
append_members(struct buffer *out, const struct json_difference *difference)
{
	size_t i;

	buffer_append_string(out, ",\"members\":[");
	for (i = 0; i < difference->count; i++) {
		if (i > 0)
			buffer_append_char(out, ',');
		json_append_string(out, difference->changes[i].name.data,
		    difference->changes[i].name.length);
	}
	buffer_append_char(out, ']');
}

/* The members of the records, and a status that changed beside them. */
static void
append_changes(struct buffer *out, const struct instance *before,
    const struct instance *after)
{
	struct json_difference difference;
	struct json_change status = {.name = {"status", strlen("status")}};
	char was[STATUS_QUOTED], is[STATUS_QUOTED];

	if (find_changes(&difference, before, after) == -1) {
		out->failed = true;
		return;
	}
	if (status_changed(before, after)) {
		status.before = quote_status(was, before->status);
		status.after = quote_status(is, after->status);
		if (json_difference_add(&difference, &status, NULL) == -1)
			out->failed = true;
	}
	append_members(out, &difference);
	append_side(out, &difference, false);
	append_side(out, &difference, true);
	json_difference_release(&difference);
}

/* What only this kind of event has. */
static void
append_own(struct buffer *out, const struct event *event)
{
	const struct instance *before = event->before, *after = event->after;

	if (event->kind == EVENT_REGISTER && after != NULL) {
		buffer_append_string(out, ",\"instance\":");
		instance_print(after, out);
	} else if (event->kind == EVENT_CHANGE && before != NULL &&
		   after != NULL) {
		append_changes(out, before, after);
	} else if (event->kind == EVENT_LOAD && after != NULL) {
		buffer_append_string(out, ",\"utilization\":");
		json_append_number(out, after->utilization);
	}
}

static void
append_at(struct buffer *out, int64_t at)
{
	buffer_append_string(out, ",\"at\":\"");
	time_append(out, at);
	buffer_append_char(out, '"');
}

void
event_print(const struct event *event, struct buffer *out)
{
	const struct instance *instance =
	    event->after != NULL ? event->after : event->before;

	buffer_append_string(out, "{\"event\":\"");
	buffer_append_string(out, event_name(event->kind));
	buffer_append_char(out, '"');
	append_text(out, "service", event->service);
	append_text(out, "id", event->id);
	if (instance != NULL)
		append_text(out, "status", status_name(instance->status));
	append_text(out, "reason", event->reason);
	append_at(out, event->at);
	append_own(out, event);
	buffer_append_char(out, '}');
}

size_t
event_print_sync(const struct instance *instances, size_t count, int64_t at,
    struct buffer *out)
{
	size_t start = out->length;
	size_t mark;
	size_t i;

	buffer_append_string(out, "{\"event\":\"sync\"");
	append_at(out, at);
	buffer_append_string(out, ",\"instances\":[");
	for (i = 0; i < count; i++) {
		mark = out->length;
		if (i > 0)
			buffer_append_char(out, ',');
		instance_print(&instances[i], out);
		if (i > 0 && out->length - start > SYNC_ROOM) {
			out->length = mark;
			break;
		}
	}
	buffer_append_char(out, ']');
	if (i < count)
		buffer_append_string(out, ",\"more\":true");
	buffer_append_char(out, '}');
	return buffer_failed(out) ? count : i;
}
