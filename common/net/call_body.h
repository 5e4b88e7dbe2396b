/*
 * Inside the call engine: the body of an answer, within its limits.  Of an
 * answer that is not 2xx only the beginning is kept.
 */
#ifndef SVCKIT_NET_CALL_BODY_H
#define SVCKIT_NET_CALL_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

/* All zero: empty. */
struct call_body {
	struct buffer kept;
	size_t received; /* bytes that came, kept or not */
	bool over; /* larger than the limit */
	bool cut; /* enough of an error was read */
};

/* For the next answer: its memory is kept, unless that is much. */
void call_body_reset(struct call_body *body);
void call_body_release(struct call_body *body);

/* Takes what came of a 2xx answer, limit bytes in all.  false: no more. */
bool call_body_result(
    struct call_body *body, const char *data, size_t length, size_t limit);

/* The same of another one: what a server says beside an error. */
bool call_body_error(struct call_body *body, const char *data, size_t length);

#endif
