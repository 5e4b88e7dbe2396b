/*
 * Inside the call engine: the headers of a request, as libcurl takes them,
 * without an allocation a request.
 */
#ifndef SVCKIT_NET_CALL_HEADER_H
#define SVCKIT_NET_CALL_HEADER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/traceparent.h"
#include "line/units.h"
#include "sched/random.h"

#define HEADER_TYPE_MAX 256

struct call_http_options;
struct call_post;

/* What all requests have: the caller's own headers. */
struct call_headers {
	struct curl_slist *list;
	bool typed; /* they have a Content-Type */
	bool traced; /* and a traceparent */
	char *authorization; /* "Authorization: Bearer TOKEN", or NULL */
	uint64_t seed; /* of trace ids */
	struct random random; /* for span ids */
	int64_t second; /* that stamp is of: printing a time is slow */
	char stamp[64]; /* "Svc-Deadline: 2026-11-22T10:00:00" */
};

/* One request's. */
struct call_header {
	struct curl_slist nodes[7];
	char key[sizeof("Idempotency-Key: ") + NAME_MAX_LENGTH];
	char deadline[72];
	char attempt[32];
	char trace[sizeof("traceparent: ") + TRACEPARENT_LENGTH];
	char type[HEADER_TYPE_MAX];
};

/*
 * The headers, the token and the seed of options; the strings are copied.
 * EX_USAGE: as call_header_check(), a second Content-Type or traceparent, or an
 * Authorization beside a token.
 */
int call_headers_init(struct call_headers *headers,
    const struct call_http_options *options, struct svc_error *error);
void call_headers_release(struct call_headers *headers);

/*
 * Fills header for post and returns the list, which lives as long as header,
 * headers and post.  The caller's headers come before those that are made:
 * Content-Type, traceparent.  A trace that is begun here is the same for all
 * requests with an id, and the span another one each time.  Only a post that is
 * told of gets the token.
 */
struct curl_slist *call_header_fill(struct call_header *header,
    struct call_headers *headers, const struct call_post *post);

/*
 * Appends the list as a JSON object; headers that are taken away are not in,
 * and the token of headers is not shown.
 */
void call_header_print(const struct call_headers *headers,
    const struct curl_slist *list, struct buffer *out);

#endif
