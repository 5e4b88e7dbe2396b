/* What happens in a run, as lines of JSON. */
#include "flow/run_log.h"

#include "check.h"
#include "line/json.h"

/* 2026-11-23T10:00:00Z */
#define BEGAN 1795428000000

static const struct call_instance web1 = {.service = "render", .id = "web1"};

static void
check_event(const struct run_event *event, const char *want)
{
	struct buffer out = BUFFER_INIT;

	run_log_append(event, BEGAN, &out);
	CHECK_STRING(buffer_string(&out), want);
	CHECK(json_valid(out.data, out.length));
	buffer_release(&out);
}

static struct run_event
event_of(enum run_event_kind kind)
{
	return (struct run_event){.kind = kind,
	    .at = 0.1234,
	    .task = 7,
	    .id = "t1",
	    .line = 3,
	    .service = "render"};
}

#define BEFORE "{\"at\":\"2026-11-23T10:00:00.123Z\",\"event\":"
#define TASK   ",\"id\":\"t1\",\"line\":3,\"service\":\"render\""

static void
a_request_says_where_it_went_and_why(void)
{
	static const char *const reasons[] = {
	    "first", "retry", "waited", "hedge"};
	struct run_event event = event_of(RUN_SENT);
	char want[256];
	int i;

	event.instance = &web1;
	for (i = 0; i < 4; i++) {
		event.reason = (enum call_reason)i;
		event.attempt = i + 1;
		snprintf(want, sizeof(want),
		    BEFORE "\"sent\"" TASK ",\"instance\":\"web1\","
			   "\"attempt\":%d,\"reason\":\"%s\"}\n",
		    i + 1, reasons[i]);
		check_event(&event, want);
	}
}

static void
an_answer_says_what_it_was_and_how_long_it_took(void)
{
	static const char *const results[] = {
	    "ok", "busy", "failed", "forbidden", "dropped"};
	struct run_event event = event_of(RUN_ANSWERED);
	char want[256];
	int i;

	event.instance = &web1;
	event.ms = 12.34567;
	for (i = 0; i < 5; i++) {
		event.result = (enum call_result)i;
		snprintf(want, sizeof(want),
		    BEFORE "\"answered\"" TASK ",\"instance\":\"web1\","
			   "\"result\":\"%s\",\"ms\":12.346}\n",
		    results[i]);
		check_event(&event, want);
	}
}

static void
an_end_with_a_result_has_no_code(void)
{
	struct run_event event = event_of(RUN_ENDED);

	check_event(&event, BEFORE "\"ended\"" TASK "}\n");
	event.code = CODE_SKIPPED;
	event.message = "a failed (http)";
	check_event(&event,
	    BEFORE "\"ended\"" TASK
		   ",\"code\":\"skipped\",\"message\":\"a failed (http)\"}\n");
	event.kind = RUN_RESTORED;
	event.code = CODE_HTTP;
	event.message = NULL;
	check_event(&event, BEFORE "\"restored\"" TASK ",\"code\":\"http\"}\n");
	event.kind = RUN_PASSED;
	event.service = "";
	check_event(&event,
	    BEFORE "\"passed\",\"id\":\"t1\",\"line\":3,\"code\":\"http\"}\n");
}

static void
what_there_is_not_is_left_out(void)
{
	struct run_event event = event_of(RUN_TASK);

	check_event(&event, BEFORE "\"task\"" TASK "}\n");
	event.kind = RUN_READY;
	event.id = event.service = "";
	event.line = 0;
	check_event(&event, BEFORE "\"ready\"}\n");
}

static void
whatever_a_message_has_in_it_is_one_line(void)
{
	struct run_event event = {
	    .kind = RUN_NOTE, .id = "", .service = "", .at = 86400};

	event.message = "he said \"no\"\n\xff";
	check_event(&event,
	    "{\"at\":\"2026-11-24T10:00:00.000Z\",\"event\":\"note\","
	    "\"message\":\"he said \\\"no\\\"\\n\xef\xbf\xbd\"}\n");
}

int
main(void)
{
	RUN(a_request_says_where_it_went_and_why);
	RUN(an_answer_says_what_it_was_and_how_long_it_took);
	RUN(an_end_with_a_result_has_no_code);
	RUN(what_there_is_not_is_left_out);
	RUN(whatever_a_message_has_in_it_is_one_line);
	return check_done();
}
