#include "line/result.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/base64.h"
#include "line/depth.h"
#include "line/text.h"

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

static int
append_json(struct buffer *out, const char *body, size_t length,
    struct svc_error *error)
{
	struct json_document document = {0};
	struct svc_error why;
	int result = -1;

	if (json_scan(&document, body, length, &why) == -1) {
		svc_error_set(error,
		    why.code == EX_OSERR ? EX_OSERR : EX_PROTOCOL,
		    "the answer is not the JSON that it says it is: %s",
		    why.message);
		goto out;
	}
	if (!json_fits_inside(document.value.span)) {
		svc_error_set(error, EX_PROTOCOL,
		    "the answer is nested deeper than %d levels",
		    JSON_DEPTH_MAX - 1);
		goto out;
	}
	buffer_append_string(out, ",\"result\":");
	json_append_line(out, document.value.span);
	result = 0;
out:
	json_document_release(&document);
	return result;
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
	    text_valid(body, length)) {
		buffer_append_string(out, ",\"result\":");
		json_append_string(out, body, length);
		return 0;
	}
	buffer_append_string(out, ",\"encoding\":\"base64\",\"result\":\"");
	base64_encode(out, body, length);
	buffer_append_char(out, '"');
	return 0;
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
		if (!buffer_failed(&text))
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
