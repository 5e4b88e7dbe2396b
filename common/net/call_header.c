#include "net/call_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/json.h"
#include "net/call.h"
#include "net/call_http.h"
#include "sched/stable_hash.h"

/* libcurl asks "Expect: 100-continue" first for bodies over this or more. */
#define EXPECT_SIZE 1000

#define TYPE_DEFAULT "Content-Type: application/json"

/* What is printed in the token's place. */
#define HIDDEN "Bearer ***"

/*
 * Headers that the engine or libcurl makes, two of which would be ambiguous,
 * and those that are about a connection, which requests share.
 */
static const char *const own_headers[] = {"Host", "Content-Length",
    "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "TE",
    "Upgrade", "Expect", "Idempotency-Key", "Svc-Deadline", "Svc-Attempt"};

static bool
is_token(const char *text, size_t length)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return length > 0 && strspn(text, token) == length;
}

static bool
is_named(const char *header, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(header, name, length) == 0 && header[length] == ':';
}

int
call_header_check(const char *header, struct svc_error *error)
{
	const char *colon = strchr(header, ':'), *value;
	size_t i;

	for (i = 0; header[i] != '\0'; i++) {
		if (((unsigned char)header[i] < 0x20 && header[i] != '\t') ||
		    header[i] == 0x7f)
			return svc_error_set(error, EX_USAGE,
			    "control character at byte %zu of '%.*s'", i + 1,
			    (int)(i < 60 ? i : 60), header);
	}
	if (colon == NULL || !is_token(header, (size_t)(colon - header)))
		return svc_error_set(error, EX_USAGE,
		    "not a header: '%.200s' (say 'Name: value')", header);
	value = colon + 1 + strspn(colon + 1, " \t");
	if (*value == '\0')
		return svc_error_set(
		    error, EX_USAGE, "no value: '%.200s'", header);
	for (i = 0; i < sizeof(own_headers) / sizeof(own_headers[0]); i++) {
		if (is_named(header, own_headers[i]))
			return svc_error_set(error, EX_USAGE,
			    "%s is made by the request: '%.200s'",
			    own_headers[i], header);
	}
	if (is_named(header, "traceparent") && !traceparent_valid(value))
		return svc_error_set(error, EX_USAGE,
		    "not a traceparent: '%.200s' (say 00-TRACE-SPAN-FLAGS, of "
		    "32, 16 and 2 lower-case hexadecimal digits)",
		    value);
	return 0;
}

/* Of what a request has one of, each once. */
static int
mark(bool *given, const char *name, struct svc_error *error)
{
	if (*given)
		return svc_error_set(
		    error, EX_USAGE, "more than one header %s", name);
	*given = true;
	return 0;
}

static int
add_line(
    struct call_headers *headers, const char *line, struct svc_error *error)
{
	struct curl_slist *list;

	if (call_header_check(line, error) == -1)
		return -1;
	if (headers->authorization != NULL && is_named(line, "Authorization"))
		return svc_error_set(error, EX_USAGE,
		    "a header Authorization and a token exclude each other");
	if (is_named(line, "Content-Type") &&
	    mark(&headers->typed, "Content-Type", error) == -1)
		return -1;
	if (is_named(line, "traceparent") &&
	    mark(&headers->traced, "traceparent", error) == -1)
		return -1;
	list = curl_slist_append(headers->list, line);
	if (list == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	headers->list = list;
	return 0;
}

static int
set_token(
    struct call_headers *headers, const char *token, struct svc_error *error)
{
	static const char name[] = "Authorization: Bearer ";
	size_t size = sizeof(name) + strlen(token);

	headers->authorization = malloc(size);
	if (headers->authorization == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	snprintf(headers->authorization, size, "%s%s", name, token);
	return call_header_check(headers->authorization, error);
}

int
call_headers_init(struct call_headers *headers,
    const struct call_http_options *options, struct svc_error *error)
{
	const char *const *lines = options->headers;
	const char *token = options->security->token;

	memset(headers, 0, sizeof(*headers));
	headers->second = -1;
	headers->seed = options->seed;
	random_seed(&headers->random, options->seed);
	if (token != NULL && set_token(headers, token, error) == -1)
		return -1;
	for (; lines != NULL && *lines != NULL; lines++)
		if (add_line(headers, *lines, error) == -1)
			return -1;
	return 0;
}

void
call_headers_release(struct call_headers *headers)
{
	curl_slist_free_all(headers->list);
	if (headers->authorization != NULL)
		explicit_bzero(
		    headers->authorization, strlen(headers->authorization));
	free(headers->authorization);
	memset(headers, 0, sizeof(*headers));
}

/* Tasks that start within the same second share all but the milliseconds. */
static void
renew_stamp(struct call_headers *headers, int64_t second)
{
	struct buffer text = BUFFER_INIT;
	const char *string;

	time_append(&text, second * 1000);
	string = buffer_string(&text);
	if (string == NULL)
		string = "";
	snprintf(headers->stamp, sizeof(headers->stamp), "Svc-Deadline: %.*s",
	    (int)strcspn(string, "."), string);
	headers->second = second;
	buffer_release(&text);
}

static void
print_deadline(
    struct call_header *header, struct call_headers *headers, int64_t deadline)
{
	int rest = (int)(deadline % 1000);
	char *end;

	if (deadline / 1000 != headers->second)
		renew_stamp(headers, deadline / 1000);
	end = stpcpy(header->deadline, headers->stamp);
	*end++ = '.';
	*end++ = (char)('0' + rest / 100);
	*end++ = (char)('0' + rest / 10 % 10);
	*end++ = (char)('0' + rest % 10);
	*end++ = 'Z';
	*end = '\0';
}

static void
print_key(struct call_header *header, const char *id)
{
	static const char name[] = "Idempotency-Key: ";
	size_t length = strnlen(id, NAME_MAX_LENGTH);

	memcpy(header->key, name, sizeof(name) - 1);
	memcpy(header->key + sizeof(name) - 1, id, length);
	header->key[sizeof(name) - 1 + length] = '\0';
}

static void
print_attempt(struct call_header *header, unsigned attempt)
{
	static const char name[] = "Svc-Attempt: ";
	char digits[16], *first = digits + sizeof(digits);

	/* Once a request: a good deal faster than snprintf(3). */
	*--first = '\0';
	do
		*--first = (char)('0' + attempt % 10);
	while ((attempt /= 10) > 0);
	stpcpy(stpcpy(header->attempt, name), first);
}

static char *
print_hex(char *to, uint64_t number)
{
	int shift;

	for (shift = 60; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[number >> shift & 15];
	return to;
}

/* version, trace id, span id, flags: not sampled */
static void
make_trace(char *to, struct call_headers *headers, const char *id)
{
	uint64_t trace = stable_hash(id, strlen(id)) ^ headers->seed, span;

	do
		span = random_next(&headers->random);
	while (span == 0);
	to = print_hex(stpcpy(to, "00-"), stable_hash_nth(trace, 0));
	/* An id that is all zeroes would be none. */
	to = print_hex(to, stable_hash_nth(trace, 1) | 1);
	*to++ = '-';
	to = print_hex(to, span);
	stpcpy(to, "-00");
}

static void
print_trace(struct call_header *header, struct call_headers *headers,
    const struct call_post *post)
{
	char *end = stpcpy(header->trace, "traceparent: ");
	size_t length;

	if (post->traceparent == NULL) {
		make_trace(end, headers, post->id);
		return;
	}
	length = strnlen(post->traceparent, TRACEPARENT_LENGTH);
	memcpy(end, post->traceparent, length);
	end[length] = '\0';
}

static void
put(struct call_header *header, int *count, const char *line)
{
	/* libcurl reads the lists it is given and never writes them. */
	header->nodes[(*count)++].data = (char *)(uintptr_t)line;
}

static void
put_type(struct call_header *header, int *count, const char *type)
{
	if (type == NULL) {
		put(header, count, TYPE_DEFAULT);
		return;
	}
	snprintf(header->type, sizeof(header->type), "Content-Type: %s", type);
	put(header, count, header->type);
}

struct curl_slist *
call_header_fill(struct call_header *header, struct call_headers *headers,
    const struct call_post *post)
{
	int count = 0, i;

	print_key(header, post->id);
	put(header, &count, header->key);
	print_deadline(header, headers, post->deadline);
	put(header, &count, header->deadline);
	print_attempt(header, (unsigned)post->attempt);
	put(header, &count, header->attempt);
	if (!headers->traced) {
		print_trace(header, headers, post);
		put(header, &count, header->trace);
	}
	if (headers->authorization != NULL && post->told)
		put(header, &count, headers->authorization);
	if (!headers->typed)
		put_type(header, &count, post->content_type);
	if (post->body.length >= EXPECT_SIZE)
		put(header, &count, "Expect:");
	for (i = 0; i < count; i++)
		header->nodes[i].next = &header->nodes[i + 1];
	header->nodes[count - 1].next = headers->list;
	return header->nodes;
}

void
call_header_print(const struct call_headers *headers,
    const struct curl_slist *list, struct buffer *out)
{
	const char *colon, *value;
	bool first = true;

	buffer_append_char(out, '{');
	for (; list != NULL; list = list->next) {
		colon = strchr(list->data, ':');
		value = colon + 1 + strspn(colon + 1, " \t");
		if (*value == '\0')
			continue;
		if (list->data == headers->authorization)
			value = HIDDEN;
		if (!first)
			buffer_append_char(out, ',');
		first = false;
		json_append_string(
		    out, list->data, (size_t)(colon - list->data));
		buffer_append_char(out, ':');
		json_append_string(out, value, strlen(value));
	}
	buffer_append_char(out, '}');
}
