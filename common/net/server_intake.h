/*
 * Intake: from the bytes of a connection to whole requests that the guard has
 * passed.
 *
 * evhttp gets nothing else to read.  A chunked body is put together here and
 * handed on with its Content-Length, so that there is one reader of chunks, and
 * a strict one.
 */
#ifndef SVCKIT_NET_SERVER_INTAKE_H
#define SVCKIT_NET_SERVER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/guard.h"

struct evbuffer;

enum intake_state {
	INTAKE_HEAD,
	INTAKE_BODY, /* a body of known length */
	INTAKE_CHUNK_SIZE,
	INTAKE_CHUNK,
	INTAKE_CHUNK_END,
	INTAKE_TRAILER,
	INTAKE_SKIP /* a body that is refused, but read, so that the answer
		       is not lost in a reset connection */
};

/* The bytes of a body that do not count: small tasks pass between large ones.
 */
#define INTAKE_FREE (64UL * 1024)

struct intake {
	size_t max_header; /* bytes */
	size_t max_body;
	size_t *room; /* bytes that bodies may still take, of all connections */
	enum intake_state state;
	struct guard_head head;
	struct guard_refusal refusal; /* after -1 */
	size_t scanned; /* bytes of the header, and of a trailer */
	size_t left; /* bytes of the body or chunk that are to come */
	size_t held; /* of room */
	struct evbuffer *request; /* header, then body */
	struct evbuffer *body;
	bool waits; /* the client waits for 100 Continue; the caller clears it
		     */
};

/* room is borrowed.  -1: no memory. */
int intake_init(
    struct intake *intake, size_t max_header, size_t max_body, size_t *room);
void intake_release(struct intake *intake);

/*
 * The request has been answered, or will be without its body: what there is of
 * it is dropped, and its room given back.
 */
void intake_forget(struct intake *intake);

/*
 * Takes from source what belongs to the next request.  1: it is whole, and has
 * been moved to target; 0: more bytes are needed, source is empty or nearly;
 * -1: it is refused, and nothing that follows can be read.
 */
int intake_step(
    struct intake *intake, struct evbuffer *source, struct evbuffer *target);

#endif
