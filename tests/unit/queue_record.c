/* Records of the queue: what is read of a task, in which order, as what. */
#include "registry/queue_record.h"

#include <stdlib.h>

#include "check.h"

#define AT 1795341600000 /* 2026-11-22T10:00:00Z */

static struct queue_record_reader reader;

static int
read_at(struct queue_record *record, enum queue_state state, unsigned claims,
    const char *line)
{
	struct queue_place place = {.state = state, .claims = claims};
	struct store_entry entry = {.value = line,
	    .length = strlen(line),
	    .heartbeat = AT,
	    .changed = AT + 250};
	struct svc_error error = {0, ""};

	snprintf(place.id, sizeof(place.id), "t1");
	if (state == QUEUE_RUNNING)
		snprintf(place.claimant, sizeof(place.claimant), "web1-7-x");
	return queue_record_read(record, &reader, &place, &entry, &error) == 0
		   ? 0
		   : error.code;
}

/* What is printed of a task. */
static const char *
printed(enum queue_state state, unsigned claims, const char *line)
{
	static char text[4096];
	struct queue_record_more more = {0};
	struct buffer out = BUFFER_INIT;
	struct queue_record record;

	text[0] = '\0';
	if (!CHECK(read_at(&record, state, claims, line) == 0))
		return text;
	queue_record_print(&record, &more, &out);
	snprintf(text, sizeof(text), "%s", buffer_string(&out));
	buffer_release(&out);
	queue_record_release(&record);
	return text;
}

static void
a_record_tells_what_the_line_says_and_the_name(void)
{
	CHECK_STRING(printed(QUEUE_WAITING, 1,
			 "{\"id\":\"t1\",\"task\":1,\"service\":\"render\","
			 "\"priority\":2.5,\"not_before\":"
			 "\"2026-11-22T11:00:00Z\",\"deadline\":"
			 "\"2026-11-22T12:00:00+01:00\"}\n"),
	    "{\"id\":\"t1\",\"service\":\"render\",\"state\":\"waiting\","
	    "\"attempt\":1,\"since\":\"2026-11-22T10:00:00.250Z\","
	    "\"priority\":2.5,\"deadline\":\"2026-11-22T11:00:00.000Z\","
	    "\"not_before\":\"2026-11-22T11:00:00.000Z\"}");
	CHECK_STRING(printed(QUEUE_RUNNING, 1, "{\"id\":\"t1\",\"task\":1}\n"),
	    "{\"id\":\"t1\",\"state\":\"running\",\"attempt\":2,"
	    "\"where\":\"web1-7-x\",\"since\":\"2026-11-22T10:00:00.250Z\"}");
}

static void
an_ended_one_tells_where_it_was_and_why_it_failed(void)
{
	CHECK_STRING(printed(QUEUE_DONE, 0,
			 "{\"id\":\"t1\",\"task\":1,\"service\":\"render\","
			 "\"instance\":{\"service\":\"render\",\"id\":\"i1\"},"
			 "\"result\":3,\"lost\":[\"a, then\",\"b, then\"]}"),
	    "{\"id\":\"t1\",\"service\":\"render\",\"state\":\"done\","
	    "\"attempt\":3,\"where\":\"render/i1\","
	    "\"since\":\"2026-11-22T10:00:00.250Z\"}");
	CHECK_STRING(printed(QUEUE_FAILED, 0,
			 "{\"id\":\"t1\",\"task\":1,\"error\":{\"code\":"
			 "\"exit\",\"message\":\"status 1\",\"attempts\":1}}"),
	    "{\"id\":\"t1\",\"state\":\"failed\",\"attempt\":1,"
	    "\"since\":\"2026-11-22T10:00:00.250Z\",\"reason\":\"exit\","
	    "\"message\":\"status 1\"}");
	/* One that was never started was claimed by nobody. */
	CHECK_STRING(printed(QUEUE_FAILED, 0,
			 "{\"id\":\"t1\",\"task\":1,\"error\":{\"code\":"
			 "\"skipped\",\"message\":\"a failed\"}}"),
	    "{\"id\":\"t1\",\"state\":\"failed\",\"attempt\":0,"
	    "\"since\":\"2026-11-22T10:00:00.250Z\",\"reason\":\"skipped\","
	    "\"message\":\"a failed\"}");
}

static void
members_of_other_kinds_count_as_absent(void)
{
	CHECK_STRING(printed(QUEUE_DONE, 0,
			 "{\"task\":null,\"service\":7,\"priority\":\"x\","
			 "\"deadline\":1,\"instance\":[],\"lost\":{},"
			 "\"error\":null,\"result\":1}"),
	    "{\"id\":\"t1\",\"state\":\"done\",\"attempt\":1,"
	    "\"since\":\"2026-11-22T10:00:00.250Z\"}");
	CHECK_STRING(printed(QUEUE_FAILED, 0,
			 "{\"task\":null,\"service\":\"../x\",\"error\":7,"
			 "\"instance\":{\"service\":\"a/b\",\"id\":\"c\"}}"),
	    "{\"id\":\"t1\",\"state\":\"failed\",\"attempt\":1,"
	    "\"since\":\"2026-11-22T10:00:00.250Z\"}");
}

static void
what_is_no_task_line_is_refused(void)
{
	static const char *const lines[] = {
	    "", "x", "[]", "{}", "7", "{\"id\":\"t1\"}", "{\"task\":"};
	struct queue_record record;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK(read_at(&record, QUEUE_WAITING, 0, lines[i]) == 65);
}

static void
those_it_waits_for_stand_once_with_those_it_binds(void)
{
	static const char after[] = "a\0b\0c";
	struct queue_record record;

	if (!CHECK(read_at(&record, QUEUE_WAITING, 0,
		       "{\"task\":[null],\"after\":[\"a\",\"b\",\"a\",7],"
		       "\"when\":\"done\",\"bind\":{\"/0\":\"b#/x\","
		       "\"/1\":\"c\"}}") == 0))
		return;
	CHECK(record.when == QUEUE_WHEN_DONE && record.after_count == 3);
	CHECK(memcmp(record.after, after, sizeof(after)) == 0);
	queue_record_release(&record);
}

static void
records_stand_in_the_order_of_running(void)
{
	static const struct {
		enum queue_state state;
		const char *id;
		double priority;
		int64_t deadline, submitted, since;
	} rows[] = {
	    {QUEUE_WAITING, "high", 5, 0, 9, 9},
	    {QUEUE_WAITING, "near", 0, 100, 9, 9},
	    {QUEUE_WAITING, "far", 0, 200, 1, 1},
	    {QUEUE_WAITING, "old", 0, 0, 1, 9},
	    {QUEUE_WAITING, "r-2", 0, 0, 3, 1},
	    {QUEUE_WAITING, "r-10", 0, 0, 3, 1},
	    {QUEUE_WAITING, "low", -1, 0, 0, 0},
	    {QUEUE_HELD, "held", 9, 1, 0, 0},
	    {QUEUE_RUNNING, "first", -9, 0, 9, 1},
	    {QUEUE_RUNNING, "second", 9, 1, 0, 2},
	    {QUEUE_DONE, "d", 9, 0, 0, 0},
	    {QUEUE_FAILED, "f", 9, 0, 0, 0},
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);
	struct queue_record records[sizeof(rows) / sizeof(rows[0])];
	size_t i;

	/* From any order: reversed, and then as it is. */
	for (i = 0; i < count; i++)
		records[count - 1 - i] =
		    (struct queue_record){.state = rows[i].state,
			.id = rows[i].id,
			.priority = rows[i].priority,
			.deadline = rows[i].deadline,
			.submitted = rows[i].submitted,
			.since = rows[i].since};
	qsort(records, count, sizeof(*records), queue_record_compare);
	for (i = 0; i < count; i++)
		CHECK_STRING(records[i].id, rows[i].id);
}

static void
the_place_of_a_record_is_where_it_was_read(void)
{
	struct queue_place place;
	struct queue_record record;

	if (!CHECK(read_at(&record, QUEUE_RUNNING, 2, "{\"task\":1}") == 0))
		return;
	queue_record_place(&record, &place);
	CHECK(place.state == QUEUE_RUNNING && place.claims == 2);
	CHECK_STRING(place.id, "t1");
	CHECK_STRING(place.claimant, "web1-7-x");
	queue_record_release(&record);
}

static void
more_is_printed_behind_it(void)
{
	static const char line[] = "{\"task\":1,\n \"result\":2}";
	struct queue_record record = {.state = QUEUE_DONE,
	    .id = "t1",
	    .since = AT,
	    .reason = "own",
	    .message = "own"};
	struct queue_record_more more = {.reason = "turn",
	    .message = "say \"x\"",
	    .would = "purge",
	    .line = {line, sizeof(line) - 1}};
	struct buffer out = BUFFER_INIT;

	queue_record_print(&record, &more, &out);
	CHECK_STRING(buffer_string(&out),
	    "{\"id\":\"t1\",\"state\":\"done\",\"attempt\":0,"
	    "\"since\":\"2026-11-22T10:00:00.000Z\",\"reason\":\"turn\","
	    "\"message\":\"say \\\"x\\\"\",\"would\":\"purge\","
	    "\"line\":{\"task\":1,  \"result\":2}}");
	buffer_release(&out);
}

int
main(void)
{
	RUN(a_record_tells_what_the_line_says_and_the_name);
	RUN(an_ended_one_tells_where_it_was_and_why_it_failed);
	RUN(members_of_other_kinds_count_as_absent);
	RUN(what_is_no_task_line_is_refused);
	RUN(those_it_waits_for_stand_once_with_those_it_binds);
	RUN(records_stand_in_the_order_of_running);
	RUN(the_place_of_a_record_is_where_it_was_read);
	RUN(more_is_printed_behind_it);
	queue_record_reader_release(&reader);
	return check_done();
}
