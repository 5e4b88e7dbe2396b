/*
 * Inside the call engine: what came of a request (struct call_answer, in
 * call_http.h), from what libcurl and the request's callbacks know.
 */
#ifndef SVCKIT_NET_CALL_ANSWER_H
#define SVCKIT_NET_CALL_ANSWER_H

#include <curl/curl.h>

struct call_answer;
struct call_request;

/* Fills answer, which points into request, for one that ended with code. */
void call_answer_fill(
    struct call_answer *answer, struct call_request *request, CURLcode code);

/* For one that never began, and ends as request->unbegun. */
void call_answer_unbegun(
    struct call_answer *answer, struct call_request *request);

#endif
