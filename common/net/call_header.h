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
#include "line/units.h"

#define HEADER_TYPE_MAX 256

/* What all requests have: the caller's own headers. */
struct call_headers {
	struct curl_slist *list;
	bool typed; /* they have a Content-Type */
	int64_t second; /* that stamp is of: printing a time is slow */
	char stamp[64]; /* "Svc-Deadline: 2026-11-22T10:00:00" */
};

/* One request's. */
struct call_header {
	struct curl_slist nodes[4];
	char key[sizeof("Idempotency-Key: ") + NAME_MAX_LENGTH];
	char deadline[72];
	char type[HEADER_TYPE_MAX];
};

int call_headers_init(struct call_headers *headers, const char *const *lines,
    struct svc_error *error);
void call_headers_release(struct call_headers *headers);

/*
 * Fills header and returns the list, which lives as long as both.  size is the
 * body's.
 */
struct curl_slist *call_header_fill(struct call_header *header,
    struct call_headers *headers, const char *id, int64_t deadline,
    const char *content_type, size_t size);

/* Appends the list as a JSON object; headers that are taken away are not in. */
void call_header_print(const struct curl_slist *list, struct buffer *out);

#endif
