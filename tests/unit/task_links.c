#include "flow/task_links.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"

static const struct envelope_options plain = {.run = "run", .source = "stdin"};

static void
enter(struct envelope *envelope, const char *text, size_t length)
{
	struct line line = {text, length, 1, false, false, false};
	struct svc_error error;

	if (!CHECK(envelope_enter(envelope, &line, &plain, &error) ==
		   ENVELOPE_READY))
		printf("# %.200s: %s\n", text, error.message);
}

/*
 * "ok b c | a, /x=b#/y" of links: when, the names of bindings, the others, the
 * bindings.
 */
static void
describe(const struct task_links *links, struct buffer *out)
{
	static const char *const whens[] = {"ok", "failed", "done"};
	const struct task_binding *binding;
	size_t i;

	buffer_append_string(out, whens[links->when]);
	for (i = 0; i < links->after_count; i++)
		buffer_append_format(out, "%s %s",
		    i == links->bound_count ? " |" : "", links->after[i]);
	for (i = 0; i < links->binding_count; i++) {
		binding = &links->bindings[i];
		buffer_append_format(out, ", %s=%s#%s", binding->into,
		    binding->id, binding->from);
	}
}

/* What is read of a line that is {"task":TASK,REST}, or why it is not. */
static const char *
read_links(struct task_links *links, const char *task, const char *rest)
{
	static char said[1024];
	struct envelope envelope;
	struct buffer line = BUFFER_INIT, out = BUFFER_INIT;
	struct svc_error error;

	envelope_init(&envelope);
	buffer_append_format(
	    &line, "{\"task\":%s%s%s}", task, *rest == '\0' ? "" : ",", rest);
	enter(&envelope, line.data, line.length);
	CHECK(task_links_any(&envelope) == (*rest != '\0'));
	if (task_links_read(links, &envelope, &error) == 0) {
		describe(links, &out);
	} else {
		CHECK(error.code == EX_DATAERR);
		CHECK(links->after_count == 0 && links->bound_count == 0 &&
		      links->binding_count == 0 && links->when == WHEN_OK);
		buffer_append_string(&out, error.message);
	}
	snprintf(said, sizeof(said), "%s", buffer_string(&out));
	buffer_release(&line);
	buffer_release(&out);
	envelope_release(&envelope);
	return said;
}

struct row {
	const char *task, *rest, *said;
};

/* All with the same links, so that nothing stays behind of a line. */
static void
check_rows(const struct row *rows, size_t count)
{
	struct task_links links = {0};
	size_t i;

	for (i = 0; i < count; i++)
		CHECK_STRING(read_links(&links, rows[i].task, rows[i].rest),
		    rows[i].said);
	task_links_release(&links);
}
#define ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void
after_and_when_are_read(void)
{
	static const struct row rows[] = {
	    {"1", "", "ok"},
	    {"1", "\"after\":[]", "ok"},
	    {"1", "\"after\":[\"a\"]", "ok | a"},
	    {"1", "\"after\":[\"b\",\"a\"],\"when\":\"failed\"",
		"failed | b a"},
	    {"1", "\"when\":\"done\",\"after\":[\"a\"]", "done | a"},
	    {"1", "\"when\":\"ok\"", "ok"},
	    {"1", "\"after\":[\"b\",\"a\",\"b\",\"c\",\"a\",\"b\"]",
		"ok | b a c"},
	    {"1", "\"after\":[\"\\u0061\",\"a\"]", "ok | a"},
	};

	ROWS(rows);
}

static void
null_says_nothing(void)
{
	struct envelope envelope;
	struct task_links links = {0};
	static const char line[] =
	    "{\"task\":1,\"after\":null,\"when\":null,\"bind\":null}";

	envelope_init(&envelope);
	enter(&envelope, line, strlen(line));
	CHECK(!task_links_any(&envelope));
	CHECK(task_links_read(&links, &envelope, NULL) == 0);
	CHECK(links.after_count == 0 && links.binding_count == 0);
	envelope_release(&envelope);
	task_links_release(&links);
}

static void
what_is_bound_is_implied_in_after(void)
{
	static const struct row rows[] = {
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a\"}", "ok a, /x=a#"},
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a#\"}", "ok a, /x=a#"},
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a#/\"}", "ok a, /x=a#/"},
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a#/y/0\"},\"after\":[\"b\"]",
		"ok a | b, /x=a#/y/0"},
	    {"{\"x\":null}", "\"after\":[\"b\",\"a\"],\"bind\":{\"/x\":\"a\"}",
		"ok a | b, /x=a#"},
	    {"{\"x\":null,\"y\":null}",
		"\"bind\":{\"/x\":\"a#/p\",\"/y\":\"a#/q\"}",
		"ok a, /x=a#/p, /y=a#/q"},
	    {"7", "\"bind\":{\"\":\"a\"},\"when\":\"done\"", "done a, =a#"},
	    {"{\"x\":null}", "\"bind\":{\"\":\"a#/x\"}", "ok a, =a#/x"},
	    {"1", "\"bind\":{}", "ok"},
	    /* behind the first '#' everything is the pointer */
	    {"[null]", "\"bind\":{\"/0\":\"a#/b#c\"}", "ok a, /0=a#/b#c"},
	};

	ROWS(rows);
}

static void
bindings_are_in_the_order_of_their_places(void)
{
	static const struct row rows[] = {
	    {"{\"z\":null,\"a\":[null,{\"b\":null}]}",
		"\"bind\":{\"/a/1/b\":\"p\",\"/a/0\":\"q\",\"/z\":\"r\"}",
		"ok p q r, /z=r#, /a/0=q#, /a/1/b=p#"},
	    {"[null,null,null,null,null,null,null,null,null,null,null]",
		"\"bind\":{\"/10\":\"a\",\"/9\":\"b\",\"/1\":\"c\"}",
		"ok a b c, /1=c#, /9=b#, /10=a#"},
	    {"{\"a-b\":null,\"a\":{\"c\":null,\"\":null},\"a.b\":null}",
		"\"bind\":{\"/a.b\":\"s\",\"/a/\":\"t\",\"/a-b\":\"u\","
		"\"/a/c\":\"v\"}",
		"ok s t u v, /a-b=u#, /a/c=v#, /a/=t#, /a.b=s#"},
	};

	ROWS(rows);
}

static void
names_in_pointers_may_be_escaped(void)
{
	static const struct row rows[] = {
	    {"{\"a/b\":null}", "\"bind\":{\"/a~1b\":\"t\"}", "ok t, /a~1b=t#"},
	    {"{\"m~n\":null}", "\"bind\":{\"/m~0n\":\"t\"}", "ok t, /m~0n=t#"},
	    {"{\"~1\":null}", "\"bind\":{\"/~01\":\"t\"}", "ok t, /~01=t#"},
	    {"{\"\":null}", "\"bind\":{\"/\":\"t\"}", "ok t, /=t#"},
	    {"{\"\\u0061\\u002f\":null}", "\"bind\":{\"/a~1\":\"t\"}",
		"ok t, /a~1=t#"},
	    {"{\"a\":null}", "\"bind\":{\"\\/\\u0061\":\"t\\u0023\\/x\"}",
		"ok t, /a=t#/x"},
	    {"{\"\\ud83d\\ude00\":null}",
		"\"bind\":{\"/\xf0\x9f\x98\x80\":\"t\"}",
		"ok t, /\xf0\x9f\x98\x80=t#"},
	    /* "0" is a name, too */
	    {"{\"0\":null}", "\"bind\":{\"/0\":\"t\"}", "ok t, /0=t#"},
	};

	ROWS(rows);
}

static void
of_keys_that_stand_twice_the_last_one_counts(void)
{
	static const struct row rows[] = {
	    {"{\"x\":1,\"x\":null}", "\"bind\":{\"/x\":\"a\"}", "ok a, /x=a#"},
	    {"{\"x\":null,\"x\":1}", "\"bind\":{\"/x\":\"a\"}",
		"\"bind\": '/x' does not hold null in the task"},
	    {"{\"x\":{\"y\":null},\"x\":{}}", "\"bind\":{\"/x/y\":\"a\"}",
		"\"bind\": '/x/y' is not there in the task"},
	};

	ROWS(rows);
}

static void
only_null_has_a_result_put_into_its_place(void)
{
	static const struct row rows[] = {
	    {"{\"x\":0}", "\"bind\":{\"/x\":\"a\"}",
		"\"bind\": '/x' does not hold null in the task"},
	    {"{\"x\":\"null\"}", "\"bind\":{\"/x\":\"a\"}",
		"\"bind\": '/x' does not hold null in the task"},
	    {"{\"y\":null}", "\"bind\":{\"/x\":\"a\"}",
		"\"bind\": '/x' is not there in the task"},
	    {"null", "\"bind\":{\"/x\":\"a\"}",
		"\"bind\": '/x' is not there in the task"},
	    {"[null]", "\"bind\":{\"/1\":\"a\"}",
		"\"bind\": '/1' is not there in the task"},
	    {"[null]", "\"bind\":{\"/-\":\"a\"}",
		"\"bind\": '/-' is not there in the task"},
	    {"[null,null]", "\"bind\":{\"/01\":\"a\"}",
		"\"bind\": '/01' is not there in the task"},
	    {"{\"x\":\"y\"}", "\"bind\":{\"/x/y\":\"a\"}",
		"\"bind\": '/x/y' is not there in the task"},
	    {"{\"x\":null}", "\"bind\":{\"/x/y\":\"a\"}",
		"\"bind\": '/x/y' is not there in the task"},
	};

	ROWS(rows);
}

static void
places_lie_apart(void)
{
	static const struct row rows[] = {
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a\",\"\":\"b\"}",
		"\"bind\": '/x' lies in the whole task, which is bound"},
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a\",\"/x\":\"b\"}",
		"\"bind\": '/x' stands twice"},
	    {"{\"x\":null}", "\"bind\":{\"/x\":\"a\",\"\\/x\":\"b\"}",
		"\"bind\": '/x' stands twice"},
	    {"{\"x\":null}", "\"bind\":{\"\":\"a\",\"\":\"b\"}",
		"\"bind\": '' stands twice"},
	    {"{\"x\":{\"y\":null},\"x-\":null}",
		"\"bind\":{\"/x/y\":\"a\",\"/x-\":\"b\",\"/x\":\"c\"}",
		"\"bind\": '/x/y' lies in '/x', which is bound"},
	    {"{\"x\":null,\"xy\":null}",
		"\"bind\":{\"/x\":\"a\",\"/xy\":\"b\"}",
		"ok a b, /x=a#, /xy=b#"},
	};

	ROWS(rows);
}

#define NOT_A_BINDING                                                         \
	"\"bind\": not ID#POINTER, a task's id and a part of its result (as " \
	"in \"t0#/files/0\"): "

static void
malformed_bindings_are_told(void)
{
	static const struct row rows[] = {
	    {"[null]", "\"bind\":{\"/0\":\"\"}", NOT_A_BINDING "''"},
	    {"[null]", "\"bind\":{\"/0\":\"#/x\"}", NOT_A_BINDING "'#/x'"},
	    {"[null]", "\"bind\":{\"/0\":\"a b\"}", NOT_A_BINDING "'a b'"},
	    {"[null]", "\"bind\":{\"/0\":\"a/x\"}", NOT_A_BINDING "'a/x'"},
	    {"[null]", "\"bind\":{\"/0\":\"a\\u0000#\"}",
		NOT_A_BINDING "'a\\u0000#'"},
	    {"[null]", "\"bind\":{\"/0\":\"a#/\\ud800\"}",
		NOT_A_BINDING "'a#/\\ud800'"},
	    {"[null]", "\"bind\":{\"/0\":\"a#x\"}",
		"\"bind\": not a JSON Pointer: 'x': it begins with '/' (as in "
		"/customer/id), or is empty"},
	    {"[null]", "\"bind\":{\"/0\":\"a#/~\"}",
		"\"bind\": not a JSON Pointer: '/~': '~' stands only in ~0, "
		"which means '~', and ~1, which means '/'"},
	    {"[null]", "\"bind\":{\"/~2\":\"a\"}",
		"\"bind\": not a JSON Pointer: '/~2': '~' stands only in ~0, "
		"which means '~', and ~1, which means '/'"},
	    {"[null]", "\"bind\":{\"\\u0030\":\"a\"}",
		"\"bind\": not a JSON Pointer: '0': it begins with '/' (as in "
		"/customer/id), or is empty"},
	    {"[null]", "\"bind\":{\"/\\u0000\":\"a\"}",
		"\"bind\": not a JSON Pointer: '/\\u0000'"},
	};

	ROWS(rows);
}

/* A map of many, and what joins their results. */
#define MANY 20000

static void
twenty_thousand_results_are_bound_in_one_go(void)
{
	struct buffer line = BUFFER_INIT;
	struct task_links links = {0};
	struct envelope envelope;
	struct svc_error error;
	char into[32];
	int i;

	buffer_append_string(&line, "{\"task\":{\"parts\":[null");
	for (i = 1; i < MANY; i++)
		buffer_append_string(&line, ",null");
	buffer_append_string(&line, "]},\"after\":[\"m0\"");
	for (i = 1; i < MANY; i++)
		buffer_append_format(&line, ",\"m%d\"", i);
	buffer_append_string(&line, "],\"bind\":{");
	for (i = MANY - 1; i >= 0; i--)
		buffer_append_format(&line, "\"/parts/%d\":\"m%d#\"%s", i, i,
		    i > 0 ? "," : "}}");
	envelope_init(&envelope);
	enter(&envelope, line.data, line.length);
	CHECK(task_links_read(&links, &envelope, &error) == 0);
	CHECK(links.after_count == MANY && links.bound_count == MANY);
	CHECK(links.binding_count == MANY);
	for (i = 0; i < MANY; i++) {
		snprintf(into, sizeof(into), "/parts/%d", i);
		CHECK_STRING(links.bindings[i].into, into);
		CHECK_STRING(links.bindings[i].id, links.after[MANY - 1 - i]);
	}
	task_links_release(&links);
	envelope_release(&envelope);
	buffer_release(&line);
}

int
main(void)
{
	RUN(after_and_when_are_read);
	RUN(null_says_nothing);
	RUN(what_is_bound_is_implied_in_after);
	RUN(bindings_are_in_the_order_of_their_places);
	RUN(names_in_pointers_may_be_escaped);
	RUN(of_keys_that_stand_twice_the_last_one_counts);
	RUN(only_null_has_a_result_put_into_its_place);
	RUN(places_lie_apart);
	RUN(malformed_bindings_are_told);
	RUN(twenty_thousand_results_are_bound_in_one_go);
	return check_done();
}
