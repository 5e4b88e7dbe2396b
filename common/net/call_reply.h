/*
 * Inside the call engine: the header of an answer, line by line, with those of
 * interim answers (1xx) before it and the trailer behind.
 */
#ifndef SVCKIT_NET_CALL_REPLY_H
#define SVCKIT_NET_CALL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of all header lines of one request. */
#define CALL_REPLY_MAX (64UL * 1024)
/* Bytes kept of a Content-Encoding. */
#define CALL_CODING_MAX 40

struct call_reply {
	size_t bytes;
	const char *wrong; /* why no more is taken; NULL: nothing is */
	bool open; /* within a header, not in a trailer */
	bool chunked;
	int64_t size; /* Content-Length; negative: not said */
	double retry_after; /* seconds; negative: not said */
	/* Content-Encoding, printable; "": none, or "identity" */
	char coding[CALL_CODING_MAX + 1];
};

/* For the next answer. */
void call_reply_reset(struct call_reply *reply);

/*
 * Takes a line with its end.  false: there is more than CALL_REPLY_MAX, or it
 * is in doubt where the body ends, and with that where the next answer begins:
 * two lengths, one beside chunks, one that is no number, or a transfer coding
 * that nobody asked for, which libcurl would decode.  RFC 9112, 6.3.
 */
bool call_reply_line(struct call_reply *reply, const char *line, size_t length);

#endif
