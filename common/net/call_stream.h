/*
 * Inside the call engine: what is known of a request as a stream of an HTTP/2
 * connection: whether the server has refused it before doing anything for it.
 *
 * A server that ends a connection (nginx does after 1,000 requests) says in a
 * frame GOAWAY which stream is the last that it has looked at; those behind it
 * are not executed (RFC 9113, section 6.8), and may go again.  The same holds
 * for a stream that is reset with REFUSED_STREAM (section 8.7).  libcurl sends
 * both again by itself, exactly as it does after a connection died, where
 * nobody knows what was executed; which of them it was it says only in the
 * texts for people that a debug function gets.  A text that is not known here
 * makes a request count as executed: that is always safe.
 */
#ifndef SVCKIT_NET_CALL_STREAM_H
#define SVCKIT_NET_CALL_STREAM_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call_stream {
	/* The connection, as both its ends say; no local port: none. */
	int local_port;
	int remote_port;
	char remote[INET6_ADDRSTRLEN];
	uint32_t id; /* 0: not known */
	bool beyond; /* of the last stream that the server has looked at */
	bool refused; /* when libcurl gave it up: it was not executed */
};

enum call_stream_event {
	STREAM_NOTHING,
	STREAM_GOAWAY /* from the server: see call_stream_goaway() */
};

/* A new request: nothing is known. */
void call_stream_reset(struct call_stream *stream);

/* It is about to be sent over this connection. */
void call_stream_begin(struct call_stream *stream, const char *remote,
    int remote_port, int local_port);

/* Takes a text of libcurl's; *last is the last stream of a GOAWAY. */
enum call_stream_event call_stream_text(struct call_stream *stream,
    const char *text, size_t length, uint32_t *last);

/*
 * The server ends the connection that teller is on, having looked at streams up
 * to last: says so to one request, on that connection or another.
 */
void call_stream_goaway(struct call_stream *stream,
    const struct call_stream *teller, uint32_t last);

#endif
