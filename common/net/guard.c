#include "net/guard.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static int
refuse(struct guard_refusal *refusal, int status, const char *detail)
{
	refusal->status = status;
	refusal->detail = detail;
	return -1;
}

int
guard_find_end(const char *text, size_t length, size_t *scanned,
    struct guard_refusal *refusal)
{
	const char *end = text + length, *feed, *from = text + *scanned;

	while (from < end && (feed = memchr(from, '\n', end - from)) != NULL) {
		*scanned = feed + 1 - text;
		if (feed == text || feed[-1] != '\r')
			return refuse(refusal, 400,
			    "a header line does not end in CR LF");
		if (feed - text >= 3 && feed[-2] == '\n')
			return 1;
		from = feed + 1;
	}
	*scanned = length;
	return 0;
}

/* RFC 9110, 5.6.2: tchar. */
static bool
is_token(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char c = text[i];

		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			continue;
		if ((c >= '0' && c <= '9') ||
		    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL))
			continue;
		return false;
	}
	return length > 0;
}

/* Visible ASCII; with spaces also SP, HTAB and what is beyond ASCII. */
static bool
is_printable(const char *text, size_t length, bool spaces)
{
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (c > ' ' && c < 0x7f)
			continue;
		if (!spaces || (c != ' ' && c != '\t' && c < 0x80))
			return false;
	}
	return true;
}

static bool
equals(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

static int
check_request_line(const char *line, size_t length, struct guard_head *head,
    bool *bodyless, struct guard_refusal *refusal)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT",
	    "DELETE", "OPTIONS", "TRACE", "PATCH", NULL};
	const char *target, *version, *end = line + length;
	int i;

	target = memchr(line, ' ', length);
	version =
	    target == NULL ? NULL : memchr(target + 1, ' ', end - target - 1);
	if (version == NULL || !is_token(line, target - line) ||
	    target + 1 == version ||
	    !is_printable(target + 1, version - target - 1, false))
		return refuse(refusal, 400,
		    "the first line is not 'METHOD TARGET HTTP/1.1'");
	if (end - version != 9 || strncmp(version, " HTTP/", 6) != 0)
		return refuse(refusal, 400, "the first line names no HTTP");
	if (strncmp(version + 6, "1.0", 3) != 0 &&
	    strncmp(version + 6, "1.1", 3) != 0)
		return refuse(refusal, 505, "only HTTP/1.0 and 1.1 are spoken");
	head->old = version[8] == '0';
	head->target = (size_t)(target + 1 - line);
	head->target_length = (size_t)(version - target - 1);
	/* Method names have case. */
	for (i = 0; methods[i] != NULL; i++)
		if (strlen(methods[i]) == (size_t)(target - line) &&
		    strncmp(methods[i], line, target - line) == 0)
			break;
	if (methods[i] == NULL)
		return refuse(refusal, 501, "the method is not known");
	*bodyless =
	    strcmp(methods[i], "HEAD") == 0 || strcmp(methods[i], "TRACE") == 0;
	if (target[1] != '/' &&
	    strncasecmp(target + 1, "http://", strlen("http://")) != 0 &&
	    strncasecmp(target + 1, "https://", strlen("https://")) != 0)
		return refuse(
		    refusal, 400, "the target is neither a path nor a URL");
	return 0;
}

/* What of a header the fields say about its own shape. */
struct shape {
	int hosts, lengths, codings, fields;
};

static int
check_length(const char *value, size_t length, struct guard_head *head,
    struct guard_refusal *refusal)
{
	size_t i, number = 0;

	if (length == 0)
		return refuse(refusal, 400, "Content-Length is empty");
	for (i = 0; i < length; i++)
		if (value[i] < '0' || value[i] > '9')
			return refuse(
			    refusal, 400, "Content-Length is not a number");
	for (i = 0; i < length; i++) {
		if (number > (SIZE_MAX - 9) / 10)
			return refuse(refusal, 413, "the body is too large");
		number = number * 10 + (value[i] - '0');
	}
	head->length = number;
	return 0;
}

static int
check_field(const char *name, size_t name_length, const char *value,
    size_t length, struct guard_head *head, struct shape *shape,
    struct guard_refusal *refusal)
{
	if (equals(name, name_length, "Host")) {
		if (shape->hosts++ > 0)
			return refuse(refusal, 400, "more than one Host");
		if (!is_printable(value, length, false))
			return refuse(refusal, 400, "Host is not a host");
	} else if (equals(name, name_length, "Content-Length")) {
		if (shape->lengths++ > 0)
			return refuse(
			    refusal, 400, "more than one Content-Length");
		return check_length(value, length, head, refusal);
	} else if (equals(name, name_length, "Transfer-Encoding")) {
		if (shape->codings++ > 0)
			return refuse(
			    refusal, 400, "more than one Transfer-Encoding");
		if (!equals(value, length, "chunked"))
			return refuse(refusal, 400,
			    "a Transfer-Encoding other than chunked");
	} else if (equals(name, name_length, "Expect")) {
		if (!equals(value, length, "100-continue"))
			return refuse(refusal, 417,
			    "an expectation other than 100-continue");
		head->expects = true;
	}
	return 0;
}

static int
check_line(const char *line, size_t length, struct guard_head *head,
    struct shape *shape, struct guard_refusal *refusal)
{
	const char *colon, *value, *end = line + length;

	if (++shape->fields > GUARD_FIELDS_MAX)
		return refuse(refusal, 431, "too many header fields");
	if (*line == ' ' || *line == '\t')
		return refuse(refusal, 400, "a folded header line");
	colon = memchr(line, ':', length);
	if (colon == NULL || !is_token(line, colon - line))
		return refuse(refusal, 400, "a header field has a bad name");
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!is_printable(value, end - value, true))
		return refuse(
		    refusal, 400, "a header field has a control character");
	return check_field(
	    line, colon - line, value, end - value, head, shape, refusal);
}

static int
check_shape(struct guard_head *head, const struct shape *shape, bool bodyless,
    struct guard_refusal *refusal)
{
	if (shape->hosts == 0 && !head->old)
		return refuse(refusal, 400, "no Host");
	if (shape->codings > 0 && shape->lengths > 0)
		return refuse(
		    refusal, 400, "both Content-Length and Transfer-Encoding");
	if (shape->codings > 0 && head->old)
		return refuse(refusal, 400, "a Transfer-Encoding in HTTP/1.0");
	if (shape->codings > 0)
		head->framing = GUARD_CHUNKED;
	else if (head->length > 0)
		head->framing = GUARD_LENGTH;
	if (bodyless && head->framing != GUARD_NO_BODY)
		return refuse(refusal, 400, "a body with HEAD or TRACE");
	return 0;
}

int
guard_check(const char *text, size_t length, struct guard_head *head,
    struct guard_refusal *refusal)
{
	struct shape shape = {0, 0, 0, 0};
	const char *line = text, *end = text + length, *feed;
	bool bodyless = false;
	int codings;

	memset(head, 0, sizeof(*head));
	for (; line < end; line = feed + 1) {
		feed = memchr(line, '\n', end - line);
		if (feed == NULL || feed == line || feed[-1] != '\r')
			return refuse(refusal, 400,
			    "a header line does not end in CR LF");
		if (feed - line == 1)
			break;
		codings = shape.codings;
		if ((line == text ? check_request_line(line, feed - 1 - line,
					head, &bodyless, refusal)
				  : check_line(line, feed - 1 - line, head,
					&shape, refusal)) == -1)
			return -1;
		if (shape.codings > codings) {
			head->coding = line - text;
			head->coding_length = feed + 1 - line;
		}
	}
	return check_shape(head, &shape, bodyless, refusal);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

int
guard_chunk_size(const char *line, size_t length, size_t *size,
    struct guard_refusal *refusal)
{
	size_t i, number = 0;

	for (i = 0; i < length; i++) {
		int digit = hex_digit(line[i]);

		if (digit == -1)
			return refuse(
			    refusal, 400, "a chunk's size is not a number");
		if (number > SIZE_MAX >> 5)
			return refuse(refusal, 413, "the body is too large");
		number = number << 4 | (size_t)digit;
	}
	if (length == 0)
		return refuse(refusal, 400, "a chunk without a size");
	*size = number;
	return 0;
}
