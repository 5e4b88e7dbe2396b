/*
 * The headers of a request: which the caller may give, which are made.
 */
#include "net/call_header.h"

#include <sysexits.h>

#include "check.h"
#include "net/call.h"
#include "net/call_http.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* What one test has. */
struct fixture {
	struct call_security security;
	struct call_http_options options;
	struct call_headers headers;
	struct call_header header;
	struct call_post post;
	struct svc_error error;
};

static int
set_up(struct fixture *fixture, const char *const *lines, const char *token)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->security.token = token;
	fixture->options.headers = lines;
	fixture->options.security = &fixture->security;
	fixture->options.seed = 7;
	fixture->post.id = "t1";
	fixture->post.deadline = INT64_C(1795341600250);
	fixture->post.attempt = 1;
	fixture->post.told = true;
	return call_headers_init(
	    &fixture->headers, &fixture->options, &fixture->error);
}

static struct curl_slist *
fill(struct fixture *fixture)
{
	return call_header_fill(
	    &fixture->header, &fixture->headers, &fixture->post);
}

/* The value of a header; NULL: there is none, "twice": there are more. */
static const char *
value_of(const struct curl_slist *list, const char *name)
{
	size_t length = strlen(name);
	const char *found = NULL;

	for (; list != NULL; list = list->next) {
		if (strncmp(list->data, name, length) != 0 ||
		    list->data[length] != ':')
			continue;
		if (found != NULL)
			return "twice";
		found = list->data + length + 1;
		found += strspn(found, " ");
	}
	return found;
}

static void
every_request_has_key_deadline_attempt_trace_and_type(void)
{
	struct fixture fixture;
	struct curl_slist *list;

	CHECK(set_up(&fixture, NULL, NULL) == 0);
	fixture.post.attempt = 4711;
	list = fill(&fixture);
	CHECK_STRING(value_of(list, "Idempotency-Key"), "t1");
	CHECK_STRING(
	    value_of(list, "Svc-Deadline"), "2026-11-22T10:00:00.250Z");
	CHECK_STRING(value_of(list, "Svc-Attempt"), "4711");
	CHECK_STRING(value_of(list, "Content-Type"), "application/json");
	CHECK(traceparent_valid(value_of(list, "traceparent")));
	CHECK(value_of(list, "Authorization") == NULL);
	CHECK(value_of(list, "Expect") == NULL);
	call_headers_release(&fixture.headers);
}

static void
libcurl_is_kept_from_asking_before_large_bodies(void)
{
	struct fixture fixture;

	CHECK(set_up(&fixture, NULL, NULL) == 0);
	fixture.post.body.length = 1024UL * 1024;
	CHECK_STRING(value_of(fill(&fixture), "Expect"), "");
	call_headers_release(&fixture.headers);
}

static void
the_longest_id_is_sent_whole(void)
{
	struct fixture fixture;
	char id[NAME_MAX_LENGTH + 1];

	memset(id, 'x', NAME_MAX_LENGTH);
	id[NAME_MAX_LENGTH] = '\0';
	CHECK(set_up(&fixture, NULL, NULL) == 0);
	fixture.post.id = id;
	CHECK_STRING(value_of(fill(&fixture), "Idempotency-Key"), id);
	call_headers_release(&fixture.headers);
}

static void
a_trace_that_came_is_passed_on_unchanged(void)
{
	struct fixture fixture;

	CHECK(set_up(&fixture, NULL, NULL) == 0);
	fixture.post.traceparent = TRACE;
	CHECK_STRING(value_of(fill(&fixture), "traceparent"), TRACE);
	call_headers_release(&fixture.headers);
}

static void
a_task_has_one_trace_and_each_attempt_a_span(void)
{
	char first[TRACEPARENT_LENGTH + 1], second[TRACEPARENT_LENGTH + 1];
	struct fixture fixture;
	const char *other;

	CHECK(set_up(&fixture, NULL, NULL) == 0);
	snprintf(first, sizeof(first), "%s",
	    value_of(fill(&fixture), "traceparent"));
	snprintf(second, sizeof(second), "%s",
	    value_of(fill(&fixture), "traceparent"));
	CHECK(traceparent_valid(first) && traceparent_valid(second));
	CHECK(strncmp(first, second, 36) == 0);
	CHECK(strncmp(first + 36, second + 36, 16) != 0);
	CHECK_STRING(first + 52, "-00");
	fixture.post.id = "t2";
	other = value_of(fill(&fixture), "traceparent");
	CHECK(traceparent_valid(other) && strncmp(first, other, 36) != 0);
	call_headers_release(&fixture.headers);
}

static void
the_callers_headers_beat_those_that_are_made(void)
{
	static const char *const lines[] = {
	    "Content-Type: image/png", "traceparent: " TRACE, "X-A: b", NULL};
	struct fixture fixture;
	struct curl_slist *list;

	CHECK(set_up(&fixture, lines, NULL) == 0);
	fixture.post.content_type = "application/octet-stream";
	fixture.post.traceparent =
	    "00-11111111111111111111111111111111-1111111111111111-00";
	list = fill(&fixture);
	CHECK_STRING(value_of(list, "Content-Type"), "image/png");
	CHECK_STRING(value_of(list, "traceparent"), TRACE);
	CHECK_STRING(value_of(list, "X-A"), "b");
	call_headers_release(&fixture.headers);
}

static void
only_who_was_told_of_gets_the_token(void)
{
	struct fixture fixture;

	CHECK(set_up(&fixture, NULL, "s3cret") == 0);
	CHECK_STRING(
	    value_of(fill(&fixture), "Authorization"), "Bearer s3cret");
	fixture.post.told = false;
	CHECK(value_of(fill(&fixture), "Authorization") == NULL);
	call_headers_release(&fixture.headers);
}

static void
a_token_is_not_printed(void)
{
	struct buffer out = BUFFER_INIT;
	struct fixture fixture;

	CHECK(set_up(&fixture, NULL, "s3cret") == 0);
	call_header_print(&fixture.headers, fill(&fixture), &out);
	CHECK(buffer_string(&out) != NULL);
	CHECK(strstr(buffer_string(&out), "s3cret") == NULL);
	CHECK(strstr(buffer_string(&out), "\"Authorization\":\"Bearer ***\"") !=
	      NULL);
	buffer_release(&out);
	call_headers_release(&fixture.headers);
}

static void
a_token_and_a_header_authorization_exclude_each_other(void)
{
	static const char *const lines[] = {"authorization: Basic eDp5", NULL};
	struct fixture fixture;

	CHECK(set_up(&fixture, lines, "s3cret") == -1);
	CHECK(fixture.error.code == EX_USAGE);
	call_headers_release(&fixture.headers);
	CHECK(set_up(&fixture, lines, NULL) == 0);
	call_headers_release(&fixture.headers);
}

static void
a_request_has_one_content_type_and_one_traceparent(void)
{
	static const char *const types[] = {
	    "Content-Type: image/png", "content-type: application/json", NULL};
	static const char *const traces[] = {
	    "traceparent: " TRACE, "Traceparent: " TRACE, NULL};
	struct fixture fixture;

	CHECK(set_up(&fixture, types, NULL) == -1);
	CHECK(fixture.error.code == EX_USAGE);
	CHECK_STRING(
	    fixture.error.message, "more than one header Content-Type");
	call_headers_release(&fixture.headers);
	CHECK(set_up(&fixture, traces, NULL) == -1);
	CHECK_STRING(fixture.error.message, "more than one header traceparent");
	call_headers_release(&fixture.headers);
}

static void
what_would_forge_or_repeat_headers_is_refused(void)
{
	static const char *const lines[] = {"X: a\r\nY: b", "X: a\nb",
	    "X: \x7f", "X: a\rb", "no colon", ": x", "a b: c", "X\xc3\xa4: c",
	    "Empty:", "Empty:  ", "Host: x", "content-length: 3",
	    "Transfer-Encoding: x", "Connection: close", "Keep-Alive: 3",
	    "Upgrade: h2c", "TE: trailers", "Expect: 100-continue",
	    "Idempotency-Key: x", "Svc-Deadline: x", "svc-attempt: 7",
	    "traceparent: foo", "TraceParent: " TRACE "x",
	    "traceparent: 00-00000000000000000000000000000000-"
	    "b7ad6b7169203331-01"};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memset(&error, 0, sizeof(error));
		if (!CHECK(call_header_check(lines[i], &error) == -1))
			printf("# of '%s'\n", lines[i]);
		CHECK(error.code == EX_USAGE);
	}
}

static void
other_headers_are_taken(void)
{
	static const char *const lines[] = {"X: a", "X:a", "Accept: */*",
	    "Authorization: Bearer x", "traceparent: " TRACE, "X-Tab: a\tb",
	    "X-Utf8: \xc3\xa4", "Host-Of: x", "Svc-Attempts: 3"};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!CHECK(call_header_check(lines[i], &error) == 0))
			printf("# of '%s'\n", lines[i]);
}

int
main(void)
{
	RUN(every_request_has_key_deadline_attempt_trace_and_type);
	RUN(libcurl_is_kept_from_asking_before_large_bodies);
	RUN(the_longest_id_is_sent_whole);
	RUN(a_trace_that_came_is_passed_on_unchanged);
	RUN(a_task_has_one_trace_and_each_attempt_a_span);
	RUN(the_callers_headers_beat_those_that_are_made);
	RUN(only_who_was_told_of_gets_the_token);
	RUN(a_token_is_not_printed);
	RUN(a_token_and_a_header_authorization_exclude_each_other);
	RUN(a_request_has_one_content_type_and_one_traceparent);
	RUN(what_would_forge_or_repeat_headers_is_refused);
	RUN(other_headers_are_taken);
	return check_done();
}
