/* The strict scanner, and the values it yields. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "line/json.h"
#include "line/utf8.h"

#define DEEP	  1000000
#define LONG	  (2UL * 1024 * 1024)
#define MUTATIONS 200000

/*
 * Scans a copy that ends where the text does, so that the sanitizer sees every
 * byte read beyond it.
 */
static bool
accepted(const char *text, size_t length)
{
	struct json_document document = {0};
	struct svc_error error;
	char *copy = malloc(length == 0 ? 1 : length);
	bool right;

	memcpy(copy, text, length);
	right = json_scan(&document, copy, length, &error) == 0;
	CHECK(right || error.code == EX_DATAERR);
	CHECK(json_valid(copy, length) == right);
	json_document_release(&document);
	free(copy);
	return right;
}

static void
scan(struct json_document *document, const char *text)
{
	struct svc_error error;

	if (!CHECK(json_scan(document, text, strlen(text), &error) == 0))
		printf("# %s: %s\n", text, error.message);
}

static struct json_value
value_of(const char *text)
{
	struct json_document document = {0};
	struct json_value value;

	scan(&document, text);
	value = document.value;
	json_document_release(&document);
	return value;
}

static void
what_the_grammar_allows_is_accepted(void)
{
	static const char *const texts[] = {"null", "true", "false", "0", "-0",
	    "1.5e+3", "1E-2", "1e400", "9007199254740993", "\"\"", "[]", "{}",
	    " [ ] ", "\t\r\n{ }\n", "[1,2]", "{\"a\":1,\"a\":2}", "{\"\":0}",
	    "[[[]],{}]", "{\"a\":{\"b\":[{},[]]}}",
	    "\"\\u0000\\ud800\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\x7f\"",
	    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
	    "[ 1 , {\"a\" : [ ] } , \"x\" ]"};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK(accepted(texts[i], strlen(texts[i]))))
			printf("# %s\n", texts[i]);
}

static void
what_the_grammar_forbids_is_refused(void)
{
	static const char *const texts[] = {"", " ", "nul", "nullx", "True",
	    "+1", "01", "-", "-01", "1.", ".5", "1e", "1e+", "0x1", "NaN",
	    "-Infinity", "\"", "\"\\", "\"\\u12\"", "\"\\u12g4\"", "\"\\x\"",
	    "\"\t\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}",
	    "{", "}", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1,}", "{,}",
	    "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1]", "{\"a\":1 \"b\":2}",
	    "[{\"a\":}]", "[{\"a\":]", "1 2", "{}{}", "[]]", "'a'",
	    "\xef\xbb\xbf{}", "[1]\f", "[\v1]", "// x\n1", "[1,/**/2]",
	    "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
	    "\"\xf0\x80\x80\xaf\"", "\"\xe2\x82\"", "\"\xff\"", "\"\x80\""};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK(!accepted(texts[i], strlen(texts[i]))))
			printf("# %s\n", texts[i]);
	CHECK(!accepted("null\0", 5));
	CHECK(!accepted("\"\0\"", 3));
}

static void
check_suite_file(int folder, const char *name)
{
	static char text[LONG];
	int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(descriptor, text, sizeof(text));
	bool right;

	if (!CHECK(length >= 0))
		return;
	right = accepted(text, (size_t)length);
	if ((name[0] == 'y' && !CHECK(right)) ||
	    (name[0] == 'n' && !CHECK(!right)))
		printf("# %s\n", name);
	close(descriptor);
}

/* JSONTestSuite: y_ must be accepted, n_ refused, i_ may be either. */
static void
the_test_suite_of_RFC_8259_agrees(void)
{
	const char *shared = getenv("SVCKIT_SHARED");
	char folder[PATH_MAX];
	struct dirent *entry;
	int files = 0;
	DIR *directory;

	snprintf(folder, sizeof(folder), "%s/jsontestsuite",
	    shared == NULL ? "../shared" : shared);
	if ((directory = opendir(folder)) == NULL) {
		SKIP("no jsontestsuite in SVCKIT_SHARED");
		return;
	}
	while ((entry = readdir(directory)) != NULL)
		if (strchr("yni", entry->d_name[0]) != NULL &&
		    entry->d_name[1] == '_') {
			check_suite_file(dirfd(directory), entry->d_name);
			files++;
		}
	closedir(directory);
	CHECK(files > 300);
}

/*
 * The grammar a second time, written for plainness: a function a rule, each
 * returns the end of what it matched, or NULL.
 */
static const char *twin_value(const char *p, const char *end, int depth);

static const char *
twin_space(const char *p, const char *end)
{
	while (p < end && memchr(" \t\r\n", *p, 4) != NULL)
		p++;
	return p;
}

static const char *
twin_token(const char *p, const char *end, char c)
{
	p = twin_space(p, end);
	return p < end && *p == c ? twin_space(p + 1, end) : NULL;
}

static const char *
twin_string(const char *p, const char *end)
{
	size_t length;
	int i;

	if (p == end || *p++ != '"')
		return NULL;
	for (; p < end && *p != '"'; p += length) {
		length = utf8_length(p, (size_t)(end - p));
		if (length == 0 || (unsigned char)*p < ' ')
			return NULL;
		if (*p != '\\')
			continue;
		if (++p == end || memchr("\"\\/bfnrtu", *p, 9) == NULL)
			return NULL;
		for (i = 1; *p == 'u' && i <= 4; i++)
			if (p + i >= end ||
			    memchr("0123456789abcdefABCDEF", p[i], 22) == NULL)
				return NULL;
		length = *p == 'u' ? 5 : 1;
	}
	return p < end ? p + 1 : NULL;
}

static const char *
twin_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == start ? NULL : p;
}

static const char *
twin_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = twin_digits(p, end)) == NULL)
		return NULL;
	if (p < end && *p == '.' && (p = twin_digits(p + 1, end)) == NULL)
		return NULL;
	if (p == end || (*p | 0x20) != 'e')
		return p;
	p++;
	return twin_digits(p + (p < end && (*p == '+' || *p == '-')), end);
}

/* The inside of an array or object, from behind its bracket. */
static const char *
twin_items(const char *p, const char *end, bool object, int depth)
{
	char closing = object ? '}' : ']';
	const char *next;

	if (depth > JSON_DEPTH_MAX)
		return NULL;
	p = twin_space(p, end);
	if (p < end && *p == closing)
		return p + 1;
	for (;; p = next) {
		if (object && (p = twin_string(p, end)) != NULL)
			p = twin_token(p, end, ':');
		if (p == NULL || (p = twin_value(p, end, depth)) == NULL)
			return NULL;
		if ((next = twin_token(p, end, ',')) == NULL)
			break;
	}
	p = twin_space(p, end);
	return p < end && *p == closing ? p + 1 : NULL;
}

static const char *
twin_value(const char *p, const char *end, int depth)
{
	static const char *const words[] = {"null", "true", "false"};
	size_t i;

	p = twin_space(p, end);
	if (p == end)
		return NULL;
	if (*p == '{' || *p == '[')
		return twin_items(p + 1, end, *p == '{', depth + 1);
	if (*p == '"')
		return twin_string(p, end);
	for (i = 0; i < 3; i++)
		if ((size_t)(end - p) >= strlen(words[i]) &&
		    memcmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	return twin_number(p, end);
}

static bool
twin_accepts(const char *text, size_t length)
{
	const char *end = text + length, *p = twin_value(text, end, 0);

	return p != NULL && twin_space(p, end) == end;
}

/* A byte replaced, removed, doubled or inserted; returns the length. */
static size_t
mutate(char *text, size_t length, unsigned short seed[3])
{
	static const char bytes[] =
	    "{}[]\",:\\ 0-+.eEntu\n\x1f\x80\xc3\xa4\xed";
	size_t at = (size_t)nrand48(seed) % length;
	char byte = bytes[(size_t)nrand48(seed) % sizeof(bytes)];

	switch (nrand48(seed) % 3) {
	case 0:
		text[at] = byte;
		return length;
	case 1:
		memmove(text + at, text + at + 1, length - at - 1);
		return length - 1;
	default:
		memmove(text + at + 1, text + at, length - at);
		text[at] = byte;
		return length + 1;
	}
}

static void
mutated_documents_are_judged_as_a_plain_twin_judges_them(void)
{
	static const char *const seeds[] = {
	    /* clang-format off */
		"{\"id\":\"t1\",\"k\":[-2.5e+3,1e400,\"\xc3\xa4\\u00e4\\n\"]}",
		"[[],{},[{\"a\":[true,false]}],\"abcdefghijklmnop\",0.10]",
		" {\"a\" : {\"b\" : {\"c\" : [ 1 , 2 ] } } , \"d\" : -0 } ",
	    /* clang-format on */
	};
	unsigned short random[3] = {8, 2, 59};
	int i, j, right = 0, wrong = 0;
	char text[256];
	size_t length;

	for (i = 0; i < MUTATIONS; i++) {
		length = strlen(seeds[i % 3]);
		memcpy(text, seeds[i % 3], length);
		for (j = nrand48(random) % 4; j >= 0; j--)
			length = mutate(text, length, random);
		if (accepted(text, length) != twin_accepts(text, length)) {
			CHECK(!"the twin disagrees");
			printf("# %.*s\n", (int)length, text);
		}
		if (twin_accepts(text, length))
			right++;
		else
			wrong++;
	}
	CHECK(right > MUTATIONS / 20 && wrong > MUTATIONS / 20);
}

static void
each_byte_is_judged_at_each_place_of_a_string(void)
{
	char text[32];
	int byte, at;
	bool plain;

	for (byte = 0; byte < 256; byte++) {
		plain =
		    byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
		for (at = 1; at < 31; at++) {
			memset(text, 'x', sizeof(text));
			text[0] = text[31] = '"';
			text[at] = (char)byte;
			/* A quote closes, a backslash does not escape an x. */
			CHECK(accepted(text, sizeof(text)) == plain ||
			      (byte == '\\' && at == 30));
		}
	}
}

static void
every_code_point_is_accepted_and_surrogates_are_not(void)
{
	unsigned long codepoint;
	char text[8] = "\"";
	size_t length;

	for (codepoint = 0x20; codepoint <= 0x10ffff; codepoint++) {
		if (codepoint == '"' || codepoint == '\\')
			continue;
		length = 1 + utf8_encode(codepoint, text + 1);
		text[length++] = '"';
		if (json_valid(text, length) !=
		    (codepoint < 0xd800 || codepoint > 0xdfff))
			CHECK(!"judged wrongly");
	}
}

/* What RFC 3629 says in words: decode, then look at what came out. */
static size_t
plain_utf8_length(const unsigned char *p, size_t length)
{
	static const unsigned long minimum[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t needed = p[0] < 0x80		? 1
			: (p[0] & 0xe0) == 0xc0 ? 2
			: (p[0] & 0xf0) == 0xe0 ? 3
			: (p[0] & 0xf8) == 0xf0 ? 4
						: 0;
	unsigned long codepoint = needed == 0 ? 0 : p[0] & (0xffU >> needed);
	size_t i;

	if (needed <= 1)
		return needed;
	if (needed > length)
		return 0;
	for (i = 1; i < needed; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		codepoint = codepoint << 6 | (p[i] & 0x3f);
	}
	if (codepoint < minimum[needed] || codepoint > 0x10ffff ||
	    (codepoint >= 0xd800 && codepoint <= 0xdfff))
		return 0;
	return needed;
}

static void
sequences_of_four_bytes_are_judged_as_RFC_3629_says(void)
{
	static const unsigned char edges[] = {
	    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	unsigned char text[4];
	int first, second;
	size_t third, fourth, length;

	for (first = 0; first < 256; first++)
		for (second = 0; second < 256; second++)
			for (third = 0; third < sizeof(edges); third++)
				for (fourth = 0; fourth < 4 * sizeof(edges);
				     fourth++) {
					text[0] = (unsigned char)first;
					text[1] = (unsigned char)second;
					text[2] = edges[third];
					text[3] = edges[fourth / 4];
					length = fourth % 4 + 1;
					if (utf8_length((char *)text, length) !=
					    plain_utf8_length(text, length))
						CHECK(!"judged wrongly");
				}
}

static void
depth_512_is_accepted_and_513_refused(void)
{
	char *text = malloc(2 * DEEP);

	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	CHECK(accepted(text + DEEP - 512, 1024));
	CHECK(!accepted(text + DEEP - 513, 1026));
	CHECK(!accepted(text, 2 * DEEP));
	CHECK(!accepted(text, DEEP));
	free(text);
}

static void
objects_count_for_depth_as_arrays_do(void)
{
	struct buffer text = BUFFER_INIT;
	int i, depth;

	for (depth = 512; depth <= 513; depth++) {
		buffer_clear(&text);
		for (i = 0; i < depth; i++)
			buffer_append_string(
			    &text, i == depth - 1 ? "{" : "{\"a\":");
		for (i = 0; i < depth; i++)
			buffer_append_char(&text, '}');
		CHECK(accepted(text.data, text.length) == (depth == 512));
	}
	buffer_release(&text);
}

static void
a_string_of_2_MB_is_scanned_and_decoded(void)
{
	struct buffer text = BUFFER_INIT, decoded = BUFFER_INIT;
	struct json_document document = {0};
	char *long_string = malloc(LONG);

	memset(long_string, 'a', LONG);
	long_string[LONG - 1] = '\n';
	json_append_string(&text, long_string, LONG);
	CHECK(text.length == LONG + 3);
	CHECK(json_scan(&document, text.data, text.length, NULL) == 0);
	CHECK(document.value.escaped);
	json_decode(&document.value, &decoded);
	CHECK(decoded.length == LONG &&
	      memcmp(decoded.data, long_string, LONG) == 0);
	json_document_release(&document);
	buffer_release(&text);
	buffer_release(&decoded);
	free(long_string);
}

static void
a_refusal_names_the_byte(void)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"[1,2,x]", "byte 6: not a JSON value"},
	    {"{\"a\":01}", "byte 6: a number with a leading zero"},
	    {"{\"a\" 1}", "byte 6: expected ':' after a member's name"},
	    {"{} {}", "byte 4: more than one JSON value"},
	    {"{\"a\":[1}", "byte 8: expected ',' or ']'"},
	    {"{\"a\":1", "byte 7: the text ends too early"},
	    {"", "byte 1: the text ends too early"},
	    {"\"a\xff\"", "byte 3: not UTF-8"},
	    {"\xef\xbb\xbf{}", "byte 1: not a JSON value"},
	};
	struct json_document document = {0};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(json_scan(&document, rows[i].text, strlen(rows[i].text),
			  &error) == -1);
		CHECK(error.code == EX_DATAERR && document.count == 0);
		CHECK_STRING(error.message, rows[i].message);
	}
	json_document_release(&document);
}

static void
members_are_yielded_in_order_with_their_bytes(void)
{
	static const char text[] =
	    " { \"id\" : \"t1\" , \"task\":{\"b\":1,\"a\":1e400,\n"
	    "\"n\":9007199254740993}, \"id\":null,\"\":[ 1 ]} ";
	static const struct {
		const char *name, *value;
		enum json_type type;
	} rows[] = {
	    {"id", "\"t1\"", JSON_STRING},
	    {"task", "{\"b\":1,\"a\":1e400,\n\"n\":9007199254740993}",
		JSON_OBJECT},
	    {"id", "null", JSON_NULL},
	    {"", "[ 1 ]", JSON_ARRAY},
	};
	struct json_document document = {0};
	const struct json_member *member;
	size_t i;

	scan(&document, text);
	CHECK(document.count == 4);
	CHECK(document.value.type == JSON_OBJECT);
	CHECK(document.value.span.length == sizeof(text) - 3);
	for (i = 0; i < document.count; i++) {
		member = &document.members[i];
		CHECK(json_name_is(member, rows[i].name));
		CHECK(member->value.type == rows[i].type);
		CHECK(member->value.span.length == strlen(rows[i].value) &&
		      memcmp(member->value.span.data, rows[i].value,
			  strlen(rows[i].value)) == 0);
	}
	CHECK(json_member(&document, "id") == &document.members[0]);
	CHECK(json_member(&document, "i") == NULL);
	json_document_release(&document);
}

static void
a_document_is_scanned_again_and_again(void)
{
	struct json_document document = {0};
	struct buffer text = BUFFER_INIT;
	int i;

	buffer_append_char(&text, '{');
	for (i = 0; i < 1000; i++)
		buffer_append_format(
		    &text, "%s\"m%d\":%d", i == 0 ? "" : ",", i, i);
	buffer_append_char(&text, '}');
	scan(&document, buffer_string(&text));
	CHECK(document.count == 1000);
	CHECK(json_number(&json_member(&document, "m999")->value) == 999);
	scan(&document, "[{\"a\":1}]");
	CHECK(document.count == 0 && document.value.type == JSON_ARRAY);
	scan(&document, "{\"a\":1}");
	CHECK(document.count == 1);
	json_document_release(&document);
	buffer_release(&text);
}

static void
names_are_compared_after_unescaping(void)
{
	static const struct {
		const char *text, *name;
		bool same;
	} rows[] = {
	    {"{\"instance\":1}", "instance", true},
	    {"{\"inst\\u0061nce\":1}", "instance", true},
	    {"{\"inst\\u0061nc\":1}", "instance", false},
	    {"{\"inst\\u0061nce2\":1}", "instance", false},
	    {"{\"a\\u0000\":1}", "a", false},
	    {"{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1}", "\"\\/\b\f\n\r\t", true},
	    {"{\"\\ud83d\\ude00\":1}", "\xf0\x9f\x98\x80", true},
	    {"{\"\\uD83D\":1}", "\xef\xbf\xbd", true},
	    {"{\"\":1}", "", true},
	    {"{\"\":1}", "a", false},
	    {"{\"Task\":1}", "task", false},
	};
	struct json_document document = {0};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scan(&document, rows[i].text);
		if (!CHECK(json_name_is(&document.members[0], rows[i].name) ==
			   rows[i].same))
			printf("# %s\n", rows[i].text);
		CHECK(document.members[0].escaped ==
		      (strchr(rows[i].text, '\\') != NULL));
	}
	json_document_release(&document);
}

static void
strings_are_decoded(void)
{
	static const struct {
		const char *text, *decoded;
	} rows[] = {
	    {"\"\"", ""},
	    {"\"plain\"", "plain"},
	    {"\"a\\tb\\\\\"", "a\tb\\"},
	    {"\"\\u00e4\\u20AC\"", "\xc3\xa4\xe2\x82\xac"},
	    {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"},
	    {"\"\\ud83d\"", "\xef\xbf\xbd"},
	    {"\"\\ud83dx\"", "\xef\xbf\xbdx"},
	    {"\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
	    {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
				   "A"},
	    {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf"},
	};
	struct buffer out = BUFFER_INIT;
	struct json_value value;
	char copy[16];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value = value_of(rows[i].text);
		buffer_clear(&out);
		CHECK(json_decode(&value, &out) ==
		      (strstr(rows[i].decoded, "\xef\xbf\xbd") == NULL));
		CHECK_STRING(buffer_string(&out), rows[i].decoded);
		CHECK(json_string(&value, copy, sizeof(copy)) ==
		      (int)strlen(rows[i].decoded));
		CHECK_STRING(copy, rows[i].decoded);
	}
	buffer_release(&out);
}

static void
a_copied_string_fits_or_is_refused(void)
{
	struct json_value value = value_of("\"a\\u00e4b\"");
	struct json_value nul = value_of("\"a\\u0000b\"");
	struct json_value number = value_of("12");
	struct json_value absent = {.type = JSON_STRING};
	char copy[8];

	CHECK(json_string(&value, copy, 5) == 4);
	CHECK(json_string(&value, copy, 4) == -1);
	CHECK(json_string(&value, copy, 1) == -1);
	CHECK(json_string(&value, copy, 0) == -1);
	CHECK(json_string(&nul, copy, sizeof(copy)) == -1);
	CHECK(json_string(&number, copy, sizeof(copy)) == -1);
	CHECK(json_string(&absent, copy, sizeof(copy)) == -1);
}

static void
numbers_are_converted(void)
{
	struct json_value value;
	char text[3003];

	value = value_of("1e400");
	CHECK(isinf(json_number(&value)));
	value = value_of("-12.5e-1");
	CHECK(json_number(&value) == -1.25);
	value = value_of("null");
	CHECK(isnan(json_number(&value)));
	memset(text, '0', sizeof(text));
	memcpy(text, "1.", 2);
	text[3000] = 'e';
	text[3001] = '7';
	text[3002] = '\0';
	value = value_of(text);
	CHECK(json_number(&value) == 1e7);
}

static void
written_numbers_are_short_and_read_back(void)
{
	static const struct {
		double number;
		const char *text;
	} rows[] = {
	    {0, "0"},
	    {-0.0, "-0"},
	    {0.1, "0.1"},
	    {0.42, "0.42"},
	    {12.5, "12.5"},
	    {1.0 / 3, "0.3333333333333333"},
	    {9007199254740992.0, "9007199254740992"},
	    {-123456789012345.0, "-123456789012345"},
	    {1e300, "1e+300"},
	    {1e-7, "1e-07"},
	    {HUGE_VAL, "null"},
	    {NAN, "null"},
	};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buffer_clear(&out);
		json_append_number(&out, rows[i].number);
		CHECK_STRING(buffer_string(&out), rows[i].text);
	}
	buffer_release(&out);
}

static void
any_double_reads_back_as_it_was(void)
{
	unsigned short seed[3] = {1, 2, 3};
	struct buffer out = BUFFER_INIT;
	struct json_value value;
	uint64_t bits;
	double number;
	int i;

	for (i = 0; i < 100000; i++) {
		bits = (uint64_t)jrand48(seed) << 32 |
		       ((uint64_t)jrand48(seed) & 0xffffffff);
		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		buffer_clear(&out);
		json_append_number(&out, number);
		value = value_of(buffer_string(&out));
		if (json_number(&value) != number)
			CHECK(!"reads back as another");
	}
	buffer_release(&out);
}

static void
any_bytes_make_a_valid_string_and_UTF_8_comes_back(void)
{
	struct buffer out = BUFFER_INIT, back = BUFFER_INIT;
	char bytes[256], ascii[128];
	struct json_value value;
	int i;

	for (i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (i = 0; i < 128; i++)
		ascii[i] = (char)i;
	json_append_string(&out, bytes, sizeof(bytes));
	CHECK(accepted(out.data, out.length));
	CHECK(json_string_length(bytes, sizeof(bytes)) == out.length);
	buffer_clear(&out);
	json_append_string(&out, ascii, sizeof(ascii));
	value = value_of(buffer_string(&out));
	json_decode(&value, &back);
	CHECK(back.length == sizeof(ascii) &&
	      memcmp(back.data, ascii, sizeof(ascii)) == 0);
	buffer_clear(&out);
	json_append_string(&out, "\xc3\xa4\xff\xe2\x82\x1f\n", 7);
	CHECK_STRING(buffer_string(&out),
	    "\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u001f\\n\"");
	CHECK(
	    json_string_length("\xc3\xa4\xff\xe2\x82\x1f\n", 7) == out.length);
	CHECK(json_string_length("", 0) == 2);
	buffer_release(&out);
	buffer_release(&back);
}

static void
line_ends_between_tokens_become_spaces(void)
{
	struct buffer out = BUFFER_INIT;
	struct json_span span = {"{\r\n\"a\":\n1}", 10};

	json_append_line(&out, span);
	CHECK_STRING(buffer_string(&out), "{  \"a\": 1}");
	buffer_release(&out);
}

static void
paths_lead_to_members(void)
{
	static const char text[] =
	    "{\"labels\":{\"zone\":\"eu\",\"a.b\":1,\"\":7},\"x.y\":2,"
	    "\"x\":{\"y\":3,\"z\":4},\"l\\u0061st\":{\"n\":[5]},\"last\":6}";
	static const struct {
		const char *path, *value;
	} rows[] = {
	    {"labels.zone", "\"eu\""},
	    {"labels.a.b", "1"},
	    {"x.y", "2"},
	    {"x.z", "4"},
	    {"last.n", "[5]"},
	    {"last", "{\"n\":[5]}"},
	    {"labels.zone.deeper", NULL},
	    {"labels.", "7"},
	    {"none", NULL},
	    {"x.none", NULL},
	    {"", NULL},
	};
	struct json_span object = {text, sizeof(text) - 1};
	struct json_value value;
	int found;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		found = json_path(object, rows[i].path, &value);
		if (!CHECK(found == (rows[i].value != NULL) &&
			   (!found ||
			       (value.span.length == strlen(rows[i].value) &&
				   memcmp(value.span.data, rows[i].value,
				       value.span.length) == 0))))
			printf("# %s\n", rows[i].path);
	}
}

static void
elements_come_one_a_call(void)
{
	static const char text[] = "[ 1 , [2,3] ,\"x,]\" , {\"a\":[]} ]";
	static const char *const wanted[] = {
	    "1", "[2,3]", "\"x,]\"", "{\"a\":[]}"};
	struct json_span array = {text, sizeof(text) - 1}, empty = {"[ ]", 3};
	const char *cursor = text;
	struct json_value value;
	size_t i;

	for (i = 0; json_next_element(array, &cursor, &value) == 1; i++)
		CHECK(
		    i < 4 && value.span.length == strlen(wanted[i]) &&
		    memcmp(value.span.data, wanted[i], value.span.length) == 0);
	CHECK(i == 4);
	CHECK(json_next_element(array, &cursor, &value) == 0);
	cursor = empty.data;
	CHECK(json_next_element(empty, &cursor, &value) == 0);
}

static void
members_come_one_a_call(void)
{
	static const char text[] = "{ \"a\" : 1 , \"b\":{\"c\":2}, \"a\":[] }";
	struct json_span object = {text, sizeof(text) - 1};
	const char *cursor = text;
	struct json_member member;
	char names[8] = "";

	while (json_next_member(object, &cursor, &member) == 1)
		strncat(names, member.name.data, member.name.length);
	CHECK_STRING(names, "aba");
	CHECK(member.value.type == JSON_ARRAY);
}

static void
trees_hold_what_cJSON_alone_would_not(void)
{
	char text[512] = "{\"a\":\"x\\u0000y\\ud800z\\ud83d\\ude00\",\"e\":";
	struct json_span span = {text, 0};
	const cJSON *item;
	cJSON *tree;
	size_t length = strlen(text);

	memset(text + length, '1', 100);
	memcpy(text + length + 100, ",\"s\":\"\\\\\\\"\\u00e4-12\"}", 22);
	span.length = strlen(text);
	CHECK(json_valid(text, span.length));
	tree = json_tree(span);
	if (!CHECK(tree != NULL))
		return;
	item = cJSON_GetObjectItemCaseSensitive(tree, "a");
	CHECK_STRING(cJSON_GetStringValue(item),
	    "x\xef\xbf\xbdy\xef\xbf\xbdz\xf0\x9f\x98\x80");
	item = cJSON_GetObjectItemCaseSensitive(tree, "e");
	CHECK(fabs(cJSON_GetNumberValue(item) / 1e99 - 1.1111111) < 1e-6);
	item = cJSON_GetObjectItemCaseSensitive(tree, "s");
	CHECK_STRING(cJSON_GetStringValue(item), "\\\"\xc3\xa4-12");
	cJSON_Delete(tree);
}

int
main(void)
{
	RUN(what_the_grammar_allows_is_accepted);
	RUN(what_the_grammar_forbids_is_refused);
	RUN(the_test_suite_of_RFC_8259_agrees);
	RUN(mutated_documents_are_judged_as_a_plain_twin_judges_them);
	RUN(each_byte_is_judged_at_each_place_of_a_string);
	RUN(every_code_point_is_accepted_and_surrogates_are_not);
	RUN(sequences_of_four_bytes_are_judged_as_RFC_3629_says);
	RUN(depth_512_is_accepted_and_513_refused);
	RUN(objects_count_for_depth_as_arrays_do);
	RUN(a_string_of_2_MB_is_scanned_and_decoded);
	RUN(a_refusal_names_the_byte);
	RUN(members_are_yielded_in_order_with_their_bytes);
	RUN(a_document_is_scanned_again_and_again);
	RUN(names_are_compared_after_unescaping);
	RUN(strings_are_decoded);
	RUN(a_copied_string_fits_or_is_refused);
	RUN(numbers_are_converted);
	RUN(written_numbers_are_short_and_read_back);
	RUN(any_double_reads_back_as_it_was);
	RUN(any_bytes_make_a_valid_string_and_UTF_8_comes_back);
	RUN(line_ends_between_tokens_become_spaces);
	RUN(paths_lead_to_members);
	RUN(elements_come_one_a_call);
	RUN(members_come_one_a_call);
	RUN(trees_hold_what_cJSON_alone_would_not);
	return check_done();
}
