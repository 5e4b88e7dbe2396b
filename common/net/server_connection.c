#include "net/server_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "line/units.h"

/* What a client may send ahead of an answer before it is read no further. */
#define AHEAD_MAX (64UL * 1024)
/* An answer must be taken at this rate, after a start. */
#define ANSWER_START_SECONDS 30.0
#define ANSWER_BYTES_SECOND  (64.0 * 1024)

/* How long a refused client is still read from. */
#define LINGER_SECONDS 2.0
/* Connections beyond a peer's limit that are told so; more are just closed. */
#define CROWD_TOLD 64

static void feed(struct connection *connection);

static void
set_timer(struct connection *connection, double seconds)
{
	struct timeval span = duration_timeval(seconds);

	evtimer_add(connection->timer, &span);
}

static void
set_phase(struct connection *connection, enum connection_phase phase)
{
	connection->phase = phase;
	if (phase == CONNECTION_IDLE)
		set_timer(connection, connection->server->options.idle);
	else if (phase == CONNECTION_ARRIVING)
		set_timer(
		    connection, connection->server->options.request_deadline);
	else
		evtimer_del(connection->timer);
}

/* evhttp sees the end of the stream and frees what is its own. */
static void
cut(struct connection *connection)
{
	bufferevent_enable(connection->stream, EV_READ);
	shutdown(connection->descriptor, SHUT_RDWR);
}

static bool
remember(struct connection *connection)
{
	struct server *server = connection->server;
	size_t slot = (size_t)connection->descriptor;

	if (slot >= server->descriptors) {
		size_t length = slot + 64, i;
		struct connection **grown =
		    reallocarray(server->by_descriptor, length, sizeof(*grown));

		if (grown == NULL)
			return false;
		for (i = server->descriptors; i < length; i++)
			grown[i] = NULL;
		server->by_descriptor = grown;
		server->descriptors = length;
	}
	server->by_descriptor[slot] = connection;
	return true;
}

static void
forget(struct connection *connection)
{
	struct server *server = connection->server;
	size_t slot = (size_t)connection->descriptor;

	if (slot < server->descriptors &&
	    server->by_descriptor[slot] == connection)
		server->by_descriptor[slot] = NULL;
}

struct connection *
connection_find(const struct server *server, struct evhttp_connection *peer)
{
	struct bufferevent *stream = evhttp_connection_get_bufferevent(peer);
	evutil_socket_t descriptor = bufferevent_getfd(stream);
	struct connection *connection;

	if (descriptor < 0 || (size_t)descriptor >= server->descriptors)
		return NULL;
	connection = server->by_descriptor[descriptor];
	return connection != NULL && connection->peer == peer ? connection
							      : NULL;
}

void
connection_free(struct connection *connection)
{
	struct server *server = connection->server;

	LIST_REMOVE(connection, link);
	if (server->count-- == server->options.max_connections &&
	    server->listener != NULL)
		evconnlistener_enable(server->listener);
	if (connection->phase == CONNECTION_NEW) {
		evbuffer_remove_cb_entry(
		    bufferevent_get_input(connection->stream), connection->tap);
		bufferevent_decref(connection->stream);
	}
	if (connection->linger != NULL) {
		evutil_socket_t own = event_get_fd(connection->linger);

		event_free(connection->linger);
		close(own);
	}
	event_free(connection->timer);
	evbuffer_free(connection->raw);
	intake_release(&connection->intake);
	free(connection);
}

static void
drop_bytes(evutil_socket_t descriptor, short what, void *argument)
{
	char data[16384];
	ssize_t length = recv(descriptor, data, sizeof(data), MSG_DONTWAIT);

	(void)what;
	if (length == 0 || (length == -1 && errno != EAGAIN && errno != EINTR))
		connection_free(argument);
}

/*
 * To close a socket that has unread bytes resets the connection, and the client
 * may lose the answer that says why.  So what a refused client still sends is
 * read, by a descriptor of our own, until it closes or for a while.
 */
static void
linger(struct connection *connection)
{
	int own = fcntl(connection->descriptor, F_DUPFD_CLOEXEC, 0);

	if (own == -1) {
		connection_free(connection);
		return;
	}
	connection->linger = event_new(connection->server->base, own,
	    EV_READ | EV_PERSIST, drop_bytes, connection);
	if (connection->linger == NULL ||
	    event_add(connection->linger, NULL) == -1) {
		if (connection->linger == NULL)
			close(own);
		connection_free(connection);
		return;
	}
	connection->phase = CONNECTION_LINGERING;
	set_timer(connection, LINGER_SECONDS);
}

/* evhttp is about to free its connection. */
static void
closed(struct evhttp_connection *peer, void *argument)
{
	struct connection *connection = argument;
	struct server_request *request = connection->request;

	(void)peer;
	evbuffer_remove_cb_entry(
	    bufferevent_get_input(connection->stream), connection->tap);
	if (request != NULL) {
		if (request->gone != NULL)
			request->gone(request->argument);
		/* A request that evhttp has let go of is the handler's. */
		if (evhttp_request_get_connection(request->message) == NULL)
			evhttp_request_free(request->message);
		free(request);
	}
	forget(connection);
	if (connection->refused && connection->server->listener != NULL)
		linger(connection);
	else
		connection_free(connection);
}

/* An IPv4 address is mapped; of an IPv6 address the network, which is what a
 * host gets, is the peer. */
static void
learn_address(struct connection *connection)
{
	struct sockaddr_storage storage;
	const void *general = &storage;
	const struct sockaddr_in *four = general;
	const struct sockaddr_in6 *six = general;
	struct in6_addr *address = &connection->address;
	socklen_t length = sizeof(storage);

	if (getpeername(connection->descriptor, (struct sockaddr *)&storage,
		&length) == -1)
		return; /* it has gone */
	if (storage.ss_family == AF_INET) {
		memset(address->s6_addr + 10, 0xff, 2);
		memcpy(address->s6_addr + 12, &four->sin_addr, 4);
	} else {
		*address = six->sin6_addr;
		if (!IN6_IS_ADDR_V4MAPPED(address))
			memset(address->s6_addr + 8, 0, 8);
	}
}

static int
count_peer(const struct connection *connection)
{
	const struct connection *other;
	int count = 0;

	LIST_FOREACH(other, &connection->server->connections, link)
	count += memcmp(&other->address, &connection->address,
		     sizeof(other->address)) == 0;
	return count;
}

/*
 * evhttp tells nobody of a connection before its first request; but it gives
 * itself to the bufferevent as the callbacks' argument.  False: there is none,
 * and the connection is freed.
 */
static bool
adopt(struct connection *connection)
{
	struct bufferevent *stream = connection->stream;
	bufferevent_event_cb event = NULL;
	void *peer = NULL;

	bufferevent_getcb(stream, NULL, NULL, &event, &peer);
	if (event == NULL || peer == NULL ||
	    evhttp_connection_get_bufferevent(peer) != stream) {
		connection_free(connection);
		return false;
	}
	connection->peer = peer;
	connection->descriptor = bufferevent_getfd(stream);
	set_phase(connection, CONNECTION_IDLE);
	evhttp_connection_set_closecb(peer, closed, connection);
	/* evhttp lives as long as the stream now, and tells of its end. */
	bufferevent_decref(stream);
	if (!remember(connection))
		cut(connection);
	learn_address(connection);
	return true;
}

/* A bufferevent lets nobody but itself add to its input. */
static void
begin_move(struct connection *connection)
{
	connection->moving = true;
	evbuffer_unfreeze(bufferevent_get_input(connection->stream), 0);
}

static void
end_move(struct connection *connection)
{
	evbuffer_freeze(bufferevent_get_input(connection->stream), 0);
	connection->moving = false;
}

/* Puts a request before evhttp whose answer is the refusal. */
static void
refuse(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);

	connection->refused = true;
	intake_forget(&connection->intake);
	evbuffer_drain(connection->raw, evbuffer_get_length(connection->raw));
	set_phase(connection, CONNECTION_SERVED);
	begin_move(connection);
	if (evbuffer_add_printf(input,
		"GET / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n") == -1)
		cut(connection);
	end_move(connection);
}

/* False: the peer has too many connections, and this one ends. */
static bool
admit(struct connection *connection)
{
	int over =
	    count_peer(connection) - connection->server->options.max_peer;

	if (over <= 0)
		return true;
	if (over > CROWD_TOLD) {
		cut(connection);
		return false;
	}
	connection->intake.refusal.status = 503;
	connection->intake.refusal.detail =
	    "too many connections from this address";
	refuse(connection);
	bufferevent_trigger(
	    connection->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
	return false;
}

static void
send_continue(struct connection *connection)
{
	static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

	/* No answer is being written, so that this goes at once; and when it
	 * does not, clients send after a second without it. */
	connection->intake.waits = false;
	(void)send(connection->descriptor, answer, sizeof(answer) - 1,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
feed(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);
	int status;

	if (connection->phase == CONNECTION_SERVED ||
	    connection->phase == CONNECTION_WRITING) {
		if (evbuffer_get_length(connection->raw) > AHEAD_MAX)
			bufferevent_disable(connection->stream, EV_READ);
		return;
	}
	if (evbuffer_get_length(connection->raw) == 0)
		return;
	if (connection->phase == CONNECTION_IDLE)
		set_phase(connection, CONNECTION_ARRIVING);
	begin_move(connection);
	status = intake_step(&connection->intake, connection->raw, input);
	end_move(connection);
	if (status == 1)
		set_phase(connection, CONNECTION_SERVED);
	else if (status == -1)
		refuse(connection);
	else if (connection->intake.waits)
		send_continue(connection);
}

/* Moves the last length bytes of input to target. */
static int
take_last(struct evbuffer *input, size_t length, struct evbuffer *target)
{
	struct evbuffer *first;
	size_t keep = evbuffer_get_length(input) - length;
	int status;

	if (keep == 0)
		return evbuffer_add_buffer(target, input);
	if ((first = evbuffer_new()) == NULL)
		return -1;
	status = evbuffer_remove_buffer(input, first, keep) == -1 ||
			 evbuffer_add_buffer(target, input) == -1 ||
			 evbuffer_add_buffer(input, first) == -1
		     ? -1
		     : 0;
	evbuffer_free(first);
	return status;
}

/*
 * Bytes have come: they go to the intake, not to evhttp.  What stands before
 * them in the input is a request that evhttp has not read yet.
 */
static void
arrived(
    struct evbuffer *input, const struct evbuffer_cb_info *info, void *argument)
{
	struct connection *connection = argument;
	bool fresh = connection->phase == CONNECTION_NEW;

	if (connection->moving || info->n_added == 0 ||
	    (fresh && !adopt(connection)))
		return;
	connection->moving = true;
	if (take_last(input, info->n_added, connection->raw) == -1)
		connection->refused = true;
	connection->moving = false;
	if (connection->refused)
		evbuffer_drain(
		    connection->raw, evbuffer_get_length(connection->raw));
	else if (!fresh || admit(connection))
		feed(connection);
}

static void
timed_out(evutil_socket_t descriptor, short what, void *argument)
{
	struct connection *connection = argument;

	(void)descriptor;
	(void)what;
	if (connection->phase == CONNECTION_NEW) {
		if (adopt(connection))
			(void)admit(connection);
		return;
	}
	if (connection->phase == CONNECTION_LINGERING) {
		connection_free(connection);
		return;
	}
	if (connection->phase != CONNECTION_ARRIVING) {
		cut(connection);
		return;
	}
	if (connection->intake.state != INTAKE_SKIP) {
		connection->intake.refusal.status = 408;
		connection->intake.refusal.detail =
		    "the request did not come in time";
	}
	refuse(connection);
	bufferevent_trigger(
	    connection->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

static struct connection *
make(struct server *server)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->server = server;
	connection->descriptor = -1;
	connection->raw = evbuffer_new();
	connection->timer = evtimer_new(server->base, timed_out, connection);
	if (connection->raw != NULL && connection->timer != NULL &&
	    intake_init(&connection->intake, server->options.max_header,
		server->options.max_body, &server->room) == 0)
		return connection;
	if (connection->raw != NULL)
		evbuffer_free(connection->raw);
	if (connection->timer != NULL)
		event_free(connection->timer);
	free(connection);
	return NULL;
}

static void
discard(struct connection *connection)
{
	evbuffer_free(connection->raw);
	event_free(connection->timer);
	intake_release(&connection->intake);
	free(connection);
}

struct bufferevent *
connection_new(struct event_base *base, void *argument)
{
	struct server *server = argument;
	struct connection *connection = make(server);
	struct bufferevent *stream;

	if (connection == NULL)
		return NULL;
	stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (stream != NULL)
		connection->tap = evbuffer_add_cb(
		    bufferevent_get_input(stream), arrived, connection);
	if (connection->tap == NULL) {
		if (stream != NULL)
			bufferevent_free(stream);
		discard(connection);
		return NULL;
	}
	/* An input that the tap has emptied is not worth evhttp's while; while
	 * a handler works it would even be an error. */
	bufferevent_setwatermark(stream, EV_READ, 1, 0);
	connection->stream = stream;
	bufferevent_incref(stream);
	LIST_INSERT_HEAD(&server->connections, connection, link);
	if (++server->count == server->options.max_connections)
		evconnlistener_disable(server->listener);
	/* When this has returned evhttp sets the stream up; adopt() is next. */
	event_active(connection->timer, EV_TIMEOUT, 0);
	return stream;
}

void
connection_answering(struct connection *connection, size_t length)
{
	set_phase(connection, CONNECTION_WRITING);
	set_timer(connection,
	    ANSWER_START_SECONDS + (double)length / ANSWER_BYTES_SECOND);
}

void
connection_answered(struct connection *connection)
{
	intake_forget(&connection->intake);
	set_phase(connection, CONNECTION_IDLE);
	feed(connection);
}
