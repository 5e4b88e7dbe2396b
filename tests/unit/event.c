/* Differences of instances, named and printed. */
#include <stdlib.h>

#include "check.h"
#include "line/instance.h"
#include "line/json.h"
#include "line/json_difference.h"
#include "registry/event.h"

#define RECORD(members)                    \
	"{\"service\":\"r\",\"id\":\"a\"," \
	"\"address\":\"http://h:1/task\"" members "}"
#define IS(status)     RECORD(",\"status\":\"" status "\"")
#define DRAINS(status) RECORD(",\"status\":\"" status "\",\"draining\":true")
#define BECAUSE(status, reason) \
	RECORD(",\"status\":\"" status "\",\"reason\":\"" reason "\"")
#define BEGINS(event, status, reason)                              \
	"{\"event\":\"" event "\",\"service\":\"r\",\"id\":\"a\"," \
	"\"status\":\"" status "\",\"reason\":\"" reason "\","     \
	"\"at\":\"2026-11-22T10:00:00.250Z\""
#define TOLD(event, status, reason) BEGINS(event, status, reason) "}\n"
#define TOLD_CHANGE(status, reason, members, old, new) \
	BEGINS("change", status, reason)               \
	",\"members\":[" members "],\"old\":{" old "},\"new\":{" new "}}\n"

#define AT	1795341600250
#define ROUNDS	20000
#define MEMBERS 8000

static void
parse(struct instance *instance, const char *line, size_t length)
{
	struct svc_error error;

	if (CHECK(instance_parse(instance, line, length, &error) == 0))
		return;
	printf("# %.*s: %s\n", (int)length, line, error.message);
	exit(1);
}

static void
print_line(void *argument, const struct event *event)
{
	struct buffer *lines = argument;

	event_print(event, lines);
	buffer_append_char(lines, '\n');
}

/* The lines that turn before into after, each NULL or an instance line. */
static void
difference_is(const char *before, const char *after, bool all, const char *want)
{
	struct instance was = {0}, is = {0};
	struct buffer lines = BUFFER_INIT;

	if (before != NULL)
		parse(&was, before, strlen(before));
	if (after != NULL)
		parse(&is, after, strlen(after));
	event_differences(before == NULL ? NULL : &was,
	    after == NULL ? NULL : &is, all, AT, print_line, &lines);
	if (!CHECK_STRING(buffer_string(&lines), want))
		printf("# of %s\n# to %s\n", before, after);
	instance_release(&was);
	instance_release(&is);
	buffer_release(&lines);
}

static void
each_pair_makes_its_lines(void)
{
	static const struct {
		const char *before, *after, *lines;
	} rows[] = {
	    {IS("passing"), IS("passing"), ""},
	    {IS("passing"), IS("warning"),
		TOLD_CHANGE("warning", "warning", "\"status\"",
		    "\"status\":\"passing\"", "\"status\":\"warning\"")},
	    {IS("passing"), BECAUSE("warning", "429"),
		TOLD_CHANGE("warning", "429", "\"status\"",
		    "\"status\":\"passing\"", "\"status\":\"warning\"")},
	    {BECAUSE("critical", "refused"), IS("unknown"),
		TOLD_CHANGE("unknown", "no result yet", "\"status\"",
		    "\"status\":\"critical\"", "\"status\":\"unknown\"")},
	    {IS("passing"), BECAUSE("critical", "refused"),
		TOLD("down", "critical", "refused")},
	    {IS("warning"), IS("critical"),
		TOLD("down", "critical", "critical")},
	    {IS("passing"), IS("unknown"),
		TOLD("down", "unknown", "no result yet")},
	    {IS("unknown"), IS("passing"), TOLD("up", "passing", "passing")},
	    {IS("unknown"), BECAUSE("critical", "refused"),
		TOLD("down", "critical", "refused")},
	    {BECAUSE("critical", "refused"), BECAUSE("warning", "429"),
		TOLD("up", "warning", "429")},
	    {BECAUSE("critical", "refused"), BECAUSE("critical", "reset"), ""},
	    {IS("passing"), DRAINS("draining"),
		TOLD("drain", "draining", "draining")},
	    {IS("critical"), DRAINS("draining"),
		TOLD("drain", "draining", "draining")},
	    {DRAINS("draining"), DRAINS("draining"), ""},
	    {DRAINS("draining"), IS("draining"), ""},
	    {DRAINS("draining"), IS("passing"),
		TOLD("undrain", "passing", "draining no more")},
	    {DRAINS("draining"), BECAUSE("critical", "refused"),
		TOLD("undrain", "critical", "draining no more")
		    TOLD("down", "critical", "refused")},
	    {IS("passing"), IS("expired"),
		TOLD("expire", "expired", "expired")},
	    {RECORD(",\"lease\":\"ttl\",\"ttl\":5"),
		RECORD(",\"lease\":\"ttl\",\"ttl\":5,\"status\":\"expired\""),
		TOLD("expire", "expired", "no heartbeat for its ttl")},
	    {RECORD(",\"lease\":\"lock\""),
		RECORD(",\"lease\":\"lock\",\"status\":\"expired\""),
		TOLD("expire", "expired", "its holder is gone")},
	    {IS("expired"), IS("passing"), TOLD("up", "passing", "renewed")},
	    {IS("expired"), BECAUSE("critical", "refused"),
		TOLD("down", "critical", "refused")},
	    {IS("expired"), DRAINS("expired"),
		TOLD("drain", "expired", "draining")},
	    {DRAINS("expired"), IS("expired"),
		TOLD("undrain", "expired", "draining no more")},
	    {DRAINS("expired"), DRAINS("draining"),
		TOLD("drain", "draining", "renewed")},
	    {IS("expired"), DRAINS("draining"),
		TOLD("drain", "draining", "draining")},
	    {DRAINS("expired"), IS("passing"),
		TOLD("undrain", "passing", "draining no more")
		    TOLD("up", "passing", "renewed")},
	    {DRAINS("draining"), DRAINS("expired"),
		TOLD("expire", "expired", "expired")},
	    {IS("passing"), DRAINS("expired"),
		TOLD("drain", "expired", "draining")
		    TOLD("expire", "expired", "expired")},
	    {IS("passing"), NULL, TOLD("remove", "passing", "removed")},
	    {DRAINS("draining"), NULL, TOLD("remove", "draining", "removed")},
	    {IS("expired"), NULL, TOLD("remove", "expired", "expired")},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		difference_is(
		    rows[i].before, rows[i].after, false, rows[i].lines);
		difference_is(
		    rows[i].before, rows[i].after, true, rows[i].lines);
	}
}

static void
a_record_that_differs_is_told_with_what_differs(void)
{
	static const struct {
		const char *before, *after, *lines;
	} rows[] = {
	    {RECORD(",\"labels\":{\"z\":\"1\"},\"n\":1,\"gone\":[1, 2]"),
		RECORD(",\"new\":{\"a\" : \"b c\"},\"labels\":{\"z\":\"2\"},"
		       "\"n\":1"),
		TOLD_CHANGE("passing", "another record",
		    "\"gone\",\"labels\",\"new\"",
		    "\"gone\":[1, 2],\"labels\":{\"z\":\"1\"}",
		    "\"labels\":{\"z\":\"2\"},\"new\":{\"a\" : \"b c\"}")},
	    {RECORD(",\"u\":1,\"a\":0"),
		RECORD(",\"u\":2,\"a\":1,\"status\":\"warning\","
		       "\"reason\":\"429\""),
		TOLD_CHANGE("warning", "another record",
		    "\"a\",\"status\",\"u\"",
		    "\"a\":0,\"status\":\"passing\",\"u\":1",
		    "\"a\":1,\"status\":\"warning\",\"u\":2")},
	    {RECORD(",\"u\":1"),
		RECORD(",\"u\":2,\"status\":\"critical\",\"reason\":\"reset\""),
		TOLD_CHANGE("critical", "another record", "\"u\"", "\"u\":1",
		    "\"u\":2") TOLD("down", "critical", "reset")},
	    {RECORD(",\"utilization\":0.5"), RECORD(""),
		TOLD_CHANGE("passing", "another record", "\"utilization\"",
		    "\"utilization\":0.5", "")},
	    {RECORD(",\"utilization\":0.5"), RECORD(",\"utilization\":0.6"),
		TOLD_CHANGE("passing", "another record", "\"utilization\"",
		    "\"utilization\":0.5", "\"utilization\":0.6")},
	    /* A string that looks like space, and one like an end. */
	    {RECORD(",\"x\":\"a b\\\" \""), RECORD(",\"x\":\"a b\\\"  \""),
		TOLD_CHANGE("passing", "another record", "\"x\"",
		    "\"x\":\"a b\\\" \"", "\"x\":\"a b\\\"  \"")},
	    {RECORD(",\"x\":\"a\\nb\""), RECORD(",\"x\":\"a\\tb\""),
		TOLD_CHANGE("passing", "another record", "\"x\"",
		    "\"x\":\"a\\nb\"", "\"x\":\"a\\tb\"")},
	    {RECORD(",\"x\":{\"y\":{\"z\":1}}"),
		RECORD(",\"x\":{\"y\":{\"z\":1,\"\":1}}"),
		TOLD_CHANGE("passing", "another record", "\"x\"",
		    "\"x\":{\"y\":{\"z\":1}}",
		    "\"x\":{\"y\":{\"z\":1,\"\":1}}")},
	    {RECORD(",\"\":1"), RECORD(",\"\\n\\u0000\":1"),
		TOLD_CHANGE("passing", "another record", "\"\",\"\\n\\u0000\"",
		    "\"\":1", "\"\\n\\u0000\":1")},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		difference_is(
		    rows[i].before, rows[i].after, false, rows[i].lines);
}

static void
what_does_not_matter_is_no_change(void)
{
	static const char *const rows[][2] = {
	    {RECORD(",\"a\":1,\"b\":[1,{\"c\":2}]"),
		RECORD(" , \"b\" : [ 1 , { \"c\" : 2 } ] , \"a\" : 1 ")},
	    {RECORD(",\"labels\":{\"a\":\"1\",\"b\":\"2\"}"),
		RECORD(",\"labels\":{\"b\":\"2\",\"a\":\"1\"}")},
	    {RECORD(",\"meta\":{\"x\":{\"a\":1,\"b\":2},\"y\":0}"),
		RECORD(",\"meta\":{\"y\":0,\"x\":{\"b\":2,\"a\":1}}")},
	    {RECORD(",\"name\":1"), RECORD(",\"n\\u0061me\":1")},
	    {RECORD(",\"x\":1,\"x\":2"), RECORD(",\"x\":2")},
	    {RECORD(",\"lease\":\"lock\",\"boot\":\"one\""),
		RECORD(",\"lease\":\"lock\",\"boot\":\"two\"")},
	    {RECORD(",\"lease\":\"lock\",\"boot\":\"one\""),
		RECORD(",\"lease\":\"lock\"")},
	    {RECORD(",\"status\":\"passing\",\"owner\":\"a\",\"age\":1,"
		    "\"latency_ms\":2,\"checked\":\"2026-11-22T10:00:00Z\""),
		RECORD(",\"status\":\"passing\",\"owner\":\"b\"")},
	    {RECORD(",\"utilization\":0.50"),
		RECORD(",\"status\":\"passing\",\"utilization\":0.5,"
		       "\"pinned\":true")},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		difference_is(rows[i][0], rows[i][1], true, "");
		difference_is(rows[i][1], rows[i][0], true, "");
	}
}

static void
a_register_has_the_whole_line(void)
{
	difference_is(NULL,
	    RECORD(",\"utilization\":0.50,\"labels\":{\"z\":\"\\u00e4\"}"),
	    false,
	    "{\"event\":\"register\",\"service\":\"r\",\"id\":\"a\","
	    "\"status\":\"passing\",\"reason\":\"registered\","
	    "\"at\":\"2026-11-22T10:00:00.250Z\",\"instance\":"
	    "{\"service\":\"r\",\"id\":\"a\",\"address\":\"http://h:1/task\","
	    "\"labels\":{\"z\":\"\\u00e4\"},\"status\":\"passing\","
	    "\"utilization\":0.5,\"pinned\":true}}\n");
	difference_is(NULL, DRAINS("expired"), true,
	    "{\"event\":\"register\",\"service\":\"r\",\"id\":\"a\","
	    "\"status\":\"expired\",\"reason\":\"registered\","
	    "\"at\":\"2026-11-22T10:00:00.250Z\",\"instance\":"
	    "{\"service\":\"r\",\"id\":\"a\",\"address\":\"http://h:1/task\","
	    "\"status\":\"expired\",\"utilization\":0,\"draining\":true}}\n");
}

static void
load_and_heartbeats_are_told_only_when_asked_for(void)
{
	struct instance before, after;
	struct buffer lines = BUFFER_INIT;

	difference_is(RECORD(",\"status\":\"passing\",\"utilization\":0.28"),
	    RECORD(",\"status\":\"passing\",\"utilization\":0.9"), false, "");
	difference_is(RECORD(",\"status\":\"passing\",\"utilization\":0.28"),
	    RECORD(",\"status\":\"passing\",\"utilization\":0.289"), true, "");
	difference_is(RECORD(",\"status\":\"passing\",\"utilization\":0.28"),
	    RECORD(",\"status\":\"passing\",\"utilization\":0.29"), true,
	    "{\"event\":\"load\",\"service\":\"r\",\"id\":\"a\","
	    "\"status\":\"passing\",\"reason\":\"another utilization\","
	    "\"at\":\"2026-11-22T10:00:00.250Z\",\"utilization\":0.29}\n");
	/* Beside another event neither is told. */
	difference_is(RECORD(",\"status\":\"passing\",\"utilization\":0.2"),
	    RECORD(",\"status\":\"critical\",\"utilization\":0.9"), true,
	    TOLD("down", "critical", "critical"));
	parse(&before, IS("passing"), strlen(IS("passing")));
	parse(&after, IS("passing"), strlen(IS("passing")));
	after.heartbeat = AT;
	event_differences(&before, &after, true, AT, print_line, &lines);
	CHECK(lines.length == 0);
	before.heartbeat = AT - 1;
	event_differences(&before, &after, false, AT, print_line, &lines);
	CHECK(lines.length == 0);
	event_differences(&before, &after, true, AT, print_line, &lines);
	CHECK_STRING(
	    buffer_string(&lines), TOLD("renew", "passing", "renewed"));
	instance_release(&before);
	instance_release(&after);
	buffer_release(&lines);
}

static void
every_string_is_escaped(void)
{
	struct event event = {.kind = EVENT_HANDLER,
	    .service = "r",
	    .reason = "said \"no\"\n\xff\x1b[0m",
	    .at = AT};
	struct buffer line = BUFFER_INIT;

	event_print(&event, &line);
	CHECK(json_valid(line.data, line.length));
	CHECK_STRING(buffer_string(&line),
	    "{\"event\":\"handler\",\"service\":\"r\",\"reason\":"
	    "\"said \\\"no\\\"\\n\xef\xbf\xbd\\u001b[0m\","
	    "\"at\":\"2026-11-22T10:00:00.250Z\"}");
	buffer_clear(&line);
	event = (struct event){.kind = EVENT_RESYNC, .at = AT};
	event_print(&event, &line);
	CHECK_STRING(buffer_string(&line),
	    "{\"event\":\"resync\",\"at\":\"2026-11-22T10:00:00.250Z\"}");
	buffer_release(&line);
}

/* Members m0 to m7999, forwards or backwards; the value of one is odd. */
static void
many_members(struct buffer *record, bool backwards, int odd)
{
	int i, n;

	buffer_append_string(record, "{\"service\":\"r\",\"id\":\"a\","
				     "\"address\":\"http://h:1/task\"");
	for (i = 0; i < MEMBERS; i++) {
		n = backwards ? MEMBERS - 1 - i : i;
		buffer_append_format(
		    record, ",\"%x\":%d", (unsigned)n, n == odd);
	}
	buffer_append_char(record, '}');
}

static void
thousands_of_members_in_another_order_are_the_same(void)
{
	struct buffer one = BUFFER_INIT, two = BUFFER_INIT, odd = BUFFER_INIT;

	many_members(&one, false, -1);
	many_members(&two, true, -1);
	many_members(&odd, true, 0x123);
	difference_is(buffer_string(&one), buffer_string(&two), false, "");
	difference_is(buffer_string(&one), buffer_string(&odd), false,
	    TOLD_CHANGE("passing", "another record", "\"123\"", "\"123\":0",
		"\"123\":1"));
	buffer_release(&one);
	buffer_release(&two);
	buffer_release(&odd);
}

static void
an_empty_state_is_a_sync_of_nothing(void)
{
	struct buffer line = BUFFER_INIT;

	CHECK(event_print_sync(NULL, 0, AT, &line) == 0);
	CHECK_STRING(buffer_string(&line),
	    "{\"event\":\"sync\",\"at\":\"2026-11-22T10:00:00.250Z\","
	    "\"instances\":[]}");
	buffer_release(&line);
}

/* How many instances a sync line has; whether more follow. */
static size_t
count_synced(const struct buffer *line, bool *more)
{
	struct json_span text = {line->data, line->length};
	struct json_value list, element, value;
	const char *cursor;
	size_t count = 0;

	CHECK(json_valid(line->data, line->length));
	*more = json_path(text, "more", &value) == 1 && value.type == JSON_TRUE;
	if (!CHECK(json_path(text, "instances", &list) == 1))
		return 0;
	cursor = list.span.data;
	while (json_next_element(list.span, &cursor, &element) == 1)
		count++;
	return count;
}

static void
a_large_state_is_told_in_several_lines(void)
{
	struct buffer record = BUFFER_INIT, line = BUFFER_INIT;
	struct instance instances[300];
	size_t count = sizeof(instances) / sizeof(instances[0]);
	size_t done = 0, took, lines = 0, i;
	bool more = true;

	buffer_append_string(&record,
	    "{\"service\":\"r\",\"id\":\"a\",\"address\":\"h:1\",\"x\":\"");
	for (i = 0; i < 60000; i++)
		buffer_append_char(&record, 'x');
	buffer_append_string(&record, "\"}");
	for (i = 0; i < count; i++)
		parse(&instances[i], record.data, record.length);
	while (more && done < count) {
		buffer_clear(&line);
		took =
		    event_print_sync(instances + done, count - done, AT, &line);
		CHECK(line.length <= EVENT_SYNC_MAX);
		CHECK(took > 0 && count_synced(&line, &more) == took);
		CHECK(more == (done + took < count));
		done += took;
		lines++;
	}
	CHECK(done == count && lines == 2);
	for (i = 0; i < count; i++)
		instance_release(&instances[i]);
	buffer_release(&record);
	buffer_release(&line);
}

/* What somebody knows who has read nothing but the events. */
struct model {
	struct instance instance;
	bool present;
};

static const char *
pick(const char *const *of, size_t count)
{
	return of[(size_t)random() % count];
}
#define PICK(array) pick((array), sizeof(array) / sizeof((array)[0]))

/* Members in any order, each maybe absent, with any value and space. */
static void
random_line(struct buffer *line)
{
	static const char *const labels[] = {"", ",\"labels\":{\"z\":\"1\"}",
	    ",\"labels\" : {\"z\":\"2\", \"y\":\"1\"}",
	    ",\"labels\":{\"y\":\"1\",\"z\":\"2\"}"};
	static const char *const others[] = {"", ",\"a\":1", ",\"a\":1.0",
	    ",\"\\u0061\":1", ",\"a\":1,\"b\":null", ",\"b\":null,\"a\":1"};
	static const char *const loads[] = {"", ",\"utilization\":0.5",
	    ",\"utilization\":0.50", ",\"utilization\":0.6"};
	static const char *const boots[] = {
	    "", ",\"boot\":\"1\"", ",\"boot\":\"2\""};
	const char *parts[4] = {
	    PICK(labels), PICK(others), PICK(loads), PICK(boots)};
	size_t i, start = (size_t)random() % 4;

	buffer_clear(line);
	buffer_append_string(line,
	    "{\"service\":\"r\",\"id\":\"a\",\"address\":\"http://h:1/task\"");
	for (i = 0; i < 4; i++)
		buffer_append_string(line, parts[(start + i) % 4]);
	buffer_append_char(line, '}');
}

/* False: there is none. */
static bool
random_instance(struct instance *instance)
{
	static const enum instance_status statuses[] = {STATUS_PASSING,
	    STATUS_PASSING, STATUS_WARNING, STATUS_UNKNOWN, STATUS_CRITICAL,
	    STATUS_EXPIRED};
	struct buffer line = BUFFER_INIT;

	memset(instance, 0, sizeof(*instance));
	if (random() % 8 == 0)
		return false;
	random_line(&line);
	parse(instance, line.data, line.length);
	instance->status = statuses[random() % 6];
	instance->draining = random() % 3 == 0;
	if (instance->draining && instance->status != STATUS_EXPIRED)
		instance->status = STATUS_DRAINING;
	instance->heartbeat = random() % 4;
	CHECK(instance_observe(
		  instance, NULL, random() % 2 ? "refused" : NULL) == 0);
	buffer_release(&line);
	return true;
}

/* The model's record, less the members that differ, with what is new. */
static void
apply_change(struct model *model, struct json_span event)
{
	struct json_value old, new, value;
	struct buffer line = BUFFER_INIT;
	struct json_member member;
	const char *cursor = model->instance.record.data;
	char name[64];
	const char *separator = "{";

	CHECK(json_path(event, "old", &old) == 1 &&
	      json_path(event, "new", &new) == 1);
	while (json_next_member(model->instance.record, &cursor, &member)) {
		struct json_value quoted = {
		    {member.name.data - 1, member.name.length + 2}, JSON_STRING,
		    member.escaped};

		CHECK(json_string(&quoted, name, sizeof(name)) >= 0);
		if (json_path(old.span, name, &value) == 1)
			continue;
		buffer_append_format(&line, "%s\"%s\":%.*s", separator, name,
		    (int)member.value.span.length, member.value.span.data);
		separator = ",";
	}
	for (cursor = new.span.data;
	     json_next_member(new.span, &cursor, &member);) {
		if (json_name_is(&member, "status"))
			continue;
		buffer_append_format(&line, "%s\"%.*s\":%.*s", separator,
		    (int)member.name.length, member.name.data,
		    (int)member.value.span.length, member.value.span.data);
	}
	buffer_append_char(&line, '}');
	instance_release(&model->instance);
	parse(&model->instance, line.data, line.length);
	buffer_release(&line);
}

static void
apply(void *argument, const struct event *event)
{
	struct model *model = argument;
	struct buffer line = BUFFER_INIT;
	bool draining = model->instance.draining;
	struct json_value value;
	struct json_span text;
	char status[16];

	event_print(event, &line);
	CHECK(json_valid(line.data, line.length));
	text = (struct json_span){line.data, line.length};
	CHECK(model->present != (event->kind == EVENT_REGISTER));
	if (event->kind == EVENT_REMOVE) {
		model->present = false;
		instance_release(&model->instance);
	} else if (event->kind == EVENT_REGISTER) {
		model->present = true;
		CHECK(json_path(text, "instance", &value) == 1);
		parse(&model->instance, value.span.data, value.span.length);
		draining = model->instance.draining;
	} else if (event->kind == EVENT_CHANGE) {
		apply_change(model, text);
	}
	if (model->present) {
		model->instance.draining =
		    event->kind == EVENT_DRAIN ||
		    (draining && event->kind != EVENT_UNDRAIN);
		CHECK(json_path(text, "status", &value) == 1 &&
		      json_string(&value, status, sizeof(status)) > 0 &&
		      status_parse(status, strlen(status),
			  &model->instance.status) == 1);
	}
	buffer_release(&line);
}

/* All but "boot", and a pinned utilization, which is compared as a number. */
static bool
same_records(const struct instance *a, const struct instance *b)
{
	struct json_difference difference;
	struct json_span name;
	bool same = true;
	size_t i;

	if (!CHECK(json_difference_find(
		       &difference, a->record, b->record, NULL) == 0))
		return false;
	for (i = 0; i < difference.count; i++) {
		name = difference.changes[i].name;
		same =
		    same &&
		    ((name.length == 4 && memcmp(name.data, "boot", 4) == 0) ||
			(name.length == 11 && a->pinned && b->pinned &&
			    memcmp(name.data, "utilization", 11) == 0));
	}
	json_difference_release(&difference);
	return same;
}

static bool
model_equals(const struct model *model, const struct instance *is, bool present)
{
	const struct instance *known = &model->instance;

	if (!model->present || !present)
		return model->present == present;
	return same_records(known, is) && known->status == is->status &&
	       known->draining == is->draining && known->pinned == is->pinned &&
	       (!is->pinned || known->utilization == is->utilization);
}

static void
who_knows_the_events_knows_the_state(void)
{
	struct instance before = {0}, after;
	struct model model = {0};
	bool was = false, is;
	int i;

	srandom(3);
	for (i = 0; i < ROUNDS; i++) {
		is = random_instance(&after);
		if (was || is)
			event_differences(was ? &before : NULL,
			    is ? &after : NULL, i % 2, AT, apply, &model);
		if (!CHECK(model_equals(&model, &after, is)))
			break;
		instance_release(&before);
		before = after;
		was = is;
	}
	instance_release(&before);
	instance_release(&model.instance);
}

static void
each_kind_has_a_name(void)
{
	int kind, other;

	for (kind = EVENT_SYNC; kind <= EVENT_HANDLER; kind++) {
		for (other = EVENT_SYNC; other < kind; other++)
			CHECK(strcmp(event_name((enum event_kind)kind),
				  event_name((enum event_kind)other)) != 0);
	}
}

int
main(void)
{
	RUN(each_kind_has_a_name);
	RUN(each_pair_makes_its_lines);
	RUN(a_record_that_differs_is_told_with_what_differs);
	RUN(what_does_not_matter_is_no_change);
	RUN(a_register_has_the_whole_line);
	RUN(load_and_heartbeats_are_told_only_when_asked_for);
	RUN(every_string_is_escaped);
	RUN(thousands_of_members_in_another_order_are_the_same);
	RUN(an_empty_state_is_a_sync_of_nothing);
	RUN(a_large_state_is_told_in_several_lines);
	RUN(who_knows_the_events_knows_the_state);
	return check_done();
}
