#include "net/http_answer.h"

#include <string.h>
#include <strings.h>

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

/* -1: a length that is none. */
static int
read_header(struct http_answer *answer, const char *line, size_t length)
{
	const char *value;
	size_t rest;

	value = header_value(line, length, "Transfer-Encoding", &rest);
	if (value != NULL)
		answer->chunked =
		    rest >= 7 && strncasecmp(value, "chunked", 7) == 0;
	value = header_value(line, length, "Content-Length", &rest);
	if (value != NULL)
		answer->length = read_number(value, rest, 10);
	return value != NULL && answer->length == -1 ? -1 : 0;
}

static enum http_answer_state
start_body(struct http_answer *answer)
{
	if (answer->coming < 200) { /* interim: the answer follows */
		answer->part = HTTP_STATUS_LINE;
		return HTTP_ANSWER_PART;
	}
	answer->status = answer->coming;
	/* These two have no body, whatever the header says (RFC 9112, 6.3). */
	if (answer->status == 204 || answer->status == 304)
		return HTTP_ANSWER_WHOLE;
	if (answer->chunked) {
		answer->part = HTTP_CHUNK_SIZE;
		return HTTP_ANSWER_PART;
	}
	answer->part = answer->length == -1 ? HTTP_UNTIL_END : HTTP_LENGTH;
	if (answer->length > (long)ANSWER_MAX)
		return HTTP_ANSWER_LARGE;
	return answer->length == 0 ? HTTP_ANSWER_WHOLE : HTTP_ANSWER_PART;
}

static enum http_answer_state
start_chunk(struct http_answer *answer, const char *line, size_t length)
{
	answer->length = read_number(line, length, 16);
	if (answer->length == -1)
		return HTTP_ANSWER_BROKEN;
	if (answer->length == 0)
		return HTTP_ANSWER_WHOLE; /* trailers say nothing to us */
	answer->part = HTTP_CHUNK;
	return answer->length > (long)ANSWER_MAX ? HTTP_ANSWER_LARGE
						 : HTTP_ANSWER_PART;
}

/* A line without its end; of a long one the start. */
static enum http_answer_state
read_line(struct http_answer *answer, const char *line, size_t length)
{
	switch (answer->part) {
	case HTTP_STATUS_LINE:
		answer->coming = read_status(line, length);
		answer->chunked = false;
		answer->length = -1;
		answer->part = HTTP_HEADER;
		return answer->coming == -1 ? HTTP_ANSWER_BROKEN
					    : HTTP_ANSWER_PART;
	case HTTP_HEADER:
		if (length == 0)
			return start_body(answer);
		return read_header(answer, line, length) == -1
			   ? HTTP_ANSWER_BROKEN
			   : HTTP_ANSWER_PART;
	case HTTP_CHUNK_SIZE:
		return start_chunk(answer, line, length);
	default: /* HTTP_CHUNK_END */
		answer->part = HTTP_CHUNK_SIZE;
		return length == 0 ? HTTP_ANSWER_PART : HTTP_ANSWER_BROKEN;
	}
}

/* What cannot become a status line is known before its LF comes. */
static bool
looks_wrong(const struct http_answer *answer)
{
	size_t length = answer->line_length;

	return answer->part == HTTP_STATUS_LINE &&
	       memcmp(answer->line, "HTTP/1.", length < 7 ? length : 7) != 0;
}

/* Takes up to the end of the line: how many bytes. */
static size_t
take_line(struct http_answer *answer, const char *data, size_t length)
{
	const char *newline = memchr(data, '\n', length);
	size_t taken = newline == NULL ? length : (size_t)(newline - data) + 1;
	size_t kept = answer->line_length;

	if (kept < sizeof(answer->line)) {
		size_t room = sizeof(answer->line) - kept;

		memcpy(answer->line + kept, data, taken < room ? taken : room);
	}
	kept = answer->line_length += taken;
	if (looks_wrong(answer)) {
		answer->state = HTTP_ANSWER_BROKEN;
	} else if (newline != NULL) {
		if (kept > sizeof(answer->line))
			kept = sizeof(answer->line);
		else if (--kept > 0 && answer->line[kept - 1] == '\r')
			kept--;
		answer->line_length = 0;
		answer->state = read_line(answer, answer->line, kept);
	}
	return taken;
}

/* Takes what belongs to the body, or to its chunk: how many bytes. */
static size_t
take_body(struct http_answer *answer, const char *data, size_t length)
{
	if (answer->part != HTTP_UNTIL_END) {
		if (length > (size_t)answer->length)
			length = (size_t)answer->length;
		answer->length -= (long)length;
	}
	buffer_append(&answer->body, data, length);
	if (buffer_failed(&answer->body))
		answer->state = HTTP_ANSWER_LARGE;
	else if (answer->part == HTTP_CHUNK && answer->length == 0)
		answer->part = HTTP_CHUNK_END;
	else if (answer->part == HTTP_LENGTH && answer->length == 0)
		answer->state = HTTP_ANSWER_WHOLE;
	return length;
}

enum http_answer_state
http_answer_take(struct http_answer *answer, const char *data, size_t length)
{
	bool over = length > ANSWER_MAX - answer->taken;
	size_t taken;

	if (over)
		length = ANSWER_MAX - answer->taken;
	answer->taken += length;
	while (answer->state == HTTP_ANSWER_PART && length > 0) {
		if (answer->part == HTTP_LENGTH ||
		    answer->part == HTTP_UNTIL_END ||
		    answer->part == HTTP_CHUNK)
			taken = take_body(answer, data, length);
		else
			taken = take_line(answer, data, length);
		data += taken;
		length -= taken;
	}
	if (over && answer->state == HTTP_ANSWER_PART)
		answer->state = HTTP_ANSWER_LARGE;
	return answer->state;
}

enum http_answer_state
http_answer_end(struct http_answer *answer)
{
	if (answer->state == HTTP_ANSWER_PART)
		answer->state = answer->part == HTTP_UNTIL_END
				    ? HTTP_ANSWER_WHOLE
				    : HTTP_ANSWER_CUT;
	return answer->state;
}

void
http_answer_release(struct http_answer *answer)
{
	buffer_release(&answer->body);
}
