#include "line/json_tree.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "line/buffer.h"

#define NUMBER_LENGTH_MAX     60 /* cJSON 1.7 reads 63 characters of one */
#define ESCAPE_LENGTH	      6 /* of \uXXXX */
#define REPLACEMENT_CHARACTER "\\ufffd"

/* Whether p is at an escape of \uDxxx whose second digit is among digits. */
static bool
is_surrogate(const char *p, const char *end, const char *digits)
{
	return end - p >= ESCAPE_LENGTH && p[0] == '\\' && p[1] == 'u' &&
	       (p[2] | 0x20) == 'd' && strchr(digits, p[3]) != NULL;
}

/* Copies the escape at p; returns what is behind it. */
static const char *
copy_escape(const char *p, const char *end, struct buffer *out)
{
	size_t length = p[1] == 'u' ? ESCAPE_LENGTH : 2;
	bool high = is_surrogate(p, end, "89abAB");

	if (high && is_surrogate(p + length, end, "cdefCDEF")) {
		length *= 2;
	} else if (high || is_surrogate(p, end, "cdefCDEF") ||
		   (p[1] == 'u' && memcmp(p + 2, "0000", 4) == 0)) {
		buffer_append_string(out, REPLACEMENT_CHARACTER);
		return p + length;
	}
	buffer_append(out, p, length);
	return p + length;
}

/* p is at the opening quote. */
static const char *
copy_string(const char *p, const char *end, struct buffer *out)
{
	const char *start = p++;

	for (;;) {
		while (*p != '"' && *p != '\\')
			p++;
		if (*p == '"')
			break;
		buffer_append(out, start, (size_t)(p - start));
		start = p = copy_escape(p, end, out);
	}
	p++;
	buffer_append(out, start, (size_t)(p - start));
	return p;
}

static bool
starts_number(char c)
{
	return c == '-' || (c >= '0' && c <= '9');
}

static const char *
copy_number(const char *p, const char *end, struct buffer *out)
{
	struct json_value value = {.span.data = p, .type = JSON_NUMBER};
	double number;

	while (p < end && *p != '\0' && strchr("+-.0123456789Ee", *p) != NULL)
		p++;
	value.span.length = (size_t)(p - value.span.data);
	if (value.span.length <= NUMBER_LENGTH_MAX) {
		buffer_append(out, value.span.data, value.span.length);
		return p;
	}
	number = json_number(&value);
	if (isnan(number))
		out->failed = true;
	else if (isinf(number))
		buffer_append_string(out, number < 0 ? "-1e999" : "1e999");
	else
		buffer_append_format(out, "%.17g", number);
	return p;
}

static void
copy_for_cjson(struct json_span span, struct buffer *out)
{
	const char *p = span.data, *end = p + span.length;
	const char *start;

	while (p < end) {
		if (*p == '"') {
			p = copy_string(p, end, out);
		} else if (starts_number(*p)) {
			p = copy_number(p, end, out);
		} else {
			start = p;
			while (p < end && *p != '"' && !starts_number(*p))
				p++;
			buffer_append(out, start, (size_t)(p - start));
		}
	}
}

struct cJSON *
json_tree(struct json_span span)
{
	struct buffer text = BUFFER_INIT;
	struct cJSON *tree = NULL;

	copy_for_cjson(span, &text);
	if (!buffer_failed(&text))
		tree = cJSON_ParseWithLength(text.data, text.length);
	buffer_release(&text);
	return tree;
}
