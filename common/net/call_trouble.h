/*
 * Inside the call engine: why a request failed, in a clause of our own.
 */
#ifndef SVCKIT_NET_CALL_TROUBLE_H
#define SVCKIT_NET_CALL_TROUBLE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct call_request;

/*
 * Fills text for a request that ended with code.  false: it is rare enough for
 * libcurl's own words, and text is unchanged.
 */
bool call_trouble_explain(
    const struct call_request *request, CURLcode code, char *text, size_t size);

#endif
