#include "line/result.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/base64.h"
#include "line/depth.h"
#include "line/reader.h"
#include "line/text.h"

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

/* Whether a value of length bytes still fits into the line that out becomes. */
static int
check_room(const struct buffer *out, size_t length, struct svc_error *error)
{
	size_t used = out->length + AROUND;

	if (used <= LINE_LENGTH_MAX && length <= LINE_LENGTH_MAX - used)
		return 0;
	return svc_error_set(error, EX_DATAERR,
	    "with this result the line is longer than %lu bytes",
	    LINE_LENGTH_MAX);
}

static int
append_json(struct buffer *out, const char *body, size_t length,
    struct svc_error *error)
{
	struct json_value value;
	struct svc_error why;

	if (json_scan_members(body, length, &value, NULL, NULL, &why) == -1)
		return svc_error_set(error, EX_PROTOCOL,
		    "the answer is not the JSON that it says it is: %s",
		    why.message);
	if (!json_fits_inside(value.span))
		return svc_error_set(error, EX_PROTOCOL,
		    "the answer is nested deeper than %d levels",
		    JSON_DEPTH_MAX - 1);
	if (check_room(out, value.span.length, error) == -1)
		return -1;
	buffer_append_string(out, ",\"result\":");
	json_append_line(out, value.span);
	return 0;
}

static int
append_text(struct buffer *out, const char *body, size_t length,
    struct svc_error *error)
{
	if (check_room(out, json_string_length(body, length), error) == -1)
		return -1;
	buffer_append_string(out, ",\"result\":");
	json_append_string(out, body, length);
	return 0;
}

static int
append_base64(struct buffer *out, const char *body, size_t length,
    struct svc_error *error)
{
	if (check_room(out, (length + 2) / 3 * 4, error) == -1)
		return -1;
	buffer_append_string(out, ",\"encoding\":\"base64\",\"result\":\"");
	base64_encode(out, body, length);
	buffer_append_char(out, '"');
	return 0;
}

int
result_append(struct buffer *out, const char *content_type, const char *body,
    size_t length, struct svc_error *error)
{
	size_t type_length;

	if (length == 0) {
		buffer_append_string(out, ",\"result\":null");
		return 0;
	}
	if (content_type == NULL)
		return append_json(out, body, length, error);
	content_type += strspn(content_type, " \t");
	type_length = media_type_length(content_type);
	if (type_length == 0 || is_json(content_type, type_length))
		return append_json(out, body, length, error);
	if (type_length > 5 && strncasecmp(content_type, "text/", 5) == 0 &&
	    charset_is_utf8(content_type + type_length) &&
	    text_valid(body, length))
		return append_text(out, body, length, error);
	return append_base64(out, body, length, error);
}

int
payload_append(struct buffer *out, const struct json_value *task, bool base64,
    struct svc_error *error)
{
	struct buffer text = BUFFER_INIT;
	int result = -1;

	if (!base64) {
		buffer_append(out, task->span.data, task->span.length);
		return 0;
	}
	if (task->type == JSON_STRING) {
		json_decode(task, &text);
		if (buffer_string(&text) != NULL)
			result = base64_decode(out, text.data, text.length);
	}
	if (result == -1 && (buffer_failed(&text) || buffer_failed(out)))
		svc_error_set(error, EX_OSERR, "out of memory");
	else if (result == -1)
		svc_error_set(error, EX_DATAERR,
		    "\"task\": not base64, and \"encoding\" says so");
	buffer_release(&text);
	return result;
}
