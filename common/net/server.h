/*
 * An HTTP/1.1 server: evhttp (libevent) behind a guard.
 *
 * The guard (net/guard.h) refuses with a 400-class answer, and closes, what
 * two readers could read in two ways.  evhttp sees only whole requests that
 * the guard has passed.  Routes are exact; there is a total deadline for a
 * request's arrival, and limits on connections (in all and of a peer), header
 * and bodies (of each and of all).
 *
 * A client that pipelines gets its answers one after the other: the next
 * request is read when the last one has been answered.
 *
 * The process must ignore SIGPIPE.
 */
#ifndef SVCKIT_NET_SERVER_H
#define SVCKIT_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"

struct event_base;
struct server;
struct server_request;

struct server_route {
	const char *method; /* "GET" (HEAD goes with it), "POST" */
	const char *path; /* exact: "/task" */
	void (*handle)(void *argument, struct server_request *request);
};

struct server_options {
	const char *bind; /* ADDR:PORT, [ADDR6]:PORT; port 0: a free one */
	bool public; /* false: an address that is not loopback is refused */
	size_t max_body; /* bytes; larger is 413 */
	/*
	 * Bytes of all bodies from their arrival to the answer, the first 64
	 * KiB of each not counted; a body that finds no room is 503.
	 */
	size_t max_bodies;
	size_t max_header; /* bytes; larger is 431 */
	double request_deadline; /* seconds until a request must have come */
	double idle; /* seconds that an unused connection is kept */
	int max_connections; /* more wait in the kernel's queue */
	int max_peer; /* of them from one address; more are 503 */
	const struct server_route *routes; /* ends with method NULL; borrowed */
	void *argument;
};

/*
 * EX_USAGE: bind is no address, or a public one; EX_OSERR, EX_NOPERM,
 * EX_UNAVAILABLE: cannot listen there.
 */
int server_open(struct server **server, struct event_base *base,
    const struct server_options *options, struct svc_error *error);
/* Closes all connections; requests that are not answered are gone. */
void server_close(struct server *server);
/* "127.0.0.1:41327": where it really listens. */
const char *server_address(const struct server *server);
/* Connections that are open. */
int server_connections(const struct server *server);

/* The body, valid until the reply or gone; NULL: no memory. */
const char *server_request_body(struct server_request *request, size_t *length);
/* A header's value, or NULL; valid until the reply. */
const char *server_request_header(
    const struct server_request *request, const char *name);

/*
 * Calls gone when the client closes (also half) before the reply; the request
 * must then not be replied to any more.
 */
void server_request_watch(struct server_request *request,
    void (*gone)(void *argument), void *argument);

/*
 * Answers, once; the request is then gone.  headers are "Name: value" strings
 * ended by NULL, or NULL; "Connection: close" closes after the answer.
 * content_type NULL: no body.
 */
void server_reply(struct server_request *request, int status,
    const char *content_type, const char *const *headers, const char *body,
    size_t length);

/*
 * Answers with application/problem+json (RFC 9457): title, status, detail and
 * extra, which is appended as it is (",\"exit\":3"), or NULL.
 */
void server_reply_problem(struct server_request *request, int status,
    const char *const *headers, const char *detail, const char *extra);

#endif
