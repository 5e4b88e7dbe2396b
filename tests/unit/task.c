#include "line/task.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "line/base64.h"
#include "line/result.h"
#include "line/text.h"

static const struct envelope_options plain = {.run = "run", .source = "stdin"};

/* One line through a filter that drops and appends nothing. */
struct passage {
	enum envelope_state state;
	struct envelope envelope;
	struct buffer out;
	struct svc_error error;
};

static void
enter_bytes(struct passage *passage, const char *text, size_t length,
    const struct envelope_options *options)
{
	struct line line = {
	    text, length, 17, false, memchr(text, '\0', length) != NULL, false};

	passage->state =
	    envelope_enter(&passage->envelope, &line, options, &passage->error);
	buffer_clear(&passage->out);
	if (passage->state != ENVELOPE_READY) {
		envelope_copy(&passage->envelope, &passage->out);
		return;
	}
	envelope_begin(&passage->envelope, &passage->out, 0);
	envelope_end(&passage->out);
}

static void
enter(struct passage *passage, const char *text,
    const struct envelope_options *options)
{
	enter_bytes(passage, text, strlen(text), options);
}

static void
open_passage(struct passage *passage)
{
	memset(passage, 0, sizeof(*passage));
	envelope_init(&passage->envelope);
}

static void
close_passage(struct passage *passage)
{
	envelope_release(&passage->envelope);
	buffer_release(&passage->out);
}

/* What text becomes, without its LF. */
static const char *
through(const char *text, const struct envelope_options *options)
{
	static char said[8192];
	struct passage passage;

	open_passage(&passage);
	enter(&passage, text, options);
	CHECK(passage.out.length > 0 &&
	      passage.out.data[passage.out.length - 1] == '\n');
	snprintf(said, sizeof(said), "%.*s", (int)passage.out.length - 1,
	    passage.out.data);
	close_passage(&passage);
	return said;
}

static enum envelope_state
state_of(const char *text, const struct envelope_options *options)
{
	struct passage passage;
	enum envelope_state state;

	open_passage(&passage);
	enter(&passage, text, options);
	state = passage.state;
	CHECK(passage.envelope.failed == (state == ENVELOPE_INVALID) ||
	      state == ENVELOPE_PASS);
	close_passage(&passage);
	return state;
}

#define PAYLOAD "{\"b\":1,\"a\":1e400,\"n\":9007199254740993,\"b\":2}"

static void
payloads_travel_byte_for_byte(void)
{
	static const char *const lines[] = {
	    "{\"id\":\"t1\",\"task\":" PAYLOAD "}",
	    " {\t\"id\" : \"t1\", \"task\": " PAYLOAD " } ",
	    "{\"task\":\"\\u0041\\/\",\"id\":\"t1\",\"x\":1,\"x\":2}",
	};

	CHECK_STRING(through(lines[0], &plain), lines[0]);
	CHECK_STRING(through(lines[1], &plain),
	    "{\t\"id\" : \"t1\", \"task\": " PAYLOAD " }");
	CHECK_STRING(through(lines[2], &plain), lines[2]);
}

static void
what_has_no_member_task_is_a_payload(void)
{
	static const char *const payloads[] = {"1", "null", "\"a\"", "[]",
	    PAYLOAD, "{\"id\":7,\"id\":8}", "{\"result\":1}", "{\"error\":{}}",
	    "[{\"task\":1}]"};
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		snprintf(want, sizeof(want), "{\"id\":\"run-17\",\"task\":%s}",
		    payloads[i]);
		CHECK_STRING(through(payloads[i], &plain), want);
	}
}

static void
with_bare_every_line_is_a_payload(void)
{
	struct envelope_options options = plain;

	options.bare = true;
	CHECK_STRING(through("{\"task\":1,\"task\":2}", &options),
	    "{\"id\":\"run-17\",\"task\":{\"task\":1,\"task\":2}}");
	CHECK(state_of("{", &options) == ENVELOPE_INVALID);
}

static void
with_text_every_line_is_a_string(void)
{
	struct envelope_options options = plain;

	options.text = true;
	CHECK_STRING(through("{\"task\":\t1}", &options),
	    "{\"id\":\"run-17\",\"task\":\"{\\\"task\\\":\\t1}\"}");
	CHECK_STRING(through("caf\xc3\xa9 ", &options),
	    "{\"id\":\"run-17\",\"task\":\"caf\xc3\xa9 \"}");
	CHECK_STRING(through("caf\xc3", &options),
	    "{\"task\":null,\"error\":{\"code\":\"invalid\",\"message\":"
	    "\"not UTF-8\",\"retryable\":false},\"line\":17,"
	    "\"input\":\"caf\xef\xbf\xbd\"}");
}

static void
a_finished_line_is_turned(void)
{
	struct passage passage;

	CHECK_STRING(
	    through("{\"service\":\"a\",\"task\":{\"old\":1},\"group\":\"g\","
		    "\"id\":\"t1\",\"instance\":{},\"status\":200,\"ms\":1.5,"
		    "\"attempts\":1,\"why\":[],\"start\":0,\"end\":2.5,"
		    "\"x\":7,\"result\":[1 , 1e400]}",
		&plain),
	    "{\"task\":[1 , 1e400],\"group\":\"g\",\"id\":\"t1\",\"x\":7}");
	CHECK_STRING(
	    through("{\"task\":1,\"result\":null,\"error\":null}", &plain),
	    "{\"id\":\"run-17\",\"task\":null}");
	open_passage(&passage);
	enter(&passage, "{\"task\":1,\"result\":2,\"service\":\"a\"}", &plain);
	CHECK(passage.envelope.service[0] == '\0');
	CHECK(passage.envelope.members[MEMBER_SERVICE].span.data == NULL);
	close_passage(&passage);
}

/* What the stage that has ended waited for means nothing to the next one. */
static void
a_turned_line_waits_for_nobody(void)
{
	struct passage passage;

	open_passage(&passage);
	enter(&passage,
	    "{\"id\":\"b\",\"task\":[null],\"after\":[\"c\"],"
	    "\"when\":\"done\",\"bind\":{\"/0\":\"a#/x\"},\"result\":7}",
	    &plain);
	CHECK(passage.state == ENVELOPE_READY);
	CHECK_STRING(
	    buffer_string(&passage.out), "{\"id\":\"b\",\"task\":7}\n");
	CHECK(passage.envelope.members[MEMBER_AFTER].span.data == NULL);
	CHECK(passage.envelope.members[MEMBER_WHEN].span.data == NULL);
	CHECK(passage.envelope.members[MEMBER_BIND].span.data == NULL);
	close_passage(&passage);
}

static void
a_line_to_be_done_keeps_what_it_waits_for(void)
{
#define WAITS                                         \
	"{\"id\":\"b\",\"task\":1,\"after\":[\"c\"]," \
	"\"when\":\"done\",\"bind\":{\"\":\"a\"}"
	struct envelope_options retry = plain;

	retry.retry = true;
	CHECK_STRING(through(WAITS "}", &plain), WAITS "}");
	CHECK_STRING(
	    through(WAITS ",\"error\":{\"code\":\"skipped\"}}", &retry),
	    WAITS "}");
#undef WAITS
}

static void
encoding_describes_what_becomes_the_task(void)
{
	struct passage passage;
	const char *line = "{\"id\":\"a\",\"task\":{},\"encoding\":\"base64\","
			   "\"result\":\"aGk=\"}";

	open_passage(&passage);
	enter(&passage, line, &plain);
	CHECK(passage.state == ENVELOPE_READY && passage.envelope.base64);
	CHECK_STRING(buffer_string(&passage.out),
	    "{\"id\":\"a\",\"task\":\"aGk=\",\"encoding\":\"base64\"}\n");
	close_passage(&passage);
	open_passage(&passage);
	enter(&passage,
	    "{\"task\":\"aGk=\",\"task_encoding\":\"base64\",\"id\":\"a\"}",
	    &plain);
	CHECK(passage.state == ENVELOPE_READY && passage.envelope.base64);
	/* Of a finished line it goes with the task. */
	enter(&passage,
	    "{\"id\":\"a\",\"task\":\"aGk=\",\"task_encoding\":\"base64\","
	    "\"result\":[]}",
	    &plain);
	CHECK(passage.state == ENVELOPE_READY && !passage.envelope.base64);
	CHECK_STRING(
	    buffer_string(&passage.out), "{\"id\":\"a\",\"task\":[]}\n");
	close_passage(&passage);
	CHECK(state_of("{\"task\":7,\"task_encoding\":\"base64\"}", &plain) ==
	      ENVELOPE_INVALID);
	CHECK(state_of("{\"task\":{},\"encoding\":\"base64\"}", &plain) ==
	      ENVELOPE_INVALID);
	CHECK(state_of("{\"task\":\"\",\"encoding\":\"gzip\"}", &plain) ==
	      ENVELOPE_INVALID);
}

static void
a_failed_line_passes_unchanged(void)
{
	static const char *const lines[] = {
	    "{\"task\":1,\"error\":{\"code\":\"http\"}}",
	    " {\"task\":1, \"error\":\"mine\",\"result\":2,\"deadline\":3} ",
	    "{\"id\":\"not a name\",\"task\":1,\"error\":{}}",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK_STRING(through(lines[i], &plain), lines[i]);
		CHECK(state_of(lines[i], &plain) == ENVELOPE_PASS);
	}
}

static void
passing_fails_only_where_something_failed(void)
{
	struct envelope_options retry = plain;
	struct passage passage;

	retry.retry = true;
	open_passage(&passage);
	enter(&passage, "{\"task\":1,\"error\":{}}", &plain);
	CHECK(passage.envelope.failed);
	enter(&passage, "{\"task\":1,\"result\":2}", &retry);
	CHECK(passage.state == ENVELOPE_PASS && !passage.envelope.failed);
	CHECK_STRING(
	    buffer_string(&passage.out), "{\"task\":1,\"result\":2}\n");
	close_passage(&passage);
}

static void
with_retry_a_failed_line_goes_again(void)
{
	struct envelope_options retry = plain;
	const char *hopeless =
	    "{\"task\":null,\"error\":{\"code\":\"invalid\"},\"line\":3}";

	retry.retry = true;
	CHECK_STRING(
	    through("{\"id\":\"t1\",\"task\":" PAYLOAD ",\"instance\":{},"
		    "\"status\":500,\"ms\":1,\"attempts\":3,\"why\":{},"
		    "\"start\":1,\"end\":2,"
		    "\"encoding\":null,\"result\":1,"
		    "\"error\":{\"code\":\"http\"},\"key\":\"k\"}",
		&retry),
	    "{\"id\":\"t1\",\"task\":" PAYLOAD ",\"instance\":{},"
	    "\"encoding\":null,\"key\":\"k\"}");
	CHECK(state_of("{\"task\":1,\"error\":7}", &retry) == ENVELOPE_READY);
	CHECK_STRING(through(hopeless, &retry), hopeless);
	CHECK(state_of(hopeless, &retry) == ENVELOPE_PASS);
	CHECK(state_of("{\"task\":1}", &retry) == ENVELOPE_READY);
}

static void
a_given_id_stays_and_a_missing_one_is_made_first(void)
{
	CHECK_STRING(
	    through("{\"task\":1}", &plain), "{\"id\":\"run-17\",\"task\":1}");
	CHECK_STRING(through("{\"task\":1,\"id\":null}", &plain),
	    "{\"id\":\"run-17\",\"task\":1}");
	CHECK_STRING(through("{\"task\":1,\"id\":\"t-1\"}", &plain),
	    "{\"task\":1,\"id\":\"t-1\"}");
}

static void
members_that_mean_something_stand_once(void)
{
	static const char *const lines[] = {
	    "{\"task\":1,\"task\":2}",
	    "{\"id\":\"a\",\"task\":1,\"id\":\"a\"}",
	    "{\"task\":1,\"instance\":{},\"inst\\u0061nce\":{}}",
	    "{\"\\u0074ask\":1,\"task\":1}",
	    "{\"error\":{},\"task\":1,\"error\":{}}",
	    "{\"truncated\":1,\"task\":1,\"truncated\":1}",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK(state_of(lines[i], &plain) == ENVELOPE_INVALID);
		CHECK(strncmp(through(lines[i], &plain),
			  "{\"task\":null,\"error\":{\"code\":\"invalid\"",
			  38) == 0);
	}
	CHECK_STRING(through(lines[2], &plain),
	    "{\"task\":null,\"error\":{\"code\":\"invalid\",\"message\":"
	    "\"\\\"instance\\\" stands twice\",\"retryable\":false},"
	    "\"line\":17,\"input\":\"{\\\"task\\\":1,\\\"instance\\\":{},"
	    "\\\"inst\\\\u0061nce\\\":{}}\"}");
}

static void
an_escaped_name_means_the_same(void)
{
	CHECK_STRING(through("{\"\\u0069d\":\"t1\",\"t\\u0061sk\":1,"
			     "\"r\\u0065sult\":2}",
			 &plain),
	    "{\"\\u0069d\":\"t1\",\"t\\u0061sk\":2}");
}

static void
what_is_of_the_wrong_kind_is_refused_and_kept(void)
{
	static const struct {
		const char *member;
		const char *message;
	} rows[] = {
	    {"\"deadline\":\"tomorow\"",
		"\"deadline\": not an RFC 3339 time: 'tomorow'"},
	    {"\"deadline\":\"+5m\"", "\"deadline\": not an RFC"},
	    {"\"not_before\":5", "\"not_before\": not an RFC"},
	    {"\"timeout\":-1", "\"timeout\": not a number"},
	    {"\"timeout\":0", "\"timeout\": not more than 0"},
	    {"\"timeout\":\"soon\"", "\"timeout\": not a number"},
	    {"\"duration\":1e999", "\"duration\": not a number"},
	    {"\"priority\":\"high\"", "\"priority\": not a number"},
	    {"\"retries\":1.5", "\"retries\": not a whole number"},
	    {"\"retries\":-1", "\"retries\": not a whole number"},
	    {"\"service\":\"a/b\"", "\"service\": not a name"},
	    {"\"service\":[]", "\"service\": not a name"},
	    {"\"requires\":[]", "\"requires\": not an object"},
	    {"\"instance\":\"web1\"", "\"instance\": not an object"},
	    {"\"after\":\"t0\"", "\"after\": not a list"},
	    {"\"after\":[\"t 0\"]", "\"after\": not a name"},
	    {"\"when\":\"never\"", "\"when\": not"},
	    {"\"bind\":[]", "\"bind\": not an object"},
	    {"\"bind\":{\"a\":\"t0#\"}", "\"bind\": not pointers"},
	    {"\"bind\":{\"/a\":1}", "\"bind\": not pointers"},
	    {"\"group\":1", "\"group\": not a string"},
	    {"\"key\":{}", "\"key\": not a string"},
	};
	struct passage passage;
	char line[256], want[256];
	size_t i;

	open_passage(&passage);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line),
		    "{\"id\":\"t1\",\"task\":" PAYLOAD ",%s}", rows[i].member);
		enter(&passage, line, &plain);
		CHECK(passage.state == ENVELOPE_INVALID);
		CHECK(passage.envelope.failure.code == CODE_INVALID);
		CHECK(passage.error.code == EX_DATAERR);
		snprintf(want, sizeof(want), "stdin:17: %s", rows[i].message);
		if (!CHECK(strncmp(passage.error.message, want, strlen(want)) ==
			   0))
			printf("# %s\n", passage.error.message);
		line[strlen(line) - 1] = '\0';
		CHECK(strncmp(passage.out.data, line, strlen(line)) == 0);
		CHECK(strstr(buffer_string(&passage.out),
			  ",\"error\":{\"code\":\"invalid\",\"message\":") !=
		      NULL);
	}
	close_passage(&passage);
	CHECK_STRING(through("{\"id\":\"a b\",\"task\":1}", &plain),
	    "{\"id\":\"a b\",\"task\":1,\"error\":{\"code\":\"invalid\","
	    "\"message\":\"\\\"id\\\": not a name (1 to 128 of A-Z a-z 0-9 . "
	    "_ -, as in \\\"t-1\\\"): 'a b'\",\"retryable\":false}}");
}

static void
members_are_decoded(void)
{
	struct passage passage;
	const char *line =
	    "{\"task\":0,\"service\":\"r\\u0065nder\",\"priority\":-2.5,"
	    "\"duration\":\"2m\",\"timeout\":30,\"retries\":3,"
	    "\"deadline\":\"2026-11-22T10:00:00Z\","
	    "\"not_before\":\"2026-11-22T11:00:00+01:00\",\"after\":[\"t0\"],"
	    "\"when\":\"done\",\"bind\":{\"\":\"t0#/a\",\"/b\":\"t0#\"},"
	    "\"group\":\"g\",\"key\":17,\"requires\":{\"cpu\":2}}";

	open_passage(&passage);
	enter(&passage, line, &plain);
	CHECK(passage.state == ENVELOPE_READY);
	CHECK_STRING(passage.envelope.service, "render");
	CHECK_STRING(passage.envelope.id, "run-17");
	CHECK(passage.envelope.priority == -2.5);
	CHECK(passage.envelope.duration == 120);
	CHECK(passage.envelope.timeout == 30);
	CHECK(passage.envelope.retries == 3);
	CHECK(passage.envelope.deadline == 1795341600000);
	CHECK(passage.envelope.not_before == passage.envelope.deadline);
	/* The next line inherits nothing. */
	enter(&passage, "{\"task\":0,\"timeout\":null}", &plain);
	CHECK(passage.state == ENVELOPE_READY);
	CHECK(passage.envelope.service[0] == '\0');
	CHECK(passage.envelope.timeout < 0 && passage.envelope.duration < 0);
	CHECK(passage.envelope.deadline == 0 && passage.envelope.retries == -1);
	CHECK(passage.envelope.members[MEMBER_REQUIRES].span.data == NULL);
	CHECK(passage.envelope.members[MEMBER_TIMEOUT].span.data == NULL);
	close_passage(&passage);
}

/* The trace context of a line, "" for none, or what is said of it. */
static const char *
traceparent_of(struct passage *passage, const char *value)
{
	char line[200];

	snprintf(line, sizeof(line), "{\"task\":0,\"traceparent\":%s}", value);
	enter(passage, line, &plain);
	if (passage->state == ENVELOPE_READY)
		return passage->envelope.traceparent;
	CHECK(passage->state == ENVELOPE_INVALID);
	CHECK(passage->envelope.failure.code == CODE_INVALID);
	return passage->envelope.failure.message;
}

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void
a_trace_context_is_taken_as_it_is(void)
{
	struct passage passage;

	open_passage(&passage);
	CHECK_STRING(traceparent_of(&passage, "\"00-" TRACE "-" PARENT "-01\""),
	    "00-" TRACE "-" PARENT "-01");
	CHECK_STRING(
	    traceparent_of(&passage, "\"\\u00300-" TRACE "-" PARENT "-00\""),
	    "00-" TRACE "-" PARENT "-00");
	/* The next line inherits nothing. */
	CHECK_STRING(traceparent_of(&passage, "null"), "");
	close_passage(&passage);
}

static void
what_is_no_trace_context_makes_the_line_invalid(void)
{
	static const char *const values[] = {"1", "\"\"", "{}",
	    /* another version, a version that is none, too short, too long */
	    "\"01-" TRACE "-" PARENT "-01\"", "\"ff-" TRACE "-" PARENT "-01\"",
	    "\"00-" TRACE "-" PARENT "-0\"", "\"00-" TRACE "-" PARENT "-01-\"",
	    "\"00-" TRACE "-" PARENT "-001\"", "\"" TRACE "-" PARENT "-01\"",
	    /* capitals, no digits, other separators */
	    "\"00-0AF7651916cd43dd8448eb211c80319c-" PARENT "-01\"",
	    "\"00-" TRACE "-" PARENT "-0g\"", "\"00_" TRACE "-" PARENT "-01\"",
	    "\"00-" TRACE "_" PARENT "-01\"", "\"00-" TRACE "-" PARENT "_01\"",
	    /* ids of zeroes, and one that is longer than it may be */
	    "\"00-00000000000000000000000000000000-" PARENT "-01\"",
	    "\"00-" TRACE "-0000000000000000-01\"",
	    "\"00-" TRACE "0" PARENT "-01\"",
	    "\"00-" TRACE "-" PARENT "\\u0000-1\""};
	static const char wanted[] =
	    "\"traceparent\": not a trace context (00-";
	struct passage passage;
	size_t i;

	open_passage(&passage);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!CHECK(strncmp(traceparent_of(&passage, values[i]), wanted,
			       strlen(wanted)) == 0))
			printf("# %s\n", values[i]);
	close_passage(&passage);
}

static void
a_trace_context_stays_through_stages(void)
{
	static const char line[] =
	    "{\"id\":\"a\",\"task\":0,\"traceparent\":\"00-" TRACE "-" PARENT
	    "-01\",\"result\":1}";
	struct buffer out = BUFFER_INIT;
	struct passage passage;

	open_passage(&passage);
	enter(&passage, line, &plain);
	CHECK(passage.state == ENVELOPE_READY && passage.envelope.turned);
	envelope_begin(&passage.envelope, &out, 0);
	CHECK_STRING(buffer_string(&out),
	    "{\"id\":\"a\",\"task\":1,\"traceparent\":\"00-" TRACE "-" PARENT
	    "-01\"");
	buffer_release(&out);
	close_passage(&passage);
}

/* The beginning of a line is the same, written anew or in its own memory. */
static void
check_inside(const char *text, const struct envelope_options *options)
{
	const unsigned long drop =
	    MEMBER_BIT(MEMBER_INSTANCE) | MEMBER_BIT(MEMBER_STATUS);
	struct buffer wanted = BUFFER_INIT, line = BUFFER_INIT;
	struct passage passage;

	open_passage(&passage);
	/* Of what is read at once, a line is not the first. */
	buffer_append_format(&line, "another\n%s", text);
	enter_bytes(
	    &passage, line.data + strlen("another\n"), strlen(text), options);
	CHECK(passage.state == ENVELOPE_READY);
	envelope_begin(&passage.envelope, &wanted, drop);
	CHECK(envelope_begin_inside(&passage.envelope, &line, drop));
	if (!CHECK(line.length == wanted.length &&
		   memcmp(line.data, wanted.data, line.length) == 0))
		printf("# %s: %.*s\n", text, (int)line.length, line.data);
	buffer_release(&wanted);
	buffer_release(&line);
	close_passage(&passage);
}

static void
a_line_can_be_written_in_its_own_memory(void)
{
	static const struct envelope_options texts = {
	    .text = true, .run = "run", .source = "stdin"};

	check_inside("{\"id\":\"a\",\"task\":{\"x\": 1}}", &plain);
	check_inside(" {\"id\":\"a\",\"task\":1} ", &plain);
	check_inside("{\"task\":[1, 2],\"x\":3}", &plain);
	check_inside("{}", &plain);
	check_inside("  \"payload\" ", &plain);
	check_inside("{\"instance\":{},\"id\":\"a\",\"task\":1}", &plain);
	check_inside("{\"task\":1,\"stat\\u0075s\":2,\"y\":[]}", &plain);
	check_inside("{ \"id\" : \"a\" , \"task\" : 1, \"status\":1 }", &plain);
	check_inside("{\"task\":1,\"status\":2,\"id\":null}", &plain);
	check_inside("text with \"quotes\"", &texts);
}

static void
a_turned_line_can_not(void)
{
	static const char text[] = "{\"task\":1,\"result\":2}";
	struct buffer line = BUFFER_INIT;
	struct passage passage;

	open_passage(&passage);
	buffer_append_string(&line, text);
	enter_bytes(&passage, line.data, line.length, &plain);
	CHECK(!envelope_begin_inside(&passage.envelope, &line, 0));
	CHECK_STRING(buffer_string(&line), text);
	buffer_release(&line);
	close_passage(&passage);
}

static void
a_payloads_own_members_are_not_the_envelopes(void)
{
	struct passage passage;

	open_passage(&passage);
	enter(&passage, "{\"requires\":3,\"service\":\"a\"}", &plain);
	CHECK(passage.state == ENVELOPE_READY);
	CHECK(passage.envelope.service[0] == '\0');
	CHECK(passage.envelope.members[MEMBER_REQUIRES].span.data == NULL);
	close_passage(&passage);
}

static void
what_cannot_be_read_is_shown_by_its_start(void)
{
	struct passage passage;
	char text[2000], want[1400];

	open_passage(&passage);
	/* The cut falls into the middle of a character. */
	memset(text, 'a', sizeof(text));
	memcpy(text + 1022, "\xe2\x82\xac", 3);
	enter_bytes(&passage, text, sizeof(text), &plain);
	memset(want, 'a', 1022);
	memcpy(want + 1022, "\",\"truncated\":true}\n", 21);
	CHECK(passage.state == ENVELOPE_INVALID && passage.envelope.failed);
	CHECK_STRING(
	    strstr(buffer_string(&passage.out), "\"input\":\"") + 9, want);
	enter_bytes(&passage, "a\0b\x01\xff", 5, &plain);
	CHECK_STRING(strstr(buffer_string(&passage.out), ",\"line\""),
	    ",\"line\":17,\"input\":\"a\\u0000b\\u0001\xef\xbf\xbd\"}\n");
	/* 1,024 bytes exactly are not truncated. */
	enter_bytes(&passage, text, 1022, &plain);
	CHECK(strstr(buffer_string(&passage.out), "truncated") == NULL);
	close_passage(&passage);
}

static void
a_line_that_was_too_long_is_one_error_line(void)
{
	struct line line = {"{\"task\":1}", 10, 3, true, false, false};
	struct passage passage;

	open_passage(&passage);
	CHECK(envelope_enter(&passage.envelope, &line, &plain,
		  &passage.error) == ENVELOPE_INVALID);
	CHECK_STRING(passage.error.message, "stdin:3: a line of over 10 bytes");
	envelope_copy(&passage.envelope, &passage.out);
	CHECK(strstr(buffer_string(&passage.out), ",\"truncated\":true}\n") !=
	      NULL);
	close_passage(&passage);
}

static void
a_task_over_the_limit_is_kept_with_its_error(void)
{
	struct envelope_options options = plain;

	options.max_task = 4;
	CHECK_STRING(through("{\"id\":\"a\",\"task\":12345}", &options),
	    "{\"id\":\"a\",\"task\":12345,\"error\":{\"code\":\"too-large\","
	    "\"message\":\"\\\"task\\\": 5 bytes, and at most 4 are allowed "
	    "(--max-task)\",\"retryable\":false}}");
	CHECK(state_of("{\"task\":1234}", &options) == ENVELOPE_READY);
	CHECK(state_of("12345", &options) == ENVELOPE_INVALID);
	CHECK(state_of("{\"task\":\"YWJj\",\"encoding\":\"base64\"}",
		  &options) == ENVELOPE_READY);
	CHECK(state_of("{\"task\":1,\"result\":12345}", &options) ==
	      ENVELOPE_INVALID);
}

/* One line of so many times c, with quotes around it if it is JSON. */
static void
enter_long(struct passage *passage, char c, size_t length,
    const struct envelope_options *options)
{
	char *text = malloc(length);

	if (!CHECK(text != NULL))
		return;
	memset(text, c, length);
	if (!options->text)
		text[0] = text[length - 1] = '"';
	enter_bytes(passage, text, length, options);
	free(text);
}

static void
no_line_grows_longer_than_the_next_reader_takes(void)
{
	static const struct {
		char c;
		size_t length;
		bool text, kept;
	} rows[] = {
	    {'x', LINE_LENGTH_MAX - LINE_ROOM, false, true},
	    {'x', LINE_LENGTH_MAX - LINE_ROOM + 1, false, false},
	    {'x', LINE_LENGTH_MAX, false, false},
	    {'x', LINE_LENGTH_MAX - LINE_ROOM - 2, true, true},
	    {'\x01', LINE_LENGTH_MAX / 6, true, false},
	    {'\x01', LINE_LENGTH_MAX, true, false},
	};
	struct envelope_options options = plain, retry = plain;
	struct passage passage, next;
	size_t i;

	retry.retry = true;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_passage(&passage);
		open_passage(&next);
		options.text = rows[i].text;
		enter_long(&passage, rows[i].c, rows[i].length, &options);
		CHECK(passage.state == ENVELOPE_INVALID);
		CHECK(passage.envelope.failure.code == CODE_TOO_LARGE);
		CHECK(passage.out.length <= LINE_LENGTH_MAX);
		CHECK(
		    (passage.out.length > LINE_LENGTH_MAX / 2) == rows[i].kept);
		/* What is not kept cannot be sent again. */
		enter_bytes(
		    &next, passage.out.data, passage.out.length - 1, &retry);
		CHECK((next.state == ENVELOPE_PASS) == !rows[i].kept);
		close_passage(&passage);
		close_passage(&next);
	}
}

static void
a_huge_task_passes_up_to_the_limit(void)
{
	size_t length = TASK_LENGTH_MAX;
	static const char head[] = "{\"id\":\"a\",\"task\":";
	size_t start = sizeof(head) - 1;
	char *text = malloc(length + 64);
	struct passage passage;

	if (!CHECK(text != NULL))
		return;
	open_passage(&passage);
	memcpy(text, head, start);
	text[start] = '"';
	memset(text + start + 1, 'x', length - 2);
	memcpy(text + start + length - 1, "\"}", 2);
	enter_bytes(&passage, text, start + length + 1, &plain);
	CHECK(passage.state == ENVELOPE_READY);
	CHECK(passage.out.length == start + length + 2);
	CHECK(memcmp(passage.out.data, text, start + length + 1) == 0);
	close_passage(&passage);
	free(text);
}

static void
a_payload_must_leave_room_for_its_envelope(void)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	size_t deep;

	for (deep = JSON_DEPTH_MAX - 1; deep <= JSON_DEPTH_MAX; deep++) {
		memset(text, '[', deep);
		memset(text + deep, ']', deep);
		memcpy(text + 2 * deep, " ", 2);
		CHECK(state_of(text, &plain) == (deep < JSON_DEPTH_MAX
							? ENVELOPE_READY
							: ENVELOPE_INVALID));
	}
}

static void
tasks_from_outside_bring_no_results(void)
{
	struct envelope_options options = plain;

	options.outside = true;
	CHECK(state_of("{\"task\":1,\"service\":\"a\"}", &options) ==
	      ENVELOPE_READY);
	CHECK(state_of("{\"task\":1,\"instance\":{}}", &options) ==
	      ENVELOPE_INVALID);
	CHECK(state_of("{\"task\":1,\"status\":200}", &options) ==
	      ENVELOPE_INVALID);
	CHECK(state_of("{\"task\":1,\"result\":1}", &options) ==
	      ENVELOPE_INVALID);
	CHECK_STRING(
	    through("{\"id\":\"a\",\"task\":1,\"error\":{}}", &options),
	    "{\"id\":\"a\",\"task\":1,\"error\":{\"code\":\"invalid\","
	    "\"message\":\"\\\"error\\\" may not stand in a task from "
	    "outside\",\"retryable\":false}}");
}

static void
members_are_dropped_and_appended(void)
{
	struct passage passage;
	const char *line = "{\"instance\":{},\"id\":\"a\",\"why\":1,\"task\":2,"
			   "\"x\":3}";

	open_passage(&passage);
	enter(&passage, line, &plain);
	buffer_clear(&passage.out);
	envelope_begin(&passage.envelope, &passage.out,
	    MEMBER_BIT(MEMBER_INSTANCE) | MEMBER_BIT(MEMBER_WHY));
	buffer_append_string(&passage.out, ",\"why\":4");
	envelope_end(&passage.out);
	CHECK_STRING(buffer_string(&passage.out),
	    "{\"id\":\"a\",\"task\":2,\"x\":3,\"why\":4}\n");
	close_passage(&passage);
}

static void
a_failure_is_written_with_all_that_is_known(void)
{
	struct passage passage;
	struct task_failure failure;
	char body[ERROR_BODY_MAX + 2];

	open_passage(&passage);
	enter(&passage, "{\"id\":\"a\",\"task\":2,\"status\":1}", &plain);
	task_failure_set(&failure, CODE_HTTP, "HTTP %d", 500);
	failure.attempts = 3;
	failure.status = 500;
	failure.body = "oh\n\xff";
	failure.body_length = 4;
	buffer_clear(&passage.out);
	envelope_fail(&passage.envelope, &passage.out, &failure);
	CHECK_STRING(buffer_string(&passage.out),
	    "{\"id\":\"a\",\"task\":2,\"error\":{\"code\":\"http\",\"message\":"
	    "\"HTTP 500\",\"attempts\":3,\"retryable\":true,\"status\":500,"
	    "\"body\":\"oh\\n\xef\xbf\xbd\"}}\n");
	memset(body, 'b', sizeof(body));
	memcpy(body + ERROR_BODY_MAX - 1, "\xc3\xa9", 2);
	failure.body = body;
	failure.body_length = sizeof(body);
	buffer_clear(&passage.out);
	envelope_fail(&passage.envelope, &passage.out, &failure);
	CHECK(strlen(strstr(buffer_string(&passage.out), "\"bbb")) ==
	      ERROR_BODY_MAX - 1 + strlen("\"\"}}\n"));
	close_passage(&passage);
}

static void
codes_have_names_and_know_what_may_help(void)
{
	int code;

	for (code = CODE_INVALID; code < CODE_COUNT; code++)
		CHECK(task_code_name((enum task_code)code)[0] != '\0');
	CHECK_STRING(task_code_name(CODE_NO_TARGET), "no-target");
	CHECK(!task_code_retryable(CODE_INVALID));
	CHECK(task_code_retryable(CODE_BUSY));
}

static void
the_instance_of_a_line_is_read(void)
{
	static const struct {
		const char *instance;
		int found;
	} rows[] = {
	    {"{\"service\":\"r\",\"id\":\"w1\",\"address\":"
	     "\"http://w1:81/t\",\"slots\":4}",
		1},
	    {"{\"service\":\"r\",\"id\":\"w1\",\"address\":"
	     "\"http:\\/\\/w1:81/t\"}",
		1},
	    {"null", 0},
	    {"{\"service\":\"r\",\"id\":\"w1\"}", -1},
	    {"{\"service\":\"r\",\"id\":\"../w1\",\"address\":\"http://a/\"}",
		-1},
	    {"{\"service\":\"r\",\"id\":\"w1\",\"address\":\"w1:81\"}", -1},
	    {"{\"service\":\"r\",\"id\":\"w1\",\"address\":"
	     "\"http://w1:81/t\",\"slots\":-1}",
		-1},
	};
	struct task_instance instance;
	struct passage passage;
	char line[256];
	size_t i;

	open_passage(&passage);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "{\"task\":1,\"instance\":%s}",
		    rows[i].instance);
		enter(&passage, line, &plain);
		CHECK(passage.state == ENVELOPE_READY);
		CHECK(envelope_instance(&passage.envelope, &instance,
			  &passage.error) == rows[i].found);
		if (rows[i].found != 1)
			continue;
		CHECK_STRING(instance.service, "r");
		CHECK_STRING(instance.id, "w1");
		CHECK_STRING(instance.address, "http://w1:81/t");
		CHECK(instance.slots == (i == 0 ? 4 : 0));
	}
	close_passage(&passage);
}

static void
runs_have_ids_of_their_own(void)
{
	char one[40], other[40];

	task_run_id(one);
	task_run_id(other);
	CHECK(name_valid(one, strlen(one)) && strlen(one) < 40);
	CHECK(strcmp(one, other) != 0);
}

/* What an answer becomes, or its refusal. */
static const char *
result_of(const char *type, const char *body, size_t length)
{
	static char said[600];
	struct buffer out = BUFFER_INIT;
	struct svc_error error;

	if (result_append(&out, type, body, length, &error) == -1) {
		CHECK(out.length == 0);
		snprintf(
		    said, sizeof(said), "%d %s", error.code, error.message);
	} else {
		snprintf(said, sizeof(said), "%s", buffer_string(&out));
	}
	buffer_release(&out);
	return said;
}

static void
results_follow_the_content_type(void)
{
	static const char *const rows[][3] = {
	    {NULL, "{\"a\":\r\n1e400} \n", ",\"result\":{\"a\":  1e400}"},
	    {"", "1", ",\"result\":1"},
	    {"application/json", "[1]", ",\"result\":[1]"},
	    {" Application/JSON ; charset=utf-8", "[1]", ",\"result\":[1]"},
	    {"application/problem+json", "{}", ",\"result\":{}"},
	    {"text/json", "7", ",\"result\":7"},
	    {"text/plain", "a\n\"b\"", ",\"result\":\"a\\n\\\"b\\\"\""},
	    {"TEXT/CSV;charset=UTF-8", "\xc3\xa9", ",\"result\":\"\xc3\xa9\""},
	    {"text/html; x=1; charset=\"us-ascii\"", "a", ",\"result\":\"a\""},
	    {"text/plain; charset=latin1", "a",
		",\"encoding\":\"base64\",\"result\":\"YQ==\""},
	    {"text/plain", "\xe9",
		",\"encoding\":\"base64\",\"result\":\"6Q==\""},
	    {"image/png", "hi\n",
		",\"encoding\":\"base64\",\"result\":\"aGkK\""},
	    {"application/jsonx", "{}",
		",\"encoding\":\"base64\",\"result\":\"e30=\""},
	    {"image/png", "", ",\"result\":null"},
	    {NULL, "", ",\"result\":null"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STRING(
		    result_of(rows[i][0], rows[i][1], strlen(rows[i][1])),
		    rows[i][2]);
	CHECK_STRING(result_of("image/x", "\0\1\2", 3),
	    ",\"encoding\":\"base64\",\"result\":\"AAEC\"");
}

/* The same bytes, whichever way they are written. */
static void
check_poured(const char *type, const char *body, size_t length)
{
	struct buffer wanted = BUFFER_INIT, got = BUFFER_INIT;
	struct buffer store = BUFFER_INIT;
	struct svc_error error;
	struct result result;

	buffer_append(&store, body, length);
	CHECK(result_append(&wanted, type, body, length, &error) == 0);
	CHECK(result_read(
		  &result, got.length, type, store.data, length, &error) == 0);
	result_write_name(&result, &got);
	result_pour(&result, &store, &got);
	if (!CHECK(got.length == wanted.length &&
		   memcmp(got.data, wanted.data, got.length) == 0))
		printf("# %s of %zu\n", type, length);
	CHECK(store.length == 0 && store.capacity == 0);
	buffer_release(&wanted);
	buffer_release(&got);
}

static void
a_large_result_is_poured_byte_for_byte(void)
{
	/* Of every length of UTF-8, and what is escaped. */
	static const char pattern[] =
	    "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\x01\n";
	static const size_t lengths[] = {
	    1, 2, 100, 262143, 262144, 262145, 262146, 524288, 1000000};
	char *body = malloc(1000002);
	size_t i, j, length;

	for (i = 0;
	     CHECK(body != NULL) && i < sizeof(lengths) / sizeof(lengths[0]);
	     i++) {
		length = lengths[i];
		for (j = 0; j < length; j++)
			body[j] = pattern[j % (sizeof(pattern) - 1)];
		check_poured("image/png", body, length);
		/* Cut within a character it would be no text. */
		while (length > 1 && !text_valid(body, length))
			length--;
		check_poured("text/plain", body, length);
		memset(body, '\n', lengths[i] + 2);
		body[0] = '[';
		body[lengths[i] + 1] = ']';
		check_poured("application/json", body, lengths[i] + 2);
	}
	free(body);
}

static void
a_result_that_makes_the_line_too_long_is_refused(void)
{
	static const struct {
		const char *type;
		char c;
		size_t length;
	} rows[] = {
	    {"text/plain", '\x01', LINE_LENGTH_MAX / 6},
	    {"text/plain", 'x', LINE_LENGTH_MAX - 4},
	    {"image/png", 'x', LINE_LENGTH_MAX / 4 * 3},
	    {NULL, '1', LINE_LENGTH_MAX - 4},
	};
	struct buffer out = BUFFER_INIT;
	char *body = malloc(LINE_LENGTH_MAX);
	struct svc_error error;
	size_t i;

	for (i = 0; CHECK(body != NULL) && i < 4; i++) {
		memset(body, rows[i].c, rows[i].length);
		buffer_clear(&out);
		buffer_append_string(&out, "{\"task\":1");
		CHECK(result_append(&out, rows[i].type, body, rows[i].length,
			  &error) == -1);
		CHECK(error.code == EX_DATAERR && out.length == 9);
		CHECK(result_append(&out, rows[i].type, body,
			  rows[i].length - 100, &error) == 0);
		CHECK(out.length < LINE_LENGTH_MAX);
	}
	free(body);
	buffer_release(&out);
}

static void
an_answer_that_is_not_what_it_says_is_refused(void)
{
	char deep[2 * JSON_DEPTH_MAX];

	CHECK(strncmp(result_of("application/json", "{", 1), "76 ", 3) == 0);
	CHECK(strncmp(result_of(NULL, "hello", 5), "76 ", 3) == 0);
	CHECK(strncmp(result_of(NULL, " \n", 2), "76 ", 3) == 0);
	memset(deep, '[', JSON_DEPTH_MAX);
	memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	CHECK(strncmp(result_of(NULL, deep, sizeof(deep)), "76 ", 3) == 0);
}

static void
base64_of_any_bytes_reads_back(void)
{
	struct buffer text = BUFFER_INIT, back = BUFFER_INIT;
	unsigned char bytes[1024];
	size_t length, i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)((i * 2654435761U) >> 11);
	for (length = 0; length < sizeof(bytes); length++) {
		buffer_clear(&text);
		buffer_clear(&back);
		base64_encode(&text, bytes, length);
		CHECK(base64_decode(&back, text.data, text.length) == 0);
		CHECK(back.length == length &&
		      (length == 0 || memcmp(back.data, bytes, length) == 0));
	}
	buffer_release(&text);
	buffer_release(&back);
}

/* Whether task is sent as want, or, where that is NULL, refused. */
static void
check_payload(const char *task, bool base64, const char *type, const char *want)
{
	struct json_document document = {0};
	struct buffer store = BUFFER_INIT;
	struct json_span body;
	struct svc_error error;
	int done;

	CHECK(json_scan(&document, task, strlen(task), &error) == 0);
	done =
	    payload_read(&body, &document.value, base64, type, &store, &error);
	if (want == NULL)
		CHECK(done == -1 && error.code == EX_DATAERR);
	else if (!CHECK(done == 0 && body.length == strlen(want) &&
			memcmp(body.data, want, body.length) == 0))
		printf("# %s as %s\n", task, type == NULL ? "-" : type);
	json_document_release(&document);
	buffer_release(&store);
}

static void
payloads_are_decoded_where_they_are_base64(void)
{
	static const struct {
		const char *task;
		const char *want; /* NULL: refused */
	} rows[] = {
	    {"\"aGkK\"", "hi\n"},
	    {"\"YQ==\"", "a"},
	    {"\"\"", ""},
	    {"\"YQ\\u003d=\"", "a"},
	    {"\"a\"", NULL},
	    {"\"aGk\\u0000\"", NULL},
	    {"\"$$$$\"", NULL},
	    {"\"YWJjZA==\"", "abcd"},
	    {"\"++//\"", "\xfb\xef\xff"},
	    {"\"YQ==YQ==\"", NULL},
	    {"\"YR==\"", NULL},
	    {"\"YQ=a\"", NULL},
	    {"\"=\"", NULL},
	    {"\"====\"", NULL},
	    {"\"YQ= =\"", NULL},
	    {"\" YQ==\"", NULL},
	    {"7", NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_payload(rows[i].task, true, "text/plain", rows[i].want);
		check_payload(rows[i].task, false, NULL, rows[i].task);
	}
}

static void
strings_are_sent_as_they_read_where_the_type_is_text(void)
{
	static const struct {
		const char *type, *task;
		const char *want; /* NULL: refused */
	} rows[] = {
	    {"text/plain", "\"hi\"", "hi"},
	    {" Text/CSV ;charset=UTF-8", "\"a\\n\\u00e4\"", "a\n\xc3\xa4"},
	    {"text/plain; charset=us-ascii", "\"\"", ""},
	    {"text/plain", "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
	    {"text/plain", "\"\\ud83d\"", NULL},
	    {"text/plain; charset=latin1", "\"hi\"", NULL},
	    {"text/plain", "7", NULL},
	    {"text/plain", "null", NULL},
	    {"text/plain", "[\"a\"]", NULL},
	    {"text/json", "\"hi\"", "\"hi\""},
	    {"text/x+json", "\"hi\"", "\"hi\""},
	    {"application/x-ndjson", "\"hi\"", "\"hi\""},
	    {"text", "\"hi\"", "\"hi\""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_payload(rows[i].task, false, rows[i].type, rows[i].want);
}

int
main(void)
{
	RUN(payloads_travel_byte_for_byte);
	RUN(what_has_no_member_task_is_a_payload);
	RUN(with_bare_every_line_is_a_payload);
	RUN(with_text_every_line_is_a_string);
	RUN(a_finished_line_is_turned);
	RUN(a_turned_line_waits_for_nobody);
	RUN(a_line_to_be_done_keeps_what_it_waits_for);
	RUN(encoding_describes_what_becomes_the_task);
	RUN(a_failed_line_passes_unchanged);
	RUN(passing_fails_only_where_something_failed);
	RUN(with_retry_a_failed_line_goes_again);
	RUN(a_given_id_stays_and_a_missing_one_is_made_first);
	RUN(members_that_mean_something_stand_once);
	RUN(an_escaped_name_means_the_same);
	RUN(what_is_of_the_wrong_kind_is_refused_and_kept);
	RUN(members_are_decoded);
	RUN(a_trace_context_is_taken_as_it_is);
	RUN(what_is_no_trace_context_makes_the_line_invalid);
	RUN(a_trace_context_stays_through_stages);
	RUN(a_line_can_be_written_in_its_own_memory);
	RUN(a_turned_line_can_not);
	RUN(a_payloads_own_members_are_not_the_envelopes);
	RUN(what_cannot_be_read_is_shown_by_its_start);
	RUN(a_line_that_was_too_long_is_one_error_line);
	RUN(a_task_over_the_limit_is_kept_with_its_error);
	RUN(no_line_grows_longer_than_the_next_reader_takes);
	RUN(a_huge_task_passes_up_to_the_limit);
	RUN(a_payload_must_leave_room_for_its_envelope);
	RUN(tasks_from_outside_bring_no_results);
	RUN(members_are_dropped_and_appended);
	RUN(a_failure_is_written_with_all_that_is_known);
	RUN(codes_have_names_and_know_what_may_help);
	RUN(the_instance_of_a_line_is_read);
	RUN(runs_have_ids_of_their_own);
	RUN(results_follow_the_content_type);
	RUN(a_large_result_is_poured_byte_for_byte);
	RUN(a_result_that_makes_the_line_too_long_is_refused);
	RUN(an_answer_that_is_not_what_it_says_is_refused);
	RUN(base64_of_any_bytes_reads_back);
	RUN(payloads_are_decoded_where_they_are_base64);
	RUN(strings_are_sent_as_they_read_where_the_type_is_text);
	return check_done();
}
