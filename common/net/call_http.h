/*
 * Inside the call engine: libcurl's multi socket interface on libevent.  Only
 * this module, and those that it is made of, know libcurl:
 *
 *	call_loop.h	its sockets and timer in the event loop
 *	call_target.h	an address, ready for it
 *	call_hold.h	requests that wait for the first one to a server
 *	call_request.h	its handles, and their callbacks
 *	call_tls.h	whom to trust, and who we are
 *	call_header.h	the headers of a request
 *	call_permit.h	which connections may be made
 *	call_stream.h	what HTTP/2 says of a request
 *	call_reply.h	the header of an answer
 *	call_body.h	its body, within limits
 *	call_answer.h	what came of it
 *	call_trouble.h	why it failed, in words
 *
 * Easy handles are reused, with a parsed URL for each target.  The event of a
 * socket stays armed while its connection idles in libcurl's pool, and is
 * removed just before the socket is closed: a request on a kept connection
 * costs no epoll_ctl(2).
 *
 * libcurl sends a POST again by itself when a kept connection dies.  Here it
 * may not: the second time within one request ends as ANSWER_RESET.  It may
 * where the server says that it has not looked at the request (HTTP/2).
 */
#ifndef SVCKIT_NET_CALL_HTTP_H
#define SVCKIT_NET_CALL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"

struct event_base;
struct call_http;
struct call_request;
struct call_target;

enum answer_kind {
	ANSWER_HTTP, /* a whole answer, of any status */
	ANSWER_REFUSED, /* connection refused, or no such socket */
	ANSWER_UNREACHABLE, /* not connected for another reason */
	ANSWER_TLS, /* certificate or handshake */
	ANSWER_FORBIDDEN, /* by call_security, or a unix socket's owner */
	ANSWER_TIMEOUT,
	ANSWER_RESET, /* the connection ended first, or would be used twice */
	ANSWER_TOO_LARGE,
	ANSWER_GARBLED, /* not HTTP, or broken framing */
	ANSWER_NO_MEMORY
};

/* What came of a request; valid during the call. */
struct call_answer {
	enum answer_kind kind;
	bool sent; /* the server may have seen the request */
	long status;
	double retry_after; /* seconds; negative: not said */
	double ms;
	const char *body; /* of a status not 2xx: its beginning */
	size_t body_length;
	struct buffer *store; /* what body lies in; ended() may empty it */
	size_t received; /* bytes of body, also those that were not kept */
	const char *content_type; /* or NULL */
	const char *detail; /* why there is none, or ""; one line */
};

struct call_http_options {
	int jobs;
	size_t max_result;
	const char *const *headers; /* borrowed; may be NULL */
	const struct call_security *security; /* borrowed */
	uint64_t seed; /* of what traces are made of */
	/* one request has ended; argument is the request's */
	void (*ended)(void *argument, const struct call_answer *answer);
	/* all that came has been told of: time to start more */
	void (*settled)(void *argument);
	void *argument; /* of settled */
};

/* EX_OSERR; EX_SOFTWARE; EX_USAGE: a header; and as call_tls_open(). */
int call_http_open(struct call_http **http, struct event_base *base,
    const struct call_http_options *options, struct svc_error *error);
/* No request may run. */
void call_http_close(struct call_http *http);

/* Calls settled() soon, from the event loop. */
void call_http_wake(struct call_http *http);

/*
 * Parses address (EX_DATAERR when it is none).  owner is the user that may own
 * a unix socket beside root and the caller, NULL: none; copied.
 */
int call_target_new(struct call_target **target, const char *address,
    const char *owner, struct svc_error *error);
/* No request may run at it. */
void call_target_free(struct call_http *http, struct call_target *target);

/* One POST. */
struct call_post {
	struct call_target *target;
	const char *id; /* Idempotency-Key */
	int64_t deadline; /* Svc-Deadline, ms since 1970 */
	int attempt; /* Svc-Attempt, from 1 */
	const char *traceparent; /* passed on; NULL: a trace is begun */
	bool told; /* the registry vouches for target: it may get the token */
	struct json_span body; /* borrowed until ended */
	const char *content_type; /* NULL: the default */
	double timeout; /* seconds */
	void *argument;
};

/*
 * Starts it; ended() is called once unless call_http_cancel() comes first.
 * Only from settled(), or wake it afterwards.  At most jobs may run.
 */
int call_http_post(struct call_http *http, const struct call_post *post,
    struct call_request **request, struct svc_error *error);
/*
 * May be called from within ended() of another request.  Returns whether the
 * server may have seen it.
 */
bool call_http_cancel(struct call_http *http, struct call_request *request);

/* Appends "url":...,"headers":{...},"bytes":N of what would be sent. */
void call_http_preview(struct call_http *http, const struct call_post *post,
    const char *address, struct buffer *out);

#endif
