#include "net/call_reply.h"

#include <string.h>
#include <strings.h>

#include "line/units.h"
#include "net/retry_after.h"

/* Longer ones are no lengths: they fit into no disk. */
#define DIGITS_MAX 18

struct field {
	const char *name; /* with its colon */
	void (*take)(
	    struct call_reply *reply, const char *value, size_t length);
};

/* What a header says of its body. */
static void
forget_body(struct call_reply *reply)
{
	reply->retry_after = -1;
	reply->size = -1;
	reply->chunked = false;
	reply->coding[0] = '\0';
}

void
call_reply_reset(struct call_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	forget_body(reply);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
take_retry_after(struct call_reply *reply, const char *value, size_t length)
{
	double seconds = retry_after_parse(value, length, time_now());

	/* Of several the longest wait does justice to all. */
	if (seconds > reply->retry_after)
		reply->retry_after = seconds;
}

/* -1: not a number, or one beyond reason. */
static int64_t
parse_size(const char *value, size_t length)
{
	int64_t size = 0;
	size_t i;

	if (length == 0 || length > DIGITS_MAX)
		return -1;
	for (i = 0; i < length; i++) {
		if (value[i] < '0' || value[i] > '9')
			return -1;
		size = size * 10 + (value[i] - '0');
	}
	return size;
}

static void
take_length(struct call_reply *reply, const char *value, size_t length)
{
	int64_t size = parse_size(value, length);

	if (size < 0)
		reply->wrong = "the answer's Content-Length is no length";
	else if (reply->size >= 0 && size != reply->size)
		reply->wrong = "the answer has two lengths";
	reply->size = size;
}

/* For people: of several in several lines the last. */
static void
take_encoding(struct call_reply *reply, const char *value, size_t length)
{
	size_t i;

	if (length == 8 && strncasecmp(value, "identity", 8) == 0)
		return;
	if (length > CALL_CODING_MAX)
		length = CALL_CODING_MAX;
	for (i = 0; i < length; i++)
		reply->coding[i] =
		    value[i] > ' ' && value[i] < 0x7f ? value[i] : ' ';
	reply->coding[length] = '\0';
}

static void
take_coding(struct call_reply *reply, const char *value, size_t length)
{
	if (reply->chunked || length != 7 ||
	    strncasecmp(value, "chunked", 7) != 0)
		reply->wrong =
		    "the answer has a transfer coding that is not \"chunked\"";
	reply->chunked = true;
}

static const struct field fields[] = {
    {"Retry-After:", take_retry_after},
    {"Content-Length:", take_length},
    {"Transfer-Encoding:", take_coding},
    {"Content-Encoding:", take_encoding},
};

/* The value without the space around it. */
static void
take_value(struct call_reply *reply, const struct field *field,
    const char *value, const char *end)
{
	while (value < end && is_space(*value))
		value++;
	while (value < end && is_space(end[-1]))
		end--;
	field->take(reply, value, (size_t)(end - value));
}

static void
take_field(struct call_reply *reply, const char *line, size_t length)
{
	size_t i, size;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size = strlen(fields[i].name);
		if (length <= size ||
		    strncasecmp(line, fields[i].name, size) != 0)
			continue;
		take_value(reply, &fields[i], line + size, line + length);
		break;
	}
	if (reply->chunked && reply->size >= 0)
		reply->wrong = "the answer has a length, and chunks";
}

bool
call_reply_line(struct call_reply *reply, const char *line, size_t length)
{
	reply->bytes += length;
	if (reply->bytes > CALL_REPLY_MAX) {
		reply->wrong = "the header of the answer is larger than 64 KiB";
	} else if (!reply->open && length > 5 &&
		   memcmp(line, "HTTP/", 5) == 0) {
		/* What an interim answer said is not meant. */
		forget_body(reply);
		reply->open = true;
	} else if (length > 0 && (*line == '\r' || *line == '\n')) {
		reply->open = false;
	} else if (reply->open) {
		take_field(reply, line, length);
	}
	return reply->wrong == NULL;
}
