#include "net/call_header.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/json.h"
#include "net/call.h"

/* libcurl asks "Expect: 100-continue" first for bodies over this or more. */
#define EXPECT_SIZE 1000

#define TYPE_DEFAULT "Content-Type: application/json"

/* Headers that the engine or libcurl makes; two of them would be ambiguous. */
static const char *const own_headers[] = {"Host", "Content-Length",
    "Transfer-Encoding", "Connection", "Expect", "Idempotency-Key",
    "Svc-Deadline"};

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
	return 0;
}

int
call_headers_init(struct call_headers *headers, const char *const *lines,
    struct svc_error *error)
{
	struct curl_slist *list;

	memset(headers, 0, sizeof(*headers));
	headers->second = -1;
	for (; lines != NULL && *lines != NULL; lines++) {
		if (call_header_check(*lines, error) == -1)
			return -1;
		if (is_named(*lines, "Content-Type"))
			headers->typed = true;
		list = curl_slist_append(headers->list, *lines);
		if (list == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		headers->list = list;
	}
	return 0;
}

void
call_headers_release(struct call_headers *headers)
{
	curl_slist_free_all(headers->list);
	headers->list = NULL;
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
put(struct call_header *header, int *count, const char *line)
{
	/* libcurl reads the lists it is given and never writes them. */
	header->nodes[(*count)++].data = (char *)(uintptr_t)line;
}

struct curl_slist *
call_header_fill(struct call_header *header, struct call_headers *headers,
    const char *id, int64_t deadline, const char *content_type, size_t size)
{
	int count = 0, i;

	print_key(header, id);
	put(header, &count, header->key);
	print_deadline(header, headers, deadline);
	put(header, &count, header->deadline);
	if (!headers->typed && content_type == NULL) {
		put(header, &count, TYPE_DEFAULT);
	} else if (!headers->typed) {
		snprintf(header->type, sizeof(header->type), "Content-Type: %s",
		    content_type);
		put(header, &count, header->type);
	}
	if (size >= EXPECT_SIZE)
		put(header, &count, "Expect:");
	for (i = 0; i < count; i++)
		header->nodes[i].next = &header->nodes[i + 1];
	header->nodes[count - 1].next = headers->list;
	return header->nodes;
}

void
call_header_print(const struct curl_slist *list, struct buffer *out)
{
	const char *colon, *value;
	bool first = true;

	buffer_append_char(out, '{');
	for (; list != NULL; list = list->next) {
		colon = strchr(list->data, ':');
		value = colon + 1 + strspn(colon + 1, " \t");
		if (*value == '\0')
			continue;
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
