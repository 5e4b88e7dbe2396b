/* The state that svc-watch keeps from one run to the next. */
#include <sysexits.h>
#include <time.h>

#include "line/units.h"
#include "registry/event.h"
#include "registry/state.h"
#include "spool_fixture.h"

#define RECORD(id, more) \
	"{\"service\":\"render\",\"id\":\"" id "\",\"address\":\"h:1\"" more "}"
#define CHECKED ",\"check\":{\"http\":\"/health\"}"
#define MANY	10000
#define HEADER(count)                                                        \
	"{\"svckit\":\"watch state 1\",\"at\":\"2026-11-22T10:00:00.000Z\"," \
	"\"instances\":" count "}\n"
#define LINE(id) "{\"service\":\"r\",\"id\":\"" id "\",\"address\":\"h:1\"}\n"

static void
print_line(void *argument, const struct event *event)
{
	struct buffer *lines = argument;

	event_print(event, lines);
	buffer_append_char(lines, '\n');
}

/* What a watcher that starts from old would tell of new; "" is nothing. */
static void
differences(const struct instance_list *old, const struct instance_list *new,
    bool all, struct buffer *lines)
{
	const struct instance *was = old->items, *is = new->items;
	const struct instance *was_end = was + old->count;
	const struct instance *is_end = is + new->count;
	int order;

	while (was < was_end || is < is_end) {
		order = was == was_end ? 1
			: is == is_end ? -1
				       : instance_compare(was, is);
		event_differences(order <= 0 ? was : NULL,
		    order >= 0 ? is : NULL, all, 0, print_line, lines);
		was += order <= 0;
		is += order >= 0;
	}
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void
check_same_observed(
    const struct instance_list *old, const struct instance_list *new)
{
	const struct instance *was, *is;
	size_t i;

	for (i = 0; i < old->count && i < new->count; i++) {
		was = &old->items[i];
		is = &new->items[i];
		CHECK(was->status == is->status);
		CHECK(was->draining == is->draining);
		CHECK(was->panic == is->panic);
		CHECK(was->pinned == is->pinned);
		CHECK(was->reported == is->reported);
		CHECK(was->lease == is->lease);
		CHECK(same_text(was->reason, is->reason));
		CHECK(same_text(was->owner, is->owner));
		CHECK(same_text(was->address, is->address));
	}
}

/* One of each status, and of each lease. */
static void
fill_registry(struct registry *registry)
{
	static const char *const records[] = {RECORD("passing", CHECKED),
	    RECORD("warning", CHECKED), RECORD("critical", CHECKED),
	    RECORD("unknown", CHECKED), RECORD("none", ""),
	    RECORD("drained",
		",\"labels\":{ \"z\" : \"\\u00e4\" },\"x\":[1, 2e0]"),
	    RECORD("expired", ",\"lease\":\"ttl\",\"ttl\":30"),
	    RECORD("both", ",\"lease\":\"ttl\",\"ttl\":30"),
	    RECORD("pinned", ",\"utilization\":0.50,\"capacity\":{\"cpu\":1}")};
	size_t i;

	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		CHECK(spool_register(registry, records[i]) == 0);
	spool_write("services/render/loaded.json",
	    RECORD("loaded",
		",\"utilization\":0.25,\"reported\":\"2026-11-22T10:00:00Z\""));
	spool_write("services/render/lock.json",
	    RECORD("lock", ",\"lease\":\"lock\",\"boot\":\"another\""));
	spool_write("services/render/drained.drain", "");
	spool_write("services/render/both.drain", "");
	spool_set_time("services/render/expired.json", time(NULL) - 100);
	spool_set_time("services/render/both.json", time(NULL) - 100);
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	spool_write("health/render",
	    "{\"id\":\"passing\",\"status\":\"passing\",\"utilization\":0.3,"
	    "\"latency_ms\":1.5,\"checked\":\"2026-11-22T10:00:00Z\"}\n"
	    "{\"id\":\"warning\",\"status\":\"warning\","
	    "\"reason\":\"429 \\\"Too Many\\\"\\n\"}\n"
	    "{\"id\":\"critical\",\"status\":\"critical\","
	    "\"reason\":\"connection refused\"}\n");
}

static void
list_registry(struct registry *registry, struct instance_list *list)
{
	instance_list_release(list);
	CHECK(registry_list(registry, NULL, list, NULL) == 0);
}

static void
nothing_changed_is_told_as_nothing(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list told = INSTANCE_LIST_INIT;
	struct buffer lines = BUFFER_INIT;
	struct registry *registry;
	bool seen[STATUS_COUNT] = {false};
	size_t i;

	spool_begin();
	registry = spool_open();
	fill_registry(registry);
	list_registry(registry, &list);
	CHECK(list.count == 11);
	for (i = 0; i < list.count; i++)
		seen[list.items[i].status] = true;
	for (i = 0; i < STATUS_COUNT; i++)
		CHECK(seen[i]);
	CHECK(state_write(spool_path("state"), &list, NULL, NULL) == 0);
	CHECK(state_read(spool_path("state"), &told, NULL, NULL) == 1);
	list_registry(registry, &list);
	CHECK(told.count == list.count);
	check_same_observed(&told, &list);
	differences(&told, &list, true, &lines);
	CHECK_STRING(buffer_string(&lines), "");
	instance_list_release(&list);
	instance_list_release(&told);
	buffer_release(&lines);
	registry_close(registry);
	spool_end();
}

static void
what_changed_in_between_is_told(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list told = INSTANCE_LIST_INIT;
	struct buffer lines = BUFFER_INIT;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	fill_registry(registry);
	list_registry(registry, &list);
	CHECK(state_write(spool_path("state"), &list, NULL, NULL) == 0);
	CHECK(unlink(spool_path("services/render/none.json")) == 0);
	CHECK(unlink(spool_path("services/render/drained.drain")) == 0);
	CHECK(spool_register(
		  registry, RECORD("pinned", ",\"utilization\":0.6,"
					     "\"capacity\":{\"cpu\":1}")) == 0);
	CHECK(state_read(spool_path("state"), &told, NULL, NULL) == 1);
	list_registry(registry, &list);
	differences(&told, &list, false, &lines);
	CHECK_STRING(buffer_string(&lines),
	    "{\"event\":\"undrain\",\"service\":\"render\",\"id\":\"drained\","
	    "\"status\":\"passing\",\"reason\":\"draining no more\","
	    "\"at\":\"1970-01-01T00:00:00.000Z\"}\n"
	    "{\"event\":\"remove\",\"service\":\"render\",\"id\":\"none\","
	    "\"status\":\"passing\",\"reason\":\"removed\","
	    "\"at\":\"1970-01-01T00:00:00.000Z\"}\n"
	    "{\"event\":\"change\",\"service\":\"render\",\"id\":\"pinned\","
	    "\"status\":\"passing\",\"reason\":\"another record\","
	    "\"at\":\"1970-01-01T00:00:00.000Z\","
	    "\"members\":[\"utilization\"],"
	    "\"old\":{\"utilization\":0.5},\"new\":{\"utilization\":0.6}}\n");
	instance_list_release(&list);
	instance_list_release(&told);
	buffer_release(&lines);
	registry_close(registry);
	spool_end();
}

static void
no_file_and_an_empty_one_are_no_state(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct svc_error error;

	spool_begin();
	CHECK(state_read(spool_path("state"), &list, NULL, &error) == 0);
	spool_write("state", "");
	CHECK(instance_list_add(&list) != NULL);
	CHECK(state_read(spool_path("state"), &list, NULL, &error) == 0);
	CHECK(list.count == 0);
	instance_list_release(&list);
	spool_end();
}

static void
an_empty_registry_has_a_state(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;

	spool_begin();
	CHECK(state_write(spool_path("state"), &list, NULL, NULL) == 0);
	CHECK(state_read(spool_path("state"), &list, NULL, NULL) == 1);
	CHECK(list.count == 0);
	spool_end();
}

static void
what_is_no_state_is_refused_with_what_to_do(void)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} rows[] = {
	    {"\n \n", EX_DATAERR, "/state:2: not a state of svc-watch"},
	    {"root:x:0:0\n", EX_DATAERR, "/state:1: not a state of svc-watch"},
	    {"[]\n", EX_DATAERR, "not a state"},
	    {"{}\n", EX_DATAERR, "not a state"},
	    {LINE("a"), EX_DATAERR, "not a state"},
	    {"{\"svckit\":1}\n", EX_DATAERR, "not a state"},
	    {"{\"svckit\":\"spool 1\"}\n", EX_DATAERR, "not a state"},
	    {"{\"svckit\":\"watch state 0\"}\n", EX_DATAERR, "not a state"},
	    {"{\"svckit\":\"watch state 1\",\"at\":\"20", EX_DATAERR,
		"not a state"},
	    {"{\"svckit\":\"watch state 2\"}\n", EX_CONFIG,
		"\"watch state 2\" is of a later svckit"},
	    {"{\"svckit\":\"watch state 1\"}\n", EX_DATAERR,
		"/state:1: \"instances\" is missing"},
	    {HEADER("1.5"), EX_DATAERR, "/state:1: \"instances\""},
	    {HEADER("\"1\"") LINE("a"), EX_DATAERR, "/state:1: \"instances\""},
	    {HEADER("1"), EX_DATAERR, "/state:1: 0 instances"},
	    {HEADER("3") LINE("a") LINE("b"), EX_DATAERR,
		"/state:3: 2 instances, and the first line promises 3"},
	    {HEADER("1") LINE("a") LINE("b"), EX_DATAERR,
		"/state:3: 2 instances"},
	    {HEADER("2") LINE("a") "{\"service\":\"r\",\"id", EX_DATAERR,
		"/state:3: byte "},
	    {HEADER("2") LINE("a") "{\"service\":\"r\"}\n", EX_DATAERR,
		"/state:3: \"address\" is missing"},
	    {HEADER("2") "null\n" LINE("b"), EX_DATAERR, "/state:2: "},
	    {HEADER("3") LINE("b") LINE("a") LINE("b"), EX_DATAERR,
		"r/b stands twice"},
	};
	struct instance_list list = INSTANCE_LIST_INIT;
	struct svc_error error;
	size_t i;

	spool_begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		spool_write("state", rows[i].text);
		error.message[0] = '\0';
		CHECK(
		    state_read(spool_path("state"), &list, NULL, &error) == -1);
		CHECK(error.code == rows[i].code);
		if (!CHECK(strstr(error.message, rows[i].why) != NULL) ||
		    !CHECK(strstr(error.message,
			       "remove it to start with a sync") != NULL))
			printf("# row %zu: %s\n", i, error.message);
		CHECK(list.count == 0);
	}
	spool_end();
}

static void
every_cut_of_a_state_is_refused(void)
{
	static const char text[] = HEADER("2") LINE("a") LINE("b");
	struct instance_list list = INSTANCE_LIST_INIT;
	char cut[sizeof(text)];
	struct svc_error error;
	size_t i;

	spool_begin();
	/* Without its last LF it is all there. */
	for (i = 1; i < sizeof(text) - 2; i++) {
		memcpy(cut, text, i);
		cut[i] = '\0';
		spool_write("state", cut);
		if (!CHECK(state_read(spool_path("state"), &list, NULL,
			       &error) == -1 &&
			   error.code == EX_DATAERR))
			printf("# cut at %zu\n", i);
	}
	instance_list_release(&list);
	spool_end();
}

static void
later_members_are_ignored_and_order_is_restored(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;

	spool_begin();
	spool_write("state",
	    "{\"later\":[1],\"instances\":3,\"svckit\":\"watch state 1\","
	    "\"reaper\":{\"later\":1}}\n" LINE("c") LINE("a") LINE("b"));
	CHECK(state_read(spool_path("state"), &list, NULL, NULL) == 1);
	CHECK(list.count == 3);
	CHECK_STRING(list.items[0].id, "a");
	CHECK_STRING(list.items[1].id, "b");
	CHECK_STRING(list.items[2].id, "c");
	instance_list_release(&list);
	spool_end();
}

static void
what_is_no_file_is_refused(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct svc_error error;

	spool_begin();
	CHECK(mkfifo(spool_path("state"), 0600) == 0);
	CHECK(state_read(spool_path("state"), &list, NULL, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK(state_write(spool_path("state"), &list, NULL, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK(state_read(spool_path("no/state"), &list, NULL, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	spool_end();
}

static void
thousands_of_instances_go_and_come_back(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list told = INSTANCE_LIST_INIT;
	struct buffer lines = BUFFER_INIT;
	struct instance *instance;
	char line[512];
	double start;
	int i;

	spool_begin();
	for (i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line),
		    "{\"service\":\"s%02d\",\"id\":\"i%04d\",\"address\":"
		    "\"http://host-%d:8081/task\",\"lease\":\"ttl\",\"ttl\":30,"
		    "\"labels\":{\"zone\":\"eu-1\"},\"status\":\"critical\","
		    "\"owner\":\"svc\",\"reason\":\"connection refused\"}",
		    i / 100, i, i);
		instance = instance_list_add(&list);
		CHECK(instance_parse(instance, line, strlen(line), NULL) == 0);
	}
	start = time_monotonic();
	CHECK(state_write(spool_path("state"), &list, NULL, NULL) == 0);
	CHECK(state_read(spool_path("state"), &told, NULL, NULL) == 1);
	printf("# %d written and read in %.0f ms\n", MANY,
	    (time_monotonic() - start) * 1000);
	CHECK(told.count == MANY);
	differences(&told, &list, true, &lines);
	CHECK(lines.length == 0);
	instance_list_release(&list);
	instance_list_release(&told);
	buffer_release(&lines);
	spool_end();
}

static void
what_the_reaper_saw_is_kept(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct buffer before = BUFFER_INIT, after = BUFFER_INIT;
	struct reaper *first, *second;
	struct registry *registry;
	struct svc_error error;
	size_t i;

	spool_begin();
	registry = spool_open();
	fill_registry(registry);
	list_registry(registry, &list);
	CHECK(reaper_open(&first, registry, &error) == 0);
	CHECK(reaper_open(&second, registry, &error) == 0);
	for (i = 0; i < list.count; i++)
		reaper_sight(first, NULL, &list.items[i]);
	CHECK(state_write(spool_path("state"), &list, first, &error) == 0);
	CHECK(state_read(spool_path("state"), &list, second, &error) == 1);
	reaper_print(first, &before);
	reaper_print(second, &after);
	CHECK(strstr(buffer_string(&before), "expired") != NULL);
	CHECK_STRING(buffer_string(&after), buffer_string(&before));
	spool_write("state",
	    "{\"svckit\":\"watch state 1\",\"instances\":0,\"reaper\":1}\n");
	CHECK(state_read(spool_path("state"), &list, second, &error) == -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(strstr(error.message, "/state:1: ") != NULL);
	reaper_close(first);
	reaper_close(second);
	instance_list_release(&list);
	buffer_release(&before);
	buffer_release(&after);
	registry_close(registry);
	spool_end();
}

int
main(void)
{
	RUN(nothing_changed_is_told_as_nothing);
	RUN(what_changed_in_between_is_told);
	RUN(no_file_and_an_empty_one_are_no_state);
	RUN(an_empty_registry_has_a_state);
	RUN(what_is_no_state_is_refused_with_what_to_do);
	RUN(every_cut_of_a_state_is_refused);
	RUN(later_members_are_ignored_and_order_is_restored);
	RUN(what_is_no_file_is_refused);
	RUN(thousands_of_instances_go_and_come_back);
	RUN(what_the_reaper_saw_is_kept);
	return check_done();
}
