#include "net/http_answer.h"

#include <string.h>
#include <strings.h>

/* What is left to read; lines end with LF, a CR in front of it is dropped. */
struct input {
	const char *data;
	const char *end;
};

struct framing {
	bool chunked;
	bool has_length;
	size_t length;
};

/* Takes one line: 1; 0: it has not come whole. */
static int
next_line(struct input *input, const char **line, size_t *length)
{
	size_t left = (size_t)(input->end - input->data);
	const char *newline = memchr(input->data, '\n', left);

	if (newline == NULL)
		return 0;
	*line = input->data;
	*length = (size_t)(newline - input->data);
	if (*length > 0 && newline[-1] == '\r')
		--*length;
	input->data = newline + 1;
	return 1;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK": 200; -1. */
static int
read_status(const char *line, size_t length)
{
	const char *digit = line + 9;

	if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 ||
	    !is_digit(line[7]) || line[8] != ' ' || digit[0] < '1' ||
	    digit[0] > '5' || !is_digit(digit[1]) || !is_digit(digit[2]) ||
	    (length > 12 && line[12] != ' '))
		return -1;
	return (digit[0] - '0') * 100 + (digit[1] - '0') * 10 +
	       (digit[2] - '0');
}

/* A number in base 10 or 16 at the start of text, at most a little over
 * ANSWER_MAX; -1: there is none. */
static long
read_number(const char *text, size_t length, int base)
{
	long number = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		int digit;

		if (is_digit(text[i]))
			digit = text[i] - '0';
		else if (base == 16 && (text[i] | 32) >= 'a' &&
			 (text[i] | 32) <= 'f')
			digit = (text[i] | 32) - 'a' + 10;
		else
			break;
		if (number <= (long)ANSWER_MAX)
			number = number * base + digit;
	}
	return i == 0 ? -1 : number;
}

/* The value of a header line that is called name, NULL: another's. */
static const char *
header_value(const char *line, size_t length, const char *name, size_t *rest)
{
	size_t size = strlen(name);

	if (length <= size || strncasecmp(line, name, size) != 0 ||
	    line[size] != ':')
		return NULL;
	for (size++; size < length && (line[size] == ' ' || line[size] == '\t');
	     size++)
		continue;
	*rest = length - size;
	return line + size;
}

static int
read_header(struct framing *framing, const char *line, size_t length)
{
	const char *value;
	size_t rest;

	value = header_value(line, length, "Transfer-Encoding", &rest);
	if (value != NULL)
		framing->chunked =
		    rest >= 7 && strncasecmp(value, "chunked", 7) == 0;
	value = header_value(line, length, "Content-Length", &rest);
	if (value != NULL) {
		long number = read_number(value, rest, 10);

		if (number == -1)
			return -1;
		framing->has_length = true;
		framing->length = (size_t)number;
	}
	return 0;
}

/* The status line and its headers: the status; 0: more must come; -1. */
static int
read_head(struct input *input, struct framing *framing)
{
	const char *line;
	size_t length;
	int status;

	memset(framing, 0, sizeof(*framing));
	if (next_line(input, &line, &length) == 0)
		return 0;
	if ((status = read_status(line, length)) == -1)
		return -1;
	for (;;) {
		if (next_line(input, &line, &length) == 0)
			return 0;
		if (length == 0)
			return status;
		if (read_header(framing, line, length) == -1)
			return -1;
	}
}

static int
read_chunks(struct input *input, struct buffer *body)
{
	const char *line;
	size_t length;

	for (;;) {
		long size;

		if (next_line(input, &line, &length) == 0)
			return 0;
		if ((size = read_number(line, length, 16)) == -1)
			return -1;
		if (size == 0)
			return 1; /* trailers say nothing to us */
		if (input->end - input->data < size)
			return 0;
		buffer_append(body, input->data, (size_t)size);
		input->data += size;
		if (next_line(input, &line, &length) == 0)
			return 0;
		if (length != 0)
			return -1;
	}
}

static int
read_body(struct input *input, const struct framing *framing, bool ended,
    struct buffer *body)
{
	size_t left = (size_t)(input->end - input->data);

	if (framing->chunked)
		return read_chunks(input, body);
	if (framing->has_length ? left < framing->length : !ended)
		return 0;
	buffer_append(
	    body, input->data, framing->has_length ? framing->length : left);
	return 1;
}

int
http_answer_read(struct http_answer *answer, const char *data, size_t length,
    bool ended, struct buffer *body)
{
	bool over = length > ANSWER_MAX;
	struct input input = {data, data + (over ? ANSWER_MAX : length)};
	struct framing framing;
	size_t before = body->length;
	int status, whole;

	answer->status = 0;
	/* What cannot become a status line is known before its LF comes. */
	if (memcmp(data, "HTTP/1.", length < 7 ? length : 7) != 0)
		return -1;
	do {
		status = read_head(&input, &framing);
	} while (status >= 100 && status < 200); /* interim answers */
	if (status <= 0)
		return over ? -1 : status;
	answer->status = status;
	whole = read_body(&input, &framing, ended, body);
	if (whole != 1)
		body->length = before;
	return whole == 0 && over ? -1 : whole;
}
