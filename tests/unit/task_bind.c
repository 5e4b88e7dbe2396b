#include "flow/task_bind.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "line/base64.h"
#include "line/task.h"

static const struct envelope_options plain = {.run = "run", .source = "stdin"};

/* The results that there are, as members of one object; counts who asks. */
struct results {
	const char *text; /* {"ID":RESULT,...}; "b64": a string of base64 */
	int asked;
};

static int
find_result(void *argument, const char *id, struct task_result *found,
    struct svc_error *error)
{
	struct results *results = argument;
	struct json_span text = {results->text, strlen(results->text)};

	results->asked++;
	if (json_path(text, id, &found->value) == 0)
		return svc_error_set(error, EX_IOERR, "no result of %s", id);
	found->base64 = strcmp(id, "b64") == 0;
	return 0;
}

/* One task filled in, behind what is in out already. */
struct filling {
	struct results results;
	struct buffer out;
	bool base64;
	struct svc_error error;
};

/* What becomes of {"task":TASK,"bind":BIND} with these results. */
static int
fill(struct filling *filling, const char *task, const char *bind,
    const char *results, size_t limit)
{
	struct task_links links = {0};
	struct envelope envelope;
	struct buffer text = BUFFER_INIT;
	struct line line = {.number = 1};
	int result;

	memset(filling, 0, sizeof(*filling));
	filling->results.text = results;
	buffer_append_string(&filling->out, ">");
	buffer_append_format(&text, "{\"task\":%s%s%s}", task,
	    bind == NULL ? "" : ",\"bind\":", bind == NULL ? "" : bind);
	line.data = text.data;
	line.length = text.length;
	envelope_init(&envelope);
	CHECK(envelope_enter(&envelope, &line, &plain, &filling->error) ==
	      ENVELOPE_READY);
	CHECK(task_links_read(&links, &envelope, &filling->error) == 0);
	result = task_bind(&links, &envelope.task, limit, find_result,
	    &filling->results, &filling->out, &filling->base64,
	    &filling->error);
	/* What is to be sent is JSON; else nothing has been appended. */
	if (result == 0)
		CHECK(
		    json_valid(filling->out.data + 1, filling->out.length - 1));
	else
		CHECK(filling->out.length == 1 && !filling->base64);
	task_links_release(&links);
	envelope_release(&envelope);
	buffer_release(&text);
	return result;
}

static void
empty(struct filling *filling)
{
	buffer_release(&filling->out);
}

struct row {
	const char *task, *bind, *results, *want; /* an error's message */
};

static void
check_rows(const struct row *rows, size_t count, int code)
{
	struct filling filling;
	size_t i;

	for (i = 0; i < count; i++) {
		if (fill(&filling, rows[i].task, rows[i].bind, rows[i].results,
			0) == 0) {
			CHECK(code == 0);
			CHECK_STRING(
			    buffer_string(&filling.out) + 1, rows[i].want);
		} else {
			CHECK(filling.error.code == code);
			CHECK_STRING(filling.error.message, rows[i].want);
		}
		empty(&filling);
	}
}
#define ROWS(rows, code) \
	check_rows(rows, sizeof(rows) / sizeof((rows)[0]), code)

static void
results_go_to_their_places(void)
{
	static const struct row rows[] = {
	    {"{\"n\":null}", "{\"/n\":\"a\"}", "{\"a\":49}", "{\"n\":49}"},
	    {"{\"n\":null}", "{\"/n\":\"a#\"}", "{\"a\":{\"x\":[1]}}",
		"{\"n\":{\"x\":[1]}}"},
	    {"{\"n\":null}", "{\"/n\":\"a#/x/0\"}", "{\"a\":{\"x\":[1]}}",
		"{\"n\":1}"},
	    {"[null,{\"x\":{\"y\":null}},2,null]",
		"{\"/1/x/y\":\"a\",\"/3\":\"b\",\"/0\":\"c\"}",
		"{\"a\":\"A\",\"b\":true,\"c\":null}",
		"[null,{\"x\":{\"y\":\"A\"}},2,true]"},
	    /* the space of the task stays */
	    {"{ \"a\" : null , \"b\":[ null ] }",
		"{\"/b/0\":\"x\",\"/a\":\"x\"}", "{\"x\":{ \"y\" : 1 }}",
		"{ \"a\" : { \"y\" : 1 } , \"b\":[ { \"y\" : 1 } ] }"},
	    {"{\"n\":1}", NULL, "{}", "{\"n\":1}"},
	    {"{\"n\":null}", "{}", "{}", "{\"n\":null}"},
	};

	ROWS(rows, 0);
}

static void
a_whole_task_is_bound_whatever_it_is(void)
{
	static const struct row rows[] = {
	    {"null", "{\"\":\"a\"}", "{\"a\":[1, 2]}", "[1, 2]"},
	    {"{\"x\":7}", "{\"\":\"a#/1\"}", "{\"a\":[1, 2]}", "2"},
	    {"\"text\"", "{\"\":\"a#/x\"}", "{\"a\":{\"x\":null}}", "null"},
	};

	ROWS(rows, 0);
}

static void
names_are_found_through_their_escapes(void)
{
	static const struct row rows[] = {
	    {"{\"a/b\":null,\"m~n\":null}",
		"{\"/a~1b\":\"t#/m~0n\",\"/m~0n\":\"t#/a~1b\"}",
		"{\"t\":{\"a/b\":1,\"m~n\":2}}", "{\"a/b\":2,\"m~n\":1}"},
	    {"{\"~1\":null}", "{\"/~01\":\"t#/~01\"}",
		"{\"t\":{\"/\":1,\"~1\":2}}", "{\"~1\":2}"},
	    {"{\"\\u0061\":null}", "{\"/a\":\"t#/a\"}",
		"{\"t\":{\"\\u0061\":3}}", "{\"\\u0061\":3}"},
	};

	ROWS(rows, 0);
}

static void
bytes_are_copied_and_never_printed_anew(void)
{
	static const struct row rows[] = {
	    {"{\"n\":null,\"k\":1e400,\"d\":1,\"d\":2}", "{\"/n\":\"a\"}",
		"{\"a\":[1e400,9007199254740993,-0,1.10,\"\\u0041\\/\"]}",
		"{\"n\":[1e400,9007199254740993,-0,1.10,\"\\u0041\\/\"],"
		"\"k\":1e400,\"d\":1,\"d\":2}"},
	    {"{\"n\":null}", "{\"/n\":\"a#/x\"}",
		"{\"a\":{\"x\":9007199254740993,\"x\":1e400}}",
		"{\"n\":1e400}"},
	    {"{\"n\":null}", "{\"/n\":\"a\"}",
		"{\"a\":{\"b\":1,\"a\":2,\"b\":3}}",
		"{\"n\":{\"b\":1,\"a\":2,\"b\":3}}"},
	    /* of keys that stand twice in the task the last one */
	    {"{\"x\":null,\"x\":null}", "{\"/x\":\"a\"}", "{\"a\":5}",
		"{\"x\":null,\"x\":5}"},
	};

	ROWS(rows, 0);
}

static void
a_part_that_is_not_there_is_told(void)
{
	static const struct row rows[] = {
	    {"[null]", "{\"/0\":\"a#/files/0\"}", "{\"a\":{\"files\":[]}}",
		"a: no /files/0 in its result"},
	    {"[null]", "{\"/0\":\"a#/x\"}", "{\"a\":null}",
		"a: no /x in its result"},
	    {"[null,null]", "{\"/0\":\"a\",\"/1\":\"a#/x\"}", "{\"a\":\"x\"}",
		"a: no /x in its result"},
	    {"1", "{\"\":\"a#/-\"}", "{\"a\":[1]}", "a: no /- in its result"},
	};

	ROWS(rows, EX_DATAERR);
}

static void
what_finds_no_result_says_why(void)
{
	static const struct row rows[] = {
	    {"[null]", "{\"/0\":\"a\"}", "{}", "no result of a"},
	    {"1", "{\"\":\"a\"}", "{}", "no result of a"},
	};

	ROWS(rows, EX_IOERR);
}

static void
base64_stands_for_bytes_only_where_it_is_the_whole(void)
{
	static const struct {
		const char *bind, *want;
		bool base64;
	} rows[] = {
	    {"{\"\":\"b64\"}", "\"aGk=\"", true},
	    {"{\"\":\"text\"}", "\"aGk=\"", false},
	    {"{\"/x\":\"b64\"}", "{\"x\":\"aGk=\"}", false},
	};
	struct filling filling;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(fill(&filling, "{\"x\":null}", rows[i].bind,
			  "{\"b64\":\"aGk=\",\"text\":\"aGk=\"}", 0) == 0);
		CHECK_STRING(buffer_string(&filling.out) + 1, rows[i].want);
		CHECK(filling.base64 == rows[i].base64);
		empty(&filling);
	}
}

/* The result of a, of length bytes with its quotes. */
static void
check_limit(const char *bind, size_t length, size_t limit, bool fits)
{
	struct buffer results = BUFFER_INIT;
	struct filling filling;
	size_t i;

	buffer_append_string(&results, "{\"a\":\"");
	for (i = 0; i < length - 2; i++)
		buffer_append_char(&results, 'x');
	buffer_append_string(&results, "\"}");
	if (fits) {
		CHECK(fill(&filling, "[null,null]", bind,
			  buffer_string(&results), limit) == 0);
		CHECK(limit == 0 || filling.out.length <= limit + 1);
	} else {
		CHECK(fill(&filling, "[null,null]", bind,
			  buffer_string(&results), limit) == -1);
		CHECK(filling.error.code == EX_CANTCREAT);
		CHECK(strstr(filling.error.message, "(--max-task)") != NULL);
	}
	empty(&filling);
	buffer_release(&results);
}

static void
no_more_than_the_limit_is_made(void)
{
	check_limit("{\"\":\"a\"}", 100, 100, true);
	check_limit("{\"\":\"a\"}", 101, 100, false);
	/* [null,RESULT] */
	check_limit("{\"/1\":\"a\"}", 93, 100, true);
	check_limit("{\"/1\":\"a\"}", 94, 100, false);
	check_limit("{\"/0\":\"a\",\"/1\":\"a\"}", 48, 99, true);
	check_limit("{\"/0\":\"a\",\"/1\":\"a\"}", 49, 100, false);
	/* 0 is what holds where nobody says anything */
	check_limit("{\"\":\"a\"}", TASK_LENGTH_MAX, 0, true);
	check_limit("{\"\":\"a\"}", TASK_LENGTH_MAX + 1, 0, false);
}

static void
of_base64_the_bytes_that_it_stands_for_are_limited(void)
{
	static const char bytes[102];
	size_t length;

	for (length = 1; length <= sizeof(bytes); length++) {
		struct buffer results = BUFFER_INIT;
		struct filling filling;
		/* padding counts as bytes, as in every task line */
		size_t rounded = (length + 2) / 3 * 3;

		buffer_append_string(&results, "{\"b64\":\"");
		base64_encode(&results, bytes, length);
		buffer_append_string(&results, "\"}");
		CHECK(fill(&filling, "1", "{\"\":\"b64\"}",
			  buffer_string(&results),
			  60) == (rounded <= 60 ? 0 : -1));
		empty(&filling);
		buffer_release(&results);
	}
}

/* A result may nest as deep as a payload; in a task it is deeper. */
static void
what_would_nest_too_deeply_is_refused(void)
{
	struct buffer results = BUFFER_INIT;
	struct filling filling;
	int i;

	buffer_append_string(&results, "{\"a\":");
	for (i = 0; i < JSON_DEPTH_MAX - 1; i++)
		buffer_append_char(&results, '[');
	for (i = 0; i < JSON_DEPTH_MAX - 1; i++)
		buffer_append_char(&results, ']');
	buffer_append_string(&results, "}");
	CHECK(fill(&filling, "1", "{\"\":\"a\"}", buffer_string(&results), 0) ==
	      0);
	empty(&filling);
	CHECK(fill(&filling, "[null]", "{\"/0\":\"a#/0\"}",
		  buffer_string(&results), 0) == 0);
	empty(&filling);
	CHECK(fill(&filling, "[null]", "{\"/0\":\"a\"}",
		  buffer_string(&results), 0) == -1);
	CHECK(filling.error.code == EX_CANTCREAT);
	CHECK_STRING(filling.error.message,
	    "\"task\": nested deeper than 511 levels with the results that it "
	    "binds");
	empty(&filling);
	buffer_release(&results);
}

static void
several_parts_of_one_result_are_taken_in_one_go(void)
{
	struct filling filling;

	CHECK(fill(&filling, "[null,null,null,null]",
		  "{\"/0\":\"a#/x\",\"/1\":\"a#/y\",\"/2\":\"b\",\"/3\":\"a\"}",
		  "{\"a\":{\"x\":1,\"y\":2},\"b\":3}", 0) == 0);
	CHECK_STRING(
	    buffer_string(&filling.out) + 1, "[1,2,3,{\"x\":1,\"y\":2}]");
	CHECK(filling.results.asked == 3);
	empty(&filling);
}

int
main(void)
{
	RUN(results_go_to_their_places);
	RUN(a_whole_task_is_bound_whatever_it_is);
	RUN(names_are_found_through_their_escapes);
	RUN(bytes_are_copied_and_never_printed_anew);
	RUN(a_part_that_is_not_there_is_told);
	RUN(what_finds_no_result_says_why);
	RUN(base64_stands_for_bytes_only_where_it_is_the_whole);
	RUN(no_more_than_the_limit_is_made);
	RUN(of_base64_the_bytes_that_it_stands_for_are_limited);
	RUN(what_would_nest_too_deeply_is_refused);
	RUN(several_parts_of_one_result_are_taken_in_one_go);
	return check_done();
}
