/*
 * The guard: what a request's header must be like before anything believes it.
 *
 * RFC 9112 leaves a recipient free in places where two recipients that choose
 * differently can be made to see different requests in the same bytes (request
 * smuggling).  The guard refuses all of them: lines that do not end in CR LF,
 * folded lines, control characters, bad names, no or several Host, several
 * Content-Length or Transfer-Encoding, both of them, a coding other than
 * chunked, chunk extensions.  Pure functions on bytes.
 */
#ifndef SVCKIT_NET_GUARD_H
#define SVCKIT_NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#define GUARD_FIELDS_MAX 100 /* header fields of a request */

enum guard_framing { GUARD_NO_BODY, GUARD_LENGTH, GUARD_CHUNKED };

struct guard_head {
	enum guard_framing framing;
	size_t target; /* where the request's target starts, and */
	size_t target_length; /* its length */
	size_t length; /* of the body, where framing is GUARD_LENGTH */
	size_t coding; /* where Transfer-Encoding's line starts, and */
	size_t coding_length; /* its length with CR LF; 0: there is none */
	bool expects; /* Expect: 100-continue */
	bool old; /* HTTP/1.0 */
};

/* Why a request is refused: an HTTP status and one clause. */
struct guard_refusal {
	int status;
	const char *detail; /* a constant */
};

/*
 * Looks for the empty line that ends a header, from *scanned on, which it moves
 * forward.  1: the header is the first *scanned bytes; 0: more is needed; -1: a
 * line does not end in CR LF.
 */
int guard_find_end(const char *text, size_t length, size_t *scanned,
    struct guard_refusal *refusal);

/*
 * Checks a whole header, its empty line included.  0, and head is filled; -1,
 * and refusal is.  A length that does not fit a size_t is 413.
 */
int guard_check(const char *text, size_t length, struct guard_head *head,
    struct guard_refusal *refusal);

/* The size that a chunk's first line (without CR LF) announces.  0 or -1. */
int guard_chunk_size(const char *line, size_t length, size_t *size,
    struct guard_refusal *refusal);

#endif
