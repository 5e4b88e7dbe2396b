/*
 * Inside the call engine: a request, which is an easy handle of libcurl's with
 * all that its callbacks need.  Handles are set up once and used again.
 */
#ifndef SVCKIT_NET_CALL_REQUEST_H
#define SVCKIT_NET_CALL_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>

#include "net/call.h"
#include "net/call_body.h"
#include "net/call_header.h"
#include "net/call_hold.h"
#include "net/call_http.h"
#include "net/call_loop.h"
#include "net/call_permit.h"
#include "net/call_reply.h"
#include "net/call_stream.h"
#include "net/call_target.h"
#include "net/call_tls.h"

/*
 * Seconds: a host that says nothing at all should not eat the whole deadline.
 */
#define CALL_CONNECT_TIMEOUT 5.0

struct call_request {
	struct call_http *http;
	CURL *handle;
	struct call_target *target; /* that the handle is set up for, or NULL */
	bool http2; /* may become a stream */
	double expires; /* CLOCK_MONOTONIC, seconds; where http2 */
	double timeout; /* seconds */
	enum answer_kind unbegun; /* what it ends as, in that list */
	void *argument;
	struct call_header header;
	struct call_permit permit;
	struct call_stream stream;
	struct call_reply reply;
	struct call_body body;
	int sends; /* times libcurl was about to send */
	bool unsent; /* all of those were refused unseen */
	bool worn; /* not to be used again */
	char detail[CURL_ERROR_SIZE];
	LIST_ENTRY(call_request) link;
};

struct call_http {
	struct call_loop loop;
	struct call_http_options options;
	struct call_headers headers;
	struct call_tls tls;
	struct call_requests idle;
	struct call_requests busy;
	struct call_hold hold; /* more of them */
	struct call_requests unbegun; /* busy, and never will be begun */
};

/* A new one, in no list; NULL: no memory. */
struct call_request *call_request_new(struct call_http *http);
void call_request_free(struct call_request *request);

/* Makes it the request that post says; nothing is sent yet. */
int call_request_prepare(
    struct call_request *request, const struct call_post *post);

/* Gives it so many seconds, from when it is begun. */
int call_request_limit(struct call_request *request, double seconds);

/* HTTP status of its answer, 0: none. */
long call_request_status(const struct call_request *request);

#endif
