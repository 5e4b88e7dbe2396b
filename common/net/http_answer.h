/*
 * An HTTP/1.x answer, read from bytes that come as they come: the status, and
 * a small body by length, by chunks (RFC 9112) or until the end.
 *
 * Each byte is looked at once, whatever pieces it comes in, and the memory is
 * that of the body alone, at most ANSWER_MAX.
 *
 *	struct http_answer answer = HTTP_ANSWER_INIT;
 *
 *	do {
 *		got = read(descriptor, data, sizeof(data));
 *		state = got > 0 ? http_answer_take(&answer, data, (size_t)got)
 *				: http_answer_end(&answer);
 *	} while (state == HTTP_ANSWER_PART);
 *	... answer.status, and answer.body when it is HTTP_ANSWER_WHOLE
 *	http_answer_release(&answer);
 */
#ifndef SVCKIT_NET_HTTP_ANSWER_H
#define SVCKIT_NET_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

#define ANSWER_MAX	(64UL * 1024) /* header and body */
#define ANSWER_LINE_MAX 256 /* of a line so much is looked at */

enum http_answer_state {
	HTTP_ANSWER_PART, /* more must come */
	HTTP_ANSWER_WHOLE,
	HTTP_ANSWER_CUT, /* it ended before it was whole */
	HTTP_ANSWER_LARGE, /* over ANSWER_MAX, or it says that it will be */
	HTTP_ANSWER_BROKEN /* no HTTP */
};

struct http_answer {
	int status; /* 200 to 599; 0: its header has not come whole */
	struct buffer body; /* decoded */
	/* private */
	enum http_answer_state state;
	enum {
		HTTP_STATUS_LINE,
		HTTP_HEADER,
		HTTP_LENGTH,
		HTTP_UNTIL_END,
		HTTP_CHUNK_SIZE,
		HTTP_CHUNK,
		HTTP_CHUNK_END
	} part;
	size_t taken; /* bytes in all */
	int coming; /* the status of the header that is read */
	bool chunked;
	long length; /* of the body, or what is left of a chunk; -1: unsaid */
	size_t line_length; /* of the line so far, with its end */
	char line[ANSWER_LINE_MAX];
};
#define HTTP_ANSWER_INIT    \
	{                   \
		.status = 0 \
	}

/*
 * Takes what has come.  Once the state is not HTTP_ANSWER_PART it stays, and
 * what comes behind is not looked at.
 */
enum http_answer_state http_answer_take(
    struct http_answer *answer, const char *data, size_t length);

/* No more will come. */
enum http_answer_state http_answer_end(struct http_answer *answer);

void http_answer_release(struct http_answer *answer);

#endif
