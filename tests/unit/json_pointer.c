#include "line/json_pointer.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"

/* RFC 6901, section 5 */
static const char rfc[] = "{"
			  "\"foo\": [\"bar\", \"baz\"],"
			  "\"\": 0,"
			  "\"a/b\": 1,"
			  "\"c%d\": 2,"
			  "\"e^f\": 3,"
			  "\"g|h\": 4,"
			  "\"i\\\\j\": 5,"
			  "\"k\\\"l\": 6,"
			  "\" \": 7,"
			  "\"m~n\": 8"
			  "}";

/* The bytes that pointer names in text; NULL: none. */
static const char *
at(const char *text, const char *pointer)
{
	static char found[256];
	struct json_value document, value;
	struct svc_error error;

	CHECK(json_scan_members(
		  text, strlen(text), &document, NULL, NULL, &error) == 0);
	CHECK(json_pointer_check(pointer, &error) == 0);
	switch (json_pointer_find(&document, pointer, &value, &error)) {
	case 1:
		CHECK(
		    value.span.data >= text &&
		    value.span.data + value.span.length <= text + strlen(text));
		snprintf(found, sizeof(found), "%.*s", (int)value.span.length,
		    value.span.data);
		return found;
	case 0:
		return NULL;
	default:
		return "error";
	}
}

struct example {
	const char *pointer, *value; /* NULL: names nothing */
};

static void
check_examples(const char *text, const struct example *examples, size_t count)
{
	const char *got;
	size_t i;

	for (i = 0; i < count; i++) {
		got = at(text, examples[i].pointer);
		if (examples[i].value != NULL)
			CHECK_STRING(got, examples[i].value);
		else if (!CHECK(got == NULL))
			printf(
			    "# %s in %s: %s\n", examples[i].pointer, text, got);
	}
}
#define EXAMPLES(text, rows) \
	check_examples(text, rows, sizeof(rows) / sizeof((rows)[0]))

static void
the_examples_of_the_rfc_name_what_it_says(void)
{
	static const struct example examples[] = {
	    {"/foo", "[\"bar\", \"baz\"]"},
	    {"/foo/0", "\"bar\""},
	    {"/", "0"},
	    {"/a~1b", "1"},
	    {"/c%d", "2"},
	    {"/e^f", "3"},
	    {"/g|h", "4"},
	    {"/i\\j", "5"},
	    {"/k\"l", "6"},
	    {"/ ", "7"},
	    {"/m~0n", "8"},
	};
	struct json_value document, value;
	struct svc_error error;

	EXAMPLES(rfc, examples);
	CHECK(json_scan_members(
		  rfc, strlen(rfc), &document, NULL, NULL, &error) == 0);
	CHECK(json_pointer_find(&document, "", &value, &error) == 1);
	CHECK(value.span.data == rfc && value.span.length == strlen(rfc) &&
	      value.type == JSON_OBJECT);
}

static void
what_is_not_there_is_named_by_no_pointer(void)
{
	static const struct example examples[] = {
	    {"/nothing", NULL},
	    {"/foo/2", NULL},
	    {"/foo/bar", NULL},
	    {"/foo/0/0", NULL}, /* a string has no parts */
	    {"/a~1b/", NULL},
	    {"/foo/", NULL},
	    {"//", NULL},
	    {"/fo", NULL},
	    {"/fooo", NULL},
	    {"/a/b", NULL},
	    {"/m~01n", NULL},
	};

	EXAMPLES(rfc, examples);
	EXAMPLES("17", examples);
	EXAMPLES("[]", examples);
	EXAMPLES("{}", examples);
}

static void
an_index_is_digits_without_a_leading_zero(void)
{
	static const struct example examples[] = {
	    {"/0", "10"},
	    {"/9", "19"},
	    {"/10", "20"},
	    {"/11", NULL},
	    {"/00", NULL},
	    {"/01", NULL},
	    {"/-", NULL}, /* behind the last one */
	    {"/-1", NULL},
	    {"/+1", NULL},
	    {"/1e0", NULL},
	    {"/1.0", NULL},
	    {"/ 1", NULL},
	    {"/18446744073709551615", NULL},
	    {"/18446744073709551616", NULL}, /* not 0 */
	    {"/18446744073709551626", NULL}, /* not 10 */
	    {"/99999999999999999999999999999999", NULL},
	};

	EXAMPLES("[10,11,12,13,14,15,16,17,18,19,20]", examples);
}

static void
digits_and_a_dash_are_names_in_an_object(void)
{
	static const struct example examples[] = {
	    {"/0", "1"},
	    {"/01", "2"},
	    {"/-", "3"},
	};

	EXAMPLES("{\"0\":1,\"01\":2,\"-\":3}", examples);
}

static void
a_tilde_is_decoded_once(void)
{
	static const struct example examples[] = {
	    {"/~01", "1"}, /* not "/" */
	    {"/~1", "2"},
	    {"/~0", "3"},
	    {"/~00", "4"},
	    {"/~1~0x~1/~0~0", "5"},
	};

	EXAMPLES("{\"~1\":1,\"/\":2,\"~\":3,\"~0\":4,\"/~x/\":{\"~~\":5}}",
	    examples);
}

static void
names_are_compared_after_unescaping(void)
{
	static const struct example examples[] = {
	    {"/foo", "1"}, {"/a~1b", "2"}, {"/a\nb", "3"}, {"/\303\244", "4"},
	    {"/\360\235\204\236", "5"}, {"/nul", NULL},
	    {"/\\u0066", NULL}, /* nor does a pointer know such escapes */
	};

	EXAMPLES("{\"\\u0066o\\u006F\":1,\"a\\/b\":2,\"a\\nb\":3,"
		 "\"\\u00e4\":4,\"\\ud834\\udd1e\":5,\"nul\\u0000\":6}",
	    examples);
}

static void
of_names_that_stand_twice_the_last_one_counts(void)
{
	static const struct example examples[] = {
	    {"/a", "{\"c\":3}"},
	    {"/a/b", NULL}, /* the first a has one */
	    {"/a/c", "3"},
	};

	EXAMPLES("{\"a\":{\"b\":1},\"x\":0,\"\\u0061\":{\"c\":3}}", examples);
}

static void
space_between_tokens_belongs_to_no_value(void)
{
	static const struct example examples[] = {
	    {"", "{ \"a\" : [ 1 , { \"b\" : null } ] }"},
	    {"/a", "[ 1 , { \"b\" : null } ]"},
	    {"/a/1", "{ \"b\" : null }"},
	    {"/a/1/b", "null"},
	};

	EXAMPLES(" \t{ \"a\" : [ 1 , { \"b\" : null } ] }\r\n", examples);
}

static void
brackets_and_quotes_in_strings_are_text(void)
{
	static const struct example examples[] = {
	    {"/b/1", "\"]}\\\"\""},
	    {"/c", "true"},
	};

	EXAMPLES(
	    "{\"a\":\"}\",\"b\":[\"[{\",\"]}\\\"\"],\"c\":true}", examples);
}

static void
the_type_of_the_value_is_told(void)
{
	static const char text[] =
	    "[null,false,true,1e400,\"s\",\"\\n\",[],{}]";
	static const enum json_type types[] = {JSON_NULL, JSON_FALSE, JSON_TRUE,
	    JSON_NUMBER, JSON_STRING, JSON_STRING, JSON_ARRAY, JSON_OBJECT};
	struct json_value document, value;
	struct svc_error error;
	char pointer[] = "/0";
	size_t i;

	CHECK(json_scan_members(
		  text, strlen(text), &document, NULL, NULL, &error) == 0);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		pointer[1] = (char)('0' + i);
		CHECK(
		    json_pointer_find(&document, pointer, &value, &error) == 1);
		CHECK(value.type == types[i] && value.escaped == (i == 5));
	}
}

static void
a_pointer_reaches_as_deep_as_json_nests(void)
{
	char text[2 * JSON_DEPTH_MAX + 2], pointer[2 * JSON_DEPTH_MAX + 1];
	size_t i;

	for (i = 0; i < JSON_DEPTH_MAX; i++) {
		text[i] = '[';
		text[2 * JSON_DEPTH_MAX - i] = ']';
		pointer[2 * i] = '/';
		pointer[2 * i + 1] = '0';
	}
	text[JSON_DEPTH_MAX] = '7';
	text[2 * JSON_DEPTH_MAX + 1] = '\0';
	pointer[2 * JSON_DEPTH_MAX] = '\0';
	CHECK_STRING(at(text, pointer), "7");
}

static void
what_is_no_pointer_is_refused_with_the_reason(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"a", "not a JSON Pointer: 'a': it begins with '/' (as in "
		  "/customer/id), or is empty"},
	    {".a.b", "begins with '/'"},
	    {"#/a", "begins with '/'"},
	    {"/a~", "'~' stands only in ~0"},
	    {"/~2", "'~' stands only in ~0"},
	    {"/~/a", "'~' stands only in ~0"},
	    {"/~0~1~", "'~' stands only in ~0"},
	    {"/\377", "not UTF-8"},
	};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&error, 0, sizeof(error));
		CHECK(json_pointer_check(bad[i].text, &error) == -1);
		CHECK(error.code == EX_USAGE);
		if (!CHECK(strstr(error.message, bad[i].why) != NULL))
			printf("# %s\n", error.message);
	}
	CHECK(json_pointer_check("", &error) == 0);
	CHECK(json_pointer_check("/", &error) == 0);
	CHECK(json_pointer_check("/~0~1~01/-/\303\244", &error) == 0);
}

int
main(void)
{
	RUN(the_examples_of_the_rfc_name_what_it_says);
	RUN(what_is_not_there_is_named_by_no_pointer);
	RUN(an_index_is_digits_without_a_leading_zero);
	RUN(digits_and_a_dash_are_names_in_an_object);
	RUN(a_tilde_is_decoded_once);
	RUN(names_are_compared_after_unescaping);
	RUN(of_names_that_stand_twice_the_last_one_counts);
	RUN(space_between_tokens_belongs_to_no_value);
	RUN(brackets_and_quotes_in_strings_are_text);
	RUN(the_type_of_the_value_is_told);
	RUN(a_pointer_reaches_as_deep_as_json_nests);
	RUN(what_is_no_pointer_is_refused_with_the_reason);
	return check_done();
}
