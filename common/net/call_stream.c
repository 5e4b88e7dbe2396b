#include "net/call_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 128

void
call_stream_reset(struct call_stream *stream)
{
	stream->local_port = 0;
	stream->id = 0;
	stream->beyond = stream->refused = false;
}

void
call_stream_begin(struct call_stream *stream, const char *remote,
    int remote_port, int local_port)
{
	call_stream_reset(stream);
	stream->local_port = local_port;
	stream->remote_port = remote_port;
	snprintf(stream->remote, sizeof(stream->remote), "%s", remote);
}

/* The number behind word in text; false: it is not there. */
static bool
find_number(const char *text, const char *word, uint32_t *number)
{
	const char *found = strstr(text, word);
	unsigned long value;
	char *end;

	if (found == NULL)
		return false;
	found += strlen(word);
	value = strtoul(found, &end, 10);
	if (end == found || value > UINT32_MAX)
		return false;
	*number = (uint32_t)value;
	return true;
}

/*
 * Once it is given up the request has no connection: what libcurl reads on its
 * behalf from idle ones, in search of another, must not be taken for its own.
 */
static void
give_up(struct call_stream *stream, bool refused)
{
	stream->refused = refused || stream->beyond;
	stream->local_port = 0;
	stream->id = 0;
	stream->beyond = false;
}

enum call_stream_event
call_stream_text(
    struct call_stream *stream, const char *text, size_t length, uint32_t *last)
{
	char line[TEXT_MAX];

	/* Most texts are of no interest: no time may be lost with them. */
	if (length == 0 || stream->local_port == 0 ||
	    strchr("UrRC", *text) == NULL)
		return STREAM_NOTHING;
	snprintf(line, sizeof(line), "%.*s",
	    (int)(length < TEXT_MAX ? length : TEXT_MAX - 1), text);
	if (strstr(line, " GOAWAY, ") != NULL)
		return find_number(line, "last_stream=", last) ? STREAM_GOAWAY
							       : STREAM_NOTHING;
	if (strncmp(line, "REFUSED_STREAM, retrying", 24) == 0)
		give_up(stream, true);
	else if (strncmp(line, "Connection died, retrying", 25) == 0)
		give_up(stream, false);
	else
		(void)find_number(line, "Using Stream ID: ", &stream->id);
	return STREAM_NOTHING;
}

void
call_stream_goaway(
    struct call_stream *stream, const struct call_stream *teller, uint32_t last)
{
	if (stream->local_port != 0 && stream->id > last &&
	    stream->local_port == teller->local_port &&
	    stream->remote_port == teller->remote_port &&
	    strcmp(stream->remote, teller->remote) == 0)
		stream->beyond = true;
}
