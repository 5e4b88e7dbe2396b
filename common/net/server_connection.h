/*
 * A server's connections: what stands between the socket and evhttp.
 *
 * evhttp reads from the input buffer of a bufferevent.  A callback on that
 * buffer takes the bytes out as they come, gives them to the intake, and puts
 * back only whole requests that the guard has passed, one at a time: the next
 * when the last has been answered.  What is refused is replaced by a harmless
 * request that the server answers with the refusal, so that answers keep their
 * order.
 */
#ifndef SVCKIT_NET_SERVER_CONNECTION_H
#define SVCKIT_NET_SERVER_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <event2/util.h>

#include "line/error.h"
#include "net/server.h"
#include "net/server_intake.h"

struct bufferevent;
struct evbuffer_cb_entry;
struct event;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;
struct evconnlistener;

enum connection_phase {
	CONNECTION_NEW, /* evhttp has not finished making it */
	CONNECTION_IDLE,
	CONNECTION_ARRIVING,
	CONNECTION_SERVED, /* evhttp or the handler has a request */
	CONNECTION_WRITING,
	CONNECTION_LINGERING /* evhttp has closed it; see linger() */
};

struct connection {
	LIST_ENTRY(connection) link;
	struct server *server;
	struct bufferevent *stream; /* evhttp's */
	struct evbuffer_cb_entry *tap; /* on its input */
	struct evhttp_connection *peer; /* evhttp's; NULL while new */
	evutil_socket_t descriptor; /* -1 while new */
	struct in6_addr address; /* the peer's: IPv4 mapped, IPv6 its /64 */
	struct event *linger; /* on our own descriptor; or NULL */
	struct intake intake;
	struct evbuffer *raw; /* bytes that came and are not taken in */
	struct event *timer;
	enum connection_phase phase;
	bool refused; /* the request to answer is the refusal */
	bool moving; /* the tap's own changes */
	struct server_request *request; /* with the handler, or NULL */
};
LIST_HEAD(connection_list, connection);

struct server_request {
	struct connection *connection;
	struct evhttp_request *message;
	void (*gone)(void *argument);
	void *argument;
};

struct server {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *retry; /* listens again after a failed accept(2) */
	struct server_options options;
	size_t room; /* of options.max_bodies */
	struct connection_list connections;
	struct connection **by_descriptor;
	size_t descriptors; /* length of by_descriptor */
	int count;
	char address[128];
};

/*
 * evhttp_set_bevcb()'s callback: a bufferevent with a connection behind it.
 * NULL without memory: evhttp then makes one of its own, which has no
 * connection, and whose requests must be refused.
 */
struct bufferevent *connection_new(struct event_base *base, void *server);

/* The connection of one of evhttp's, or NULL. */
struct connection *connection_find(
    const struct server *server, struct evhttp_connection *peer);

/* An answer is on its way: length bytes of it. */
void connection_answering(struct connection *connection, size_t length);

/* It has been written: on to the next request. */
void connection_answered(struct connection *connection);

/* For connections that evhttp does not know (any more), at the end. */
void connection_free(struct connection *connection);

#endif
