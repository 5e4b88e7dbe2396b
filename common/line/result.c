#include "line/result.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/base64.h"
#include "line/depth.h"
#include "line/reader.h"
#include "line/text.h"

/* What goes at once of a body that is poured. */
#define PIECE (256UL * 1024)
/* What stands around a value at most. */
#define AROUND sizeof(",\"encoding\":\"base64\",\"result\":\"\"}")

/* The part of a Content-Type in front of its parameters. */
static size_t
media_type_length(const char *content_type)
{
	size_t length = strcspn(content_type, ";");

	while (length > 0 && strchr(" \t", content_type[length - 1]) != NULL)
		length--;
	return length;
}

static bool
is_json(const char *type, size_t length)
{
	return (length == 16 &&
		   strncasecmp(type, "application/json", 16) == 0) ||
	       (length == 9 && strncasecmp(type, "text/json", 9) == 0) ||
	       (length > 5 && strncasecmp(type + length - 5, "+json", 5) == 0);
}

/* Of which strings can be made, and which can be made of strings. */
static bool
is_text(const char *type, size_t length)
{
	return length > 5 && strncasecmp(type, "text/", 5) == 0 &&
	       !is_json(type, length);
}

bool
media_type_is_json(const char *content_type)
{
	return content_type == NULL ||
	       is_json(content_type, media_type_length(content_type));
}

/* Whether the parameters name no charset, or one that UTF-8 includes. */
static bool
charset_is_utf8(const char *parameters)
{
	static const char *const charsets[] = {"utf-8", "utf8", "us-ascii"};
	size_t i, length;

	while (*(parameters += strcspn(parameters, ";")) == ';') {
		parameters += 1 + strspn(parameters + 1, " \t");
		if (strncasecmp(parameters, "charset=", 8) != 0)
			continue;
		parameters += 8;
		parameters += *parameters == '"';
		length = strcspn(parameters, "\"; \t");
		for (i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
			if (strlen(charsets[i]) == length &&
			    strncasecmp(parameters, charsets[i], length) == 0)
				return true;
		}
		return false;
	}
	return true;
}

static int
check_json(struct result *result, struct svc_error *error)
{
	struct json_span *body = &result->body;
	struct json_value value;
	struct svc_error why;

	if (json_scan_members(
		body->data, body->length, &value, NULL, NULL, &why) == -1)
		return svc_error_set(error, EX_PROTOCOL,
		    "the answer is not the JSON that it says it is: %s",
		    why.message);
	if (!json_fits_inside(value.span))
		return svc_error_set(error, EX_PROTOCOL,
		    "the answer is nested deeper than %d levels",
		    JSON_DEPTH_MAX - 1);
	*body = value.span;
	return 0;
}

/* By the Content-Type, and where that says "text", by the bytes. */
static int
kind_of(const char *type, const char *body, size_t length)
{
	size_t type_length;

	if (length == 0)
		return RESULT_NULL;
	if (type == NULL)
		return RESULT_JSON;
	type += strspn(type, " \t");
	type_length = media_type_length(type);
	if (type_length == 0 || is_json(type, type_length))
		return RESULT_JSON;
	if (is_text(type, type_length) && charset_is_utf8(type + type_length) &&
	    text_valid(body, length))
		return RESULT_TEXT;
	return RESULT_BASE64;
}

static size_t
length_of(const struct result *result)
{
	const struct json_span *body = &result->body;

	switch (result->kind) {
	case RESULT_NULL:
		return strlen("null");
	case RESULT_TEXT:
		return json_string_length(body->data, body->length);
	case RESULT_BASE64:
		return strlen("\"\"") + (body->length + 2) / 3 * 4;
	case RESULT_JSON:
		break;
	}
	return body->length;
}

int
result_read(struct result *result, size_t used, const char *content_type,
    const char *body, size_t length, struct svc_error *error)
{
	used += AROUND;
	result->kind = kind_of(content_type, body, length);
	result->body.data = body;
	result->body.length = length;
	if (result->kind == RESULT_JSON && check_json(result, error) == -1)
		return -1;
	result->length = length_of(result);
	if (used <= LINE_LENGTH_MAX && result->length <= LINE_LENGTH_MAX - used)
		return 0;
	return svc_error_set(error, EX_DATAERR,
	    "with this result the line is longer than %lu bytes",
	    LINE_LENGTH_MAX);
}

void
result_write_value(const struct result *result, struct buffer *out)
{
	struct json_span body = result->body;

	switch (result->kind) {
	case RESULT_NULL:
		buffer_append_string(out, "null");
		break;
	case RESULT_JSON:
		json_append_line(out, body);
		break;
	case RESULT_TEXT:
		json_append_string(out, body.data, body.length);
		break;
	case RESULT_BASE64:
		buffer_append_char(out, '"');
		base64_encode(out, body.data, body.length);
		buffer_append_char(out, '"');
		break;
	}
}

void
result_write_name(const struct result *result, struct buffer *out)
{
	if (result->kind == RESULT_BASE64)
		buffer_append_string(out, ",\"encoding\":\"base64\"");
	buffer_append_string(out, ",\"result\":");
}

/* Where the last piece of so much of the body begins: between characters, and
 * between what base64 makes four digits of. */
static size_t
last_piece(const struct result *result, size_t length)
{
	const char *data = result->body.data;
	size_t from = length > PIECE ? length - PIECE : 0;

	if (result->kind == RESULT_BASE64)
		from -= from % 3;
	while (result->kind == RESULT_TEXT && from > 0 &&
	       ((unsigned char)data[from] & 0xc0) == 0x80)
		from--;
	return from;
}

/* Moves the last piece of the body into text, without quotes. */
static void
take_piece(struct result *result, struct buffer *text)
{
	size_t from = last_piece(result, result->body.length);
	struct result piece = *result;

	piece.body.data += from;
	piece.body.length -= from;
	result->body.length = from;
	buffer_clear(text);
	result_write_value(&piece, text);
	if (result->kind == RESULT_JSON || buffer_failed(text))
		return;
	text->length -= 2;
	memmove(text->data, text->data + 1, text->length);
}

void
result_pour(
    const struct result *result, struct buffer *store, struct buffer *out)
{
	struct result left = *result;
	struct buffer text = BUFFER_INIT;
	size_t before = (size_t)(left.body.data - store->data);
	char *room = buffer_reserve(out, result->length), *end;

	if (room == NULL)
		return;
	end = room + result->length;
	if (result->kind != RESULT_JSON)
		*room = *--end = '"';
	while (left.body.length > 0) {
		take_piece(&left, &text);
		if (buffer_failed(&text))
			break;
		end -= text.length;
		memcpy(end, text.data, text.length);
		store->length = before + left.body.length;
		buffer_shrink(store);
		left.body.data = store->data + before;
	}
	out->length += result->length;
	out->failed = buffer_failed(&text);
	buffer_release(&text);
	buffer_release(store);
}

int
result_append(struct buffer *out, const char *content_type, const char *body,
    size_t length, struct svc_error *error)
{
	struct result result;

	if (result_read(
		&result, out->length, content_type, body, length, error) == -1)
		return -1;
	result_write_name(&result, out);
	result_write_value(&result, out);
	return 0;
}

/* The bytes that a JSON string of base64 stands for.  0, -1. */
static int
decode(struct buffer *out, const struct json_value *string)
{
	struct buffer text = BUFFER_INIT;
	int result = -1;

	if (!string->escaped)
		return base64_decode(
		    out, string->span.data + 1, string->span.length - 2);
	json_decode(string, &text);
	if (buffer_failed(&text))
		out->failed = true;
	else
		result = base64_decode(out, text.data, text.length);
	buffer_release(&text);
	return result;
}

int
payload_append(struct buffer *out, const struct json_value *task, bool base64,
    struct svc_error *error)
{
	if (!base64) {
		buffer_append(out, task->span.data, task->span.length);
		return 0;
	}
	if (task->type == JSON_STRING && decode(out, task) == 0)
		return 0;
	if (buffer_failed(out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return svc_error_set(error, EX_DATAERR,
	    "\"task\": not base64, and \"encoding\" says so");
}

/* The characters of a string, which goes to store where it has escapes. */
static int
read_text(struct json_span *body, const struct json_value *task,
    struct buffer *store, struct svc_error *error)
{
	if (task->type != JSON_STRING)
		return svc_error_set(error, EX_DATAERR,
		    "\"task\": not a string, and the Content-Type says text");
	if (!task->escaped) {
		body->data++;
		body->length -= 2;
		return 0;
	}
	if (!json_decode(task, store))
		return svc_error_set(error, EX_DATAERR,
		    "\"task\": half of a surrogate pair, which no text has, "
		    "and the Content-Type says text");
	body->data = store->data;
	body->length = store->length;
	return buffer_failed(store)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}

int
payload_read(struct json_span *body, const struct json_value *task, bool base64,
    const char *content_type, struct buffer *store, struct svc_error *error)
{
	size_t length;

	*body = task->span;
	if (base64) {
		if (payload_append(store, task, true, error) == -1)
			return -1;
		body->data = store->length == 0 ? "" : store->data;
		body->length = store->length;
		return 0;
	}
	if (content_type == NULL)
		return 0;
	content_type += strspn(content_type, " \t");
	length = media_type_length(content_type);
	if (!is_text(content_type, length))
		return 0;
	if (!charset_is_utf8(content_type + length))
		return svc_error_set(error, EX_DATAERR,
		    "\"task\": sent in UTF-8, and the Content-Type says "
		    "another charset");
	return read_text(body, task, store, error);
}
