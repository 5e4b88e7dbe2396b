/* Events as lines of a table: see event_table.h. */
#include "ui/event_table.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "line/status.h"
#include "line/units.h"
#include "ui/cell.h"

#define EVENT_WIDTH 8 /* "register" */
/* One instance with a long name does not push all others to the right. */
#define PLACE_WIDTH_MAX 40

/* As libsmartcols makes those of the table of instances. */
static const char *const status_colors[STATUS_COUNT] = {
    [STATUS_PASSING] = "\033[32m",
    [STATUS_WARNING] = "\033[33m",
    [STATUS_UNKNOWN] = "\033[36m",
    [STATUS_CRITICAL] = "\033[31m",
    [STATUS_DRAINING] = "\033[34m",
    [STATUS_EXPIRED] = "\033[1;30m",
};
#define COLOR_END "\033[0m"

/* What a sync says of all instances. */
struct summary {
	size_t instances;
	size_t services;
	size_t by_status[STATUS_COUNT];
};

static bool
get(struct json_span object, const char *name, enum json_type type,
    struct json_value *value)
{
	return json_path(object, name, value) == 1 && value->type == type;
}

/* What stands between the quotes of a string. */
static struct json_span
inner(const struct json_value *value)
{
	return (struct json_span){value->span.data + 1, value->span.length - 2};
}

/* Whether there is one, and it is not "". */
static bool
get_text(struct json_span object, const char *name, struct json_value *value)
{
	return get(object, name, JSON_STRING, value) && value->span.length > 2;
}

static bool
event_is(struct json_span event, const char *name)
{
	struct json_value value;

	return get_text(event, "event", &value) &&
	       json_text_is(inner(&value), name, strlen(name));
}

static int
get_status(struct json_span object, enum instance_status *status)
{
	struct json_value value;

	return get_text(object, "status", &value)
		   ? status_parse(
			 value.span.data + 1, value.span.length - 2, status)
		   : 0;
}

static void
append_time(struct json_span event, struct buffer *out)
{
	struct json_value at;
	char text[64];
	int64_t when;
	time_t seconds;
	struct tm local;

	if (!get(event, "at", JSON_STRING, &at) ||
	    json_string(&at, text, sizeof(text)) == -1 ||
	    time_parse(text, 0, &when, NULL) == -1) {
		buffer_append_string(out, "--:--:--");
		return;
	}
	seconds = (time_t)(when / 1000);
	if (localtime_r(&seconds, &local) != NULL)
		buffer_append_format(out, "%02d:%02d:%02d", local.tm_hour,
		    local.tm_min, local.tm_sec);
}

/* Fills up what was appended since start to width columns. */
static void
pad(struct buffer *out, size_t start, size_t width)
{
	while (!buffer_failed(out) && out->length - start < width)
		buffer_append_char(out, ' ');
}

static void
append_event(struct json_span event, struct buffer *out)
{
	size_t start = out->length;
	struct json_value name;

	if (get(event, "event", JSON_STRING, &name))
		cell_value(&name, out);
	pad(out, start, EVENT_WIDTH);
	buffer_append_char(out, ' ');
}

/* Makes room for a name of length bytes, all of them ASCII. */
static void
widen(struct event_table *table, size_t length)
{
	if (length > PLACE_WIDTH_MAX)
		length = PLACE_WIDTH_MAX;
	if (length > table->width)
		table->width = length;
}

/* What it happened to; events of everything have no such column. */
static void
append_place(
    struct event_table *table, struct json_span event, struct buffer *out)
{
	size_t start = out->length;
	struct json_value service, id;

	if (!get_text(event, "service", &service))
		return;
	cell_value(&service, out);
	if (get_text(event, "id", &id)) {
		buffer_append_char(out, '/');
		cell_value(&id, out);
	}
	widen(table, out->length - start);
	pad(out, start, table->width);
	buffer_append_string(out, "  ");
}

static void
append_status(enum instance_status status, bool color, struct buffer *out)
{
	if (color)
		buffer_append_string(out, status_colors[status]);
	buffer_append_string(out, status_name(status));
	if (color)
		buffer_append_string(out, COLOR_END);
}

/*
 * "critical: connection refused".  What was removed has no status, and a reason
 * that only names the status is none.
 */
static void
append_reason(struct json_span event, bool color, struct buffer *out)
{
	enum instance_status status;
	struct json_value reason;
	const char *name = "";

	if (!event_is(event, "remove") && get_status(event, &status) == 1) {
		append_status(status, color, out);
		name = status_name(status);
	}
	if (!get_text(event, "reason", &reason) ||
	    json_text_is(inner(&reason), name, strlen(name)))
		return;
	if (name[0] != '\0')
		buffer_append_string(out, ": ");
	cell_value(&reason, out);
}

/* The names of the members that differ, but that of status; false: none. */
static bool
append_members(struct json_span event, bool *status, struct buffer *out)
{
	struct json_value members, member;
	const char *cursor;
	bool any = false;

	*status = false;
	if (!get(event, "members", JSON_ARRAY, &members))
		return false;
	cursor = members.span.data;
	while (json_next_element(members.span, &cursor, &member) == 1) {
		if (member.type == JSON_STRING &&
		    json_text_is(inner(&member), "status", 6)) {
			*status = true;
			continue;
		}
		if (any)
			buffer_append_string(out, ", ");
		cell_value(&member, out);
		any = true;
	}
	return any;
}

static void
append_change(struct json_span event, bool color, struct buffer *out)
{
	bool status, any = append_members(event, &status, out);

	if (any && status)
		buffer_append_string(out, "; ");
	if (!any || status)
		append_reason(event, color, out);
}

static void
count_instances(
    struct json_span event, struct event_table *table, struct summary *summary)
{
	struct json_value instances, instance, service, id, before = {0};
	const char *cursor;
	enum instance_status status;

	memset(summary, 0, sizeof(*summary));
	if (!get(event, "instances", JSON_ARRAY, &instances))
		return;
	cursor = instances.span.data;
	while (json_next_element(instances.span, &cursor, &instance) == 1) {
		summary->instances++;
		if (instance.type != JSON_OBJECT ||
		    !get_text(instance.span, "service", &service) ||
		    !get_text(instance.span, "id", &id))
			continue;
		if (before.span.data == NULL ||
		    !json_text_equal(inner(&before), inner(&service)))
			summary->services++;
		before = service;
		widen(table, inner(&service).length + 1 + inner(&id).length);
		if (get_status(instance.span, &status) == 1)
			summary->by_status[status]++;
	}
}

static void
append_count(struct buffer *out, size_t count, const char *what)
{
	buffer_append_format(
	    out, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

static void
append_sync(struct event_table *table, struct json_span event, bool color,
    struct buffer *out)
{
	struct json_value more;
	struct summary summary;
	const char *before = ": ";
	int status;

	count_instances(event, table, &summary);
	append_count(out, summary.instances, "instance");
	if (summary.services > 0) {
		buffer_append_string(out, " of ");
		append_count(out, summary.services, "service");
	}
	for (status = 0; status < STATUS_COUNT; status++) {
		if (summary.by_status[status] == 0)
			continue;
		buffer_append_format(
		    out, "%s%zu ", before, summary.by_status[status]);
		append_status((enum instance_status)status, color, out);
		before = ", ";
	}
	if (get(event, "more", JSON_TRUE, &more))
		buffer_append_string(out, "; more follow");
}

void
event_table_append(struct event_table *table, struct json_span event,
    bool color, struct buffer *out)
{
	append_time(event, out);
	buffer_append_string(out, "  ");
	append_event(event, out);
	append_place(table, event, out);
	if (event_is(event, "sync"))
		append_sync(table, event, color, out);
	else if (event_is(event, "change"))
		append_change(event, color, out);
	else
		append_reason(event, color, out);
	while (out->length > 0 && out->data[out->length - 1] == ' ')
		out->length--;
	buffer_append_char(out, '\n');
}
