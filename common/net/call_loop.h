/*
 * Inside the call engine: a libcurl multi handle driven by a libevent base.
 */
#ifndef SVCKIT_NET_CALL_LOOP_H
#define SVCKIT_NET_CALL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

struct event;
struct event_base;
struct call_socket;

struct call_loop {
	CURLM *multi;
	struct event_base *base;
	struct event *timer;
	struct event *wake;
	double timer_at; /* what libcurl asked for; 0: nothing */
	double armed_at; /* what the timer is set to; 0: not set */
	bool due; /* libcurl asked for a call at once */
	struct call_socket **sockets; /* by descriptor */
	size_t socket_count;
	/* after each step of libcurl: take results, start requests */
	void (*turn)(void *argument);
	void *argument;
};

/* EX_OSERR, EX_SOFTWARE. */
int call_loop_open(struct call_loop *loop, struct event_base *base,
    void (*turn)(void *argument), void *argument, struct svc_error *error);

/* All easy handles must have been removed and cleaned up. */
void call_loop_close(struct call_loop *loop);

/* Makes handle use sockets that the loop knows from birth to death. */
int call_loop_adopt(struct call_loop *loop, CURL *handle,
    curl_opensocket_callback opensocket, void *argument);
/* A new socket, as an opensocket callback returns it. */
curl_socket_t call_loop_socket(
    struct call_loop *loop, struct curl_sockaddr *address);

/* turn() is called soon, from the event loop. */
void call_loop_wake(struct call_loop *loop);

#endif
