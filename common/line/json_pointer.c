#include "line/json_pointer.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include "line/text.h"

#define POINTER_SHOWN 80

static int
refuse(const char *text, const char *what, struct svc_error *error)
{
	size_t length = strlen(text);
	size_t shown = text_cut(text, length, POINTER_SHOWN);

	return svc_error_set(error, EX_USAGE,
	    "not a JSON Pointer: '%.*s%s': %s", (int)shown, text,
	    shown < length ? "..." : "", what);
}

int
json_pointer_check(const char *text, struct svc_error *error)
{
	const char *p;

	if (*text != '\0' && *text != '/')
		return refuse(text,
		    "it begins with '/' (as in /customer/id), or is empty",
		    error);
	if (!text_valid(text, strlen(text)))
		return refuse(text, "not UTF-8", error);
	for (p = strchr(text, '~'); p != NULL; p = strchr(p + 1, '~'))
		if (p[1] != '0' && p[1] != '1')
			return refuse(text,
			    "'~' stands only in ~0, which means '~', and ~1, "
			    "which means '/'",
			    error);
	return 0;
}

/*
 * Decodes the reference token at text, up to the next '/' or the end, in one
 * pass: ~01 is "~1".
 */
static int
read_token(const char *text, struct buffer *token, struct svc_error *error)
{
	size_t plain;

	buffer_clear(token);
	for (;;) {
		plain = strcspn(text, "/~");
		buffer_append(token, text, plain);
		text += plain;
		if (*text != '~')
			break;
		buffer_append_char(token, text[1] == '1' ? '/' : '~');
		text += 2;
	}
	if (buffer_failed(token))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

static int
find_member(struct json_span object, const struct buffer *token,
    struct json_value *value)
{
	const char *cursor = object.data;
	struct json_member member;
	int found = 0;

	while (json_next_member(object, &cursor, &member) == 1) {
		if (json_text_is(member.name, token->data, token->length)) {
			*value = member.value;
			found = 1;
		}
	}
	return found;
}

/* Digits without a leading zero; 0 for what is no index, "-" too. */
static int
read_index(const struct buffer *token, size_t *index)
{
	size_t i, digit;

	if (token->length == 0 || (token->data[0] == '0' && token->length > 1))
		return 0;
	for (i = 0, *index = 0; i < token->length; i++) {
		if (token->data[i] < '0' || token->data[i] > '9')
			return 0;
		digit = (size_t)(token->data[i] - '0');
		if (*index > (SIZE_MAX - digit) / 10)
			return 0;
		*index = *index * 10 + digit;
	}
	return 1;
}

static int
find_element(struct json_span array, const struct buffer *token,
    struct json_value *value)
{
	const char *cursor = array.data;
	size_t index;

	if (!read_index(token, &index))
		return 0;
	while (json_next_element(array, &cursor, value) == 1)
		if (index-- == 0)
			return 1;
	return 0;
}

static int
step(const struct json_value *from, const struct buffer *token,
    struct json_value *value)
{
	switch (from->type) {
	case JSON_OBJECT:
		return find_member(from->span, token, value);
	case JSON_ARRAY:
		return find_element(from->span, token, value);
	default:
		return 0;
	}
}

int
json_pointer_find(const struct json_value *document, const char *pointer,
    struct json_value *value, struct svc_error *error)
{
	struct buffer token = BUFFER_INIT;
	struct json_value from, to = *document;
	int found = 1;

	while (found == 1 && *pointer == '/') {
		pointer++;
		found = read_token(pointer, &token, error);
		if (found == -1)
			break;
		from = to;
		found = step(&from, &token, &to);
		pointer += strcspn(pointer, "/");
	}
	if (found == 1)
		*value = to;
	buffer_release(&token);
	return found;
}
