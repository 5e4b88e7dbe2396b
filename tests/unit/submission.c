#include "line/submission.h"

#include "check.h"

static const struct submission_options nothing = {.retries = -1};

/* What is stored of one line, or of a payload. */
struct stored {
	char id[NAME_MAX_LENGTH + 1];
	struct buffer line;
};

static void
store(struct stored *stored, const char *text, bool bare,
    const struct submission_options *options)
{
	const struct envelope_options lines = {
	    .bare = bare, .outside = true, .run = "run", .source = "stdin"};
	const struct line line = {
	    .data = text, .length = strlen(text), .number = 7};
	struct envelope envelope;
	struct svc_error error;

	envelope_init(&envelope);
	buffer_init(&stored->line);
	stored->id[0] = '\0';
	if (CHECK(envelope_enter(&envelope, &line, &lines, &error) ==
		  ENVELOPE_READY))
		submission_write(&envelope, options, &stored->line, stored->id);
	envelope_release(&envelope);
}

static void
check_line(const char *text, const struct submission_options *options,
    const char *id, const char *want)
{
	struct stored stored;

	store(&stored, text, false, options);
	CHECK_STRING(buffer_string(&stored.line), want);
	CHECK_STRING(stored.id, id);
	buffer_release(&stored.line);
}

static void
an_id_stands_first_and_the_rest_keeps_its_order_and_bytes(void)
{
	check_line("{ \"group\" : \"g\", \"task\": {\"b\": 1, \"a\":1e400} , "
		   "\"id\":\"t1\", \"x\":null}",
	    &nothing, "t1",
	    "{\"id\":\"t1\",\"group\":\"g\",\"task\":{\"b\": 1, \"a\":1e400},"
	    "\"x\":null}\n");
}

static void
a_payload_becomes_a_line_with_a_made_id(void)
{
	check_line("{\"a\": [1, 2]}", &nothing, "run-7",
	    "{\"id\":\"run-7\",\"task\":{\"a\": [1, 2]}}\n");
	check_line("{\"task\":1}", &nothing, "run-7",
	    "{\"id\":\"run-7\",\"task\":1}\n");
}

static void
a_bare_line_is_a_payload_although_it_looks_like_a_task(void)
{
	struct stored stored;

	store(&stored, "{\"id\":\"t1\",\"task\":1}", true, &nothing);
	CHECK_STRING(buffer_string(&stored.line),
	    "{\"id\":\"run-7\",\"task\":{\"id\":\"t1\",\"task\":1}}\n");
	buffer_release(&stored.line);
}

static const char *const after[] = {"a", "b.1"};
static const struct submission_options all = {
    .id = "t9",
    .service = "render",
    .has_priority = true,
    .priority = 2.5,
    .after = after,
    .after_count = 2,
    .not_before = 1000,
    .deadline = 2250,
    .retries = 0,
};

static void
options_say_what_the_line_does_not(void)
{
	check_line("1", &all, "t9",
	    "{\"id\":\"t9\",\"task\":1,\"service\":\"render\","
	    "\"priority\":2.5,\"after\":[\"a\",\"b.1\"],"
	    "\"not_before\":\"1970-01-01T00:00:01.000Z\","
	    "\"deadline\":\"1970-01-01T00:00:02.250Z\",\"retries\":0}\n");
}

static void
the_line_beats_the_options(void)
{
	static const char line[] =
	    "{\"id\":\"t1\",\"task\":1,\"service\":\"s\",\"priority\":0,"
	    "\"after\":[],\"not_before\":\"2026-11-22T10:00:00Z\","
	    "\"deadline\":\"2026-11-22T11:00:00Z\",\"retries\":3}";
	char want[sizeof(line) + 1];

	snprintf(want, sizeof(want), "%s\n", line);
	check_line(line, &all, "t1", want);
}

static void
a_member_that_is_null_says_nothing_and_stands_nowhere_twice(void)
{
	check_line("{\"task\":null,\"service\":null,\"id\":null,"
		   "\"deadline\":null}",
	    &(struct submission_options){.service = "render", .retries = -1},
	    "run-7",
	    "{\"id\":\"run-7\",\"task\":null,\"service\":\"render\"}\n");
}

/* printf %s '{"task":{"a":1}}' | sha256sum | cut -c 1-32 */
#define UNIQUE "u-0c766e33e61d2a1d74be581df40cb643"

static void
content_makes_an_id_that_others_can_make_too(void)
{
	const struct submission_options unique = {
	    .unique = true, .retries = -1};

	check_line("{\"a\":1}", &unique, UNIQUE,
	    "{\"id\":\"" UNIQUE "\",\"task\":{\"a\":1}}\n");
	check_line(" { \"task\" : {\"a\":1} } ", &unique, UNIQUE,
	    "{\"id\":\"" UNIQUE "\",\"task\":{\"a\":1}}\n");
	check_line("{\"task\":{\"a\":1},\"id\":\"own\"}", &unique, "own",
	    "{\"id\":\"own\",\"task\":{\"a\":1}}\n");
}

static void
options_are_part_of_the_content(void)
{
	const struct submission_options plain = {.unique = true, .retries = -1};
	const struct submission_options other = {
	    .unique = true, .service = "s", .retries = -1};
	struct stored a, b;

	store(&a, "1", false, &plain);
	store(&b, "1", false, &other);
	CHECK(strcmp(a.id, b.id) != 0);
	buffer_release(&a.line);
	buffer_release(&b.line);
}

static void
what_is_appended_stands_behind_what_was_there(void)
{
	const struct submission_options unique = {
	    .unique = true, .retries = -1};
	const struct envelope_options lines = {.run = "run", .source = "stdin"};
	const struct line line = {.data = "{\"a\":1}", .length = 7};
	char id[NAME_MAX_LENGTH + 1];
	struct buffer out = BUFFER_INIT;
	struct envelope envelope;
	struct svc_error error;

	envelope_init(&envelope);
	buffer_append_string(&out, "before");
	CHECK(
	    envelope_enter(&envelope, &line, &lines, &error) == ENVELOPE_READY);
	submission_write(&envelope, &unique, &out, id);
	CHECK_STRING(buffer_string(&out),
	    "before{\"id\":\"" UNIQUE "\",\"task\":{\"a\":1}}\n");
	envelope_release(&envelope);
	buffer_release(&out);
}

int
main(void)
{
	RUN(an_id_stands_first_and_the_rest_keeps_its_order_and_bytes);
	RUN(a_payload_becomes_a_line_with_a_made_id);
	RUN(a_bare_line_is_a_payload_although_it_looks_like_a_task);
	RUN(options_say_what_the_line_does_not);
	RUN(the_line_beats_the_options);
	RUN(a_member_that_is_null_says_nothing_and_stands_nowhere_twice);
	RUN(content_makes_an_id_that_others_can_make_too);
	RUN(options_are_part_of_the_content);
	RUN(what_is_appended_stands_behind_what_was_there);
	return check_done();
}
