/* The stream of svc-watch: which events are told of what the view sees. */
#include <stdlib.h>

#include "registry/stream.h"
#include "view_fixture.h"

/* What one is made of, beside its id. */
struct told {
	const char *service;
	const char *id;
	const char *labels; /* the value of "z", or NULL */
	enum instance_status status;
	bool panic;
	int64_t heartbeat;
};
#define IS(service_, id_, labels_, status_, ...)                         \
	{                                                                \
		.service = (service_), .id = (id_), .labels = (labels_), \
		.status = STATUS_##status_, __VA_ARGS__                  \
	}

static struct stream *stream;
static struct buffer lines;
static char log_text[8192]; /* "sync;register a;panic(render);" */
static bool log_more;

static void
take(void *argument, const struct event *event, const struct buffer *line,
    bool more)
{
	size_t length = strlen(log_text);

	CHECK(argument == &lines);
	snprintf(log_text + length, sizeof(log_text) - length,
	    event->id != NULL	     ? "%s %s;"
	    : event->service != NULL ? "%s(%s);"
				     : "%s;",
	    event_name(event->kind),
	    event->id != NULL ? event->id : event->service);
	buffer_append(&lines, line->data, line->length);
	buffer_append_char(&lines, '\n');
	log_more = more;
}

/* Begins with a selector, or NULL, and services, none being all. */
static void
begin(
    const char *expression, const char *const *services, size_t count, bool all)
{
	static struct selector *selector;
	struct stream_options options = {.services = services,
	    .service_count = count,
	    .all = all,
	    .tell = take,
	    .argument = &lines};

	selector_free(selector);
	selector = NULL;
	if (expression != NULL)
		CHECK(selector_parse(&selector, expression, NULL) == 0);
	options.selector = selector;
	CHECK(stream_open(&stream, &options, NULL) == 0);
	buffer_init(&lines);
	log_text[0] = '\0';
}

static void
end(void)
{
	CHECK(!stream_failed(stream));
	stream_close(stream);
	buffer_release(&lines);
}

/* Whether this was told, and nothing else; it is then forgotten. */
static void
told(const char *text)
{
	CHECK_STRING(log_text, text);
	log_text[0] = '\0';
}

static void
make(struct instance *instance, const struct told *from)
{
	char record[512], labels[64] = "";

	if (from->labels != NULL)
		snprintf(labels, sizeof(labels), ",\"labels\":{\"z\":\"%s\"}",
		    from->labels);
	snprintf(record, sizeof(record),
	    "{\"service\":\"%s\",\"id\":\"%s\",\"address\":\"h:1\"%s}",
	    from->service, from->id, labels);
	CHECK(instance_parse(instance, record, strlen(record), NULL) == 0);
	instance->status = from->status;
	instance->panic = from->panic;
	instance->heartbeat = from->heartbeat;
}

static struct instance_list
list_of(const struct told *from, size_t count)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t i;

	for (i = 0; i < count; i++)
		make(instance_list_add(&list), &from[i]);
	return list;
}
#define LIST(...)                             \
	list_of((struct told[]){__VA_ARGS__}, \
	    sizeof((struct told[]){__VA_ARGS__}) / sizeof(struct told))

static void
change(const struct told *before, const struct told *after)
{
	struct instance was, is;

	if (before != NULL)
		make(&was, before);
	if (after != NULL)
		make(&is, after);
	stream_changed(
	    stream, before == NULL ? NULL : &was, after == NULL ? NULL : &is);
	if (before != NULL)
		instance_release(&was);
	if (after != NULL)
		instance_release(&is);
}

static void
a_sync_has_all_that_match_and_leaves_the_list_alone(void)
{
	struct instance_list list = LIST(IS("r", "a", "1", PASSING),
	    IS("r", "b", "2", PASSING), IS("s", "c", "1", PASSING));

	begin("z=1", NULL, 0, false);
	CHECK(stream_sync(stream, &list, NULL) == 0);
	told("sync;");
	CHECK(strstr(buffer_string(&lines), "\"id\":\"a\"") != NULL);
	CHECK(strstr(buffer_string(&lines), "\"id\":\"b\"") == NULL);
	CHECK(strstr(buffer_string(&lines), "\"id\":\"c\"") != NULL);
	CHECK(list.count == 3 && !log_more);
	CHECK(stream_counts(stream).events == 1);
	instance_list_release(&list);
	end();
}

static void
a_sync_of_nothing_is_a_line(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;

	begin(NULL, NULL, 0, false);
	CHECK(stream_sync(stream, &list, NULL) == 0);
	told("sync;");
	CHECK(strstr(buffer_string(&lines), "\"instances\":[]") != NULL);
	end();
}

static void
a_large_sync_is_several_lines_of_one_time(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance *instance;
	size_t room = 40000, syncs = 0, i;
	char *record = malloc(room + 100), id[16];
	const char *at;

	for (i = 0; i < 500; i++) {
		snprintf(id, sizeof(id), "i%03zu", i);
		snprintf(record, room + 100,
		    "{\"service\":\"r\",\"id\":\"%s\",\"address\":\"h:1\","
		    "\"x\":\"%0*d\"}",
		    id, (int)room, 0);
		instance = instance_list_add(&list);
		CHECK(instance_parse(instance, record, strlen(record), NULL) ==
		      0);
	}
	begin(NULL, NULL, 0, false);
	CHECK(stream_sync(stream, &list, NULL) == 0);
	told("sync;sync;");
	CHECK(!log_more);
	for (at = buffer_string(&lines); (at = strstr(at, "\"id\":")) != NULL;
	     at++)
		syncs++;
	CHECK(syncs == 500);
	CHECK(
	    strstr(lines.data, "\"more\":true}\n{\"event\":\"sync\"") != NULL);
	instance_list_release(&list);
	free(record);
	end();
}

static void
to_match_by_a_change_is_to_come_and_to_go(void)
{
	struct told one = IS("r", "a", "1", PASSING);
	struct told two = IS("r", "a", "2", PASSING);

	begin("z=1", NULL, 0, false);
	change(NULL, &two);
	told("");
	change(&two, &one);
	told("register a;");
	CHECK(strstr(buffer_string(&lines),
		  "\"reason\":\"it matches by what changed\"") != NULL);
	change(&one, &two);
	told("remove a;");
	CHECK(strstr(buffer_string(&lines),
		  "\"reason\":\"it matches no more by what changed\"") != NULL);
	change(&two, NULL);
	told("");
	change(NULL, &one);
	told("register a;");
	CHECK(strstr(lines.data, "\"reason\":\"registered\"") != NULL);
	end();
}

static void
to_catch_up_is_to_tell_the_differences_in_order(void)
{
	struct instance_list was = LIST(IS("r", "a", "1", PASSING),
	    IS("r", "b", "1", PASSING), IS("r", "c", "1", PASSING));
	struct instance_list is =
	    LIST(IS("r", "b", "1", CRITICAL), IS("r", "c", "1", PASSING),
		IS("r", "d", "1", PASSING), IS("s", "a", NULL, PASSING));

	begin(NULL, NULL, 0, false);
	stream_catch_up(stream, &was, &is);
	told("remove a;down b;register d;register a;");
	stream_catch_up(stream, &is, &is);
	told("");
	instance_list_release(&was);
	instance_list_release(&is);
	end();
}

static void
what_another_stream_was_about_is_not_gone(void)
{
	static const char *const services[] = {"r", "t"};
	struct instance_list was = LIST(IS("a", "x", NULL, PASSING),
	    IS("r", "a", "1", PASSING), IS("r", "b", "2", PASSING),
	    IS("s", "x", NULL, PASSING, .panic = true),
	    IS("z", "x", NULL, PASSING));
	struct instance_list is = LIST(IS("t", "new", "1", PASSING));

	begin(NULL, services, 2, false);
	stream_catch_up(stream, &was, &is);
	told("remove a;remove b;register new;");
	end();
	begin("z=2", services, 2, false);
	stream_catch_up(stream, &was, &is);
	told("remove b;");
	end();
	instance_list_release(&was);
	instance_list_release(&is);
}

static void
a_panic_that_began_or_ended_since_is_told(void)
{
	struct instance_list calm =
	    LIST(IS("q", "z", NULL, PASSING, .panic = true),
		IS("r", "a", NULL, CRITICAL), IS("r", "b", NULL, CRITICAL));
	struct instance_list panic =
	    LIST(IS("q", "z", NULL, PASSING, .panic = true),
		IS("r", "a", NULL, CRITICAL, .panic = true),
		IS("r", "b", NULL, CRITICAL, .panic = true),
		IS("s", "c", NULL, PASSING));

	begin(NULL, NULL, 0, false);
	stream_catch_up(stream, &calm, &panic);
	told("register c;panic(r);");
	CHECK(strstr(buffer_string(&lines),
		  "\"reason\":\"2 of 2 instances are critical\"") != NULL);
	end();
	begin(NULL, NULL, 0, false);
	stream_catch_up(stream, &panic, &calm);
	told("remove c;calm(r);");
	end();
	/* One that goes on is told once, by the marks of a sync. */
	begin(NULL, NULL, 0, false);
	CHECK(stream_sync(stream, &panic, NULL) == 0);
	stream_catch_up(stream, &panic, &panic);
	told("sync;");
	end();
	instance_list_release(&calm);
	instance_list_release(&panic);
}

/* What a prober would say of s. */
static void
set_health(const char *health)
{
	char from[512];

	spool_write("health/.new", health);
	snprintf(from, sizeof(from), "%s", spool_path("health/.new"));
	CHECK(rename(from, spool_path("health/s")) == 0);
}

static void
see(void *argument, const struct instance *before, const struct instance *after)
{
	(void)argument;
	stream_changed(stream, before, after);
}

static bool
log_has(const void *text)
{
	return strstr(log_text, text) != NULL;
}

/* Follows the registry until text has been told. */
static void
follow(const char *text)
{
	static const struct view_listener stream_listener = {.changed = see};
	struct pollfd poller = {.fd = view_descriptor(view), .events = POLLIN};
	double limit = time_monotonic() + DEADLINE;

	while (!log_has(text) && time_monotonic() < limit) {
		if (poll(&poller, 1, 1000) == 1)
			CHECK(view_update(view, &stream_listener, NULL) == 0);
		stream_settle(stream, view);
	}
	stream_settle(stream, view);
	CHECK(log_has(text));
}

#define PASSING(id) "{\"id\":\"" id "\",\"status\":\"passing\"}\n"

static void
a_panic_and_its_end_are_told_once_each(void)
{
	static const char check[] = ",\"check\":{\"tcp\":true}";
	static const char panic[] =
	    "{\"panic\":\"critical\",\"since\":\"2026-11-22T10:00:00Z\"}\n"
	    "{\"id\":\"a\",\"status\":\"critical\"}\n"
	    "{\"id\":\"b\",\"status\":\"critical\"}\n";
	struct instance_list list = INSTANCE_LIST_INIT;

	registry_begin();
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	CHECK(put_instance("s", "a", check) == 0);
	CHECK(put_instance("s", "b", check) == 0);
	set_health(PASSING("a") PASSING("b"));
	view_begin(NULL, 0, 0);
	begin(NULL, NULL, 0, false);
	CHECK(view_list(view, &list, NULL) == 0);
	CHECK(stream_sync(stream, &list, NULL) == 0);
	free(list.items);
	set_health(panic);
	follow("panic(s);");
	told("sync;down a;down b;panic(s);");
	set_health(PASSING("a") PASSING("b"));
	follow("calm(s);");
	told("up a;up b;calm(s);");
	end();
	view_end();
}

static void
expiries_are_counted_by_service(void)
{
	struct told here = IS("r", "a", NULL, PASSING);
	struct told over = IS("r", "a", NULL, EXPIRED);
	struct told other = IS("s", "a", NULL, EXPIRED);

	begin(NULL, NULL, 0, false);
	CHECK(stream_expiries(stream, "r") == 0);
	change(&here, &over);
	change(&over, &here);
	change(&here, &over);
	change(NULL, &other);
	told("expire a;up a;expire a;register a;");
	CHECK(stream_expiries(stream, "r") == 2);
	CHECK(stream_expiries(stream, "s") == 0);
	CHECK(stream_expiries(stream, "t") == 0);
	end();
}

static void
heartbeats_and_loads_are_told_with_all_only(void)
{
	struct told first = IS("r", "a", NULL, PASSING, .heartbeat = 1000);
	struct told second = IS("r", "a", NULL, PASSING, .heartbeat = 2000);

	begin(NULL, NULL, 0, false);
	change(&first, &second);
	told("");
	end();
	begin(NULL, NULL, 0, true);
	change(&first, &second);
	told("renew a;");
	end();
}

static void
the_lag_is_that_of_writes_and_of_nothing_else(void)
{
	struct told old = IS("r", "a", NULL, PASSING, .heartbeat = 1000);
	struct told now = IS("r", "a", NULL, PASSING, .heartbeat = 0);
	struct told ahead = IS("r", "a", NULL, PASSING, .heartbeat = 0);

	begin(NULL, NULL, 0, false);
	CHECK(stream_counts(stream).lag < 0);
	now.heartbeat = time_now() + 1000;
	ahead.heartbeat = now.heartbeat + 3600000;
	/* An old file that was moved here, a time that was set back. */
	change(NULL, &old);
	change(&now, &old);
	CHECK(stream_counts(stream).lag < 0);
	change(&old, &ahead);
	CHECK(stream_counts(stream).lag == 0);
	clock_shift = 5;
	change(&old, &now);
	clock_shift = 0;
	CHECK(stream_counts(stream).lag >= 3.5);
	CHECK(stream_counts(stream).lag < 3.5 + DEADLINE);
	CHECK(stream_counts(stream).lag_max == stream_counts(stream).lag);
	stream_forget_lag(stream);
	CHECK(stream_counts(stream).lag_max == 0);
	CHECK(stream_counts(stream).lag > 0);
	end();
}

static void
what_comes_from_elsewhere_is_told(void)
{
	begin("z=1", NULL, 0, false);
	stream_resync(stream, "events were lost");
	stream_say(stream, EVENT_HANDLER, "exit status 3");
	told("resync;handler;");
	CHECK(stream_counts(stream).resyncs == 1);
	CHECK(stream_counts(stream).events == 2);
	CHECK(strstr(buffer_string(&lines),
		  "\"reason\":\"events were lost\"") != NULL);
	CHECK(strstr(lines.data, "\"reason\":\"exit status 3\"") != NULL);
	end();
}

static void
many_services_are_remembered_in_any_order(void)
{
	struct told here = IS(NULL, "a", NULL, PASSING);
	struct told over = IS(NULL, "a", NULL, EXPIRED);
	char name[16];
	int i;

	begin(NULL, NULL, 0, false);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", (i * 577) % 1000);
		here.service = over.service = name;
		change(&here, &over);
		if (i % 2 == 0)
			change(&here, &over);
	}
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", (i * 577) % 1000);
		CHECK(
		    stream_expiries(stream, name) == (i % 2 == 0 ? 2UL : 1UL));
	}
	end();
}

int
main(void)
{
	RUN(a_sync_has_all_that_match_and_leaves_the_list_alone);
	RUN(a_sync_of_nothing_is_a_line);
	RUN(a_large_sync_is_several_lines_of_one_time);
	RUN(to_match_by_a_change_is_to_come_and_to_go);
	RUN(to_catch_up_is_to_tell_the_differences_in_order);
	RUN(what_another_stream_was_about_is_not_gone);
	RUN(a_panic_that_began_or_ended_since_is_told);
	RUN(a_panic_and_its_end_are_told_once_each);
	RUN(expiries_are_counted_by_service);
	RUN(heartbeats_and_loads_are_told_with_all_only);
	RUN(the_lag_is_that_of_writes_and_of_nothing_else);
	RUN(what_comes_from_elsewhere_is_told);
	RUN(many_services_are_remembered_in_any_order);
	return check_done();
}
