#include "net/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "net/server_connection.h"

/* Every method that evhttp knows: the routes decide. */
#define ALL_METHODS                                                            \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | \
	    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |        \
	    EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)
#define LISTEN_QUEUE 512
/* How long accept(2) is left alone when it has failed (no descriptors). */
#define ACCEPT_PAUSE_MICROSECONDS 100000

static const char *
method_name(enum evhttp_cmd_type type)
{
	static const struct {
		enum evhttp_cmd_type type;
		const char *name;
	} methods[] = {{EVHTTP_REQ_GET, "GET"}, {EVHTTP_REQ_HEAD, "GET"},
	    {EVHTTP_REQ_POST, "POST"}, {EVHTTP_REQ_PUT, "PUT"},
	    {EVHTTP_REQ_DELETE, "DELETE"}};
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].type == type)
			return methods[i].name;
	return "";
}

/* The path as it came, not decoded: routes are exact. */
static struct buffer
request_path(struct evhttp_request *message)
{
	const char *target = evhttp_request_get_uri(message);
	struct buffer path = BUFFER_INIT;

	if (*target != '/')
		target =
		    evhttp_uri_get_path(evhttp_request_get_evhttp_uri(message));
	buffer_append(&path, target, strcspn(target, "?#"));
	return path;
}

static void
append_allowed(struct buffer *allow, const char *method)
{
	buffer_append_string(allow, allow->length == 0 ? "Allow: " : ", ");
	buffer_append_string(allow, method);
	if (strcmp(method, "GET") == 0)
		buffer_append_string(allow, ", HEAD");
}

static void
route(struct server *server, struct server_request *request)
{
	const struct server_route *row;
	const char *headers[2] = {NULL, NULL};
	struct buffer allow = BUFFER_INIT,
		      path = request_path(request->message);
	const char *method = method_name(
		       evhttp_request_get_command(request->message)),
		   *name = buffer_string(&path);

	for (row = server->options.routes; name != NULL && row->method != NULL;
	     row++) {
		if (strcmp(row->path, name) != 0)
			continue;
		if (strcmp(row->method, method) == 0)
			break;
		append_allowed(&allow, row->method);
	}
	headers[0] = allow.length == 0 ? NULL : buffer_string(&allow);
	if (name == NULL || buffer_failed(&allow))
		server_reply_problem(request, 503, NULL, "out of memory", NULL);
	else if (row->method != NULL)
		row->handle(server->options.argument, request);
	else if (headers[0] != NULL)
		server_reply_problem(request, 405, headers,
		    "the path does not take this method", NULL);
	else
		server_reply_problem(
		    request, 404, NULL, "there is no such path", NULL);
	buffer_release(&allow);
	buffer_release(&path);
}

static void
reply_refusal(struct server_request *request)
{
	const char *headers[] = {"Connection: close", NULL, NULL};
	const struct guard_refusal *refusal =
	    &request->connection->intake.refusal;
	int status = refusal->status == 0 ? 503 : refusal->status;

	if (status == 503)
		headers[1] = "Retry-After: 1";
	server_reply_problem(request, status, headers,
	    refusal->detail == NULL ? "out of memory" : refusal->detail, NULL);
}

static void
answered(struct evhttp_request *message, void *argument)
{
	(void)message;
	connection_answered(argument);
}

/* evhttp has a request. */
static void
serve(struct evhttp_request *message, void *argument)
{
	struct server *server = argument;
	struct connection *connection =
	    connection_find(server, evhttp_request_get_connection(message));
	struct server_request *request = calloc(1, sizeof(*request));

	/* Without a connection of ours there was no guard. */
	if (connection == NULL || request == NULL) {
		free(request);
		evhttp_send_error(message, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	request->connection = connection;
	request->message = message;
	connection->request = request;
	evhttp_request_set_on_complete_cb(message, answered, connection);
	if (connection->refused)
		reply_refusal(request);
	else
		route(server, request);
}

static void
listen_again(evutil_socket_t descriptor, short what, void *argument)
{
	struct server *server = argument;

	(void)descriptor;
	(void)what;
	if (server->count < server->options.max_connections)
		evconnlistener_enable(server->listener);
}

/* No descriptors, most likely: without a pause this would spin. */
static void
accept_failed(struct evconnlistener *listener, void *argument)
{
	struct server *server = argument;
	struct timeval pause = {0, ACCEPT_PAUSE_MICROSECONDS};

	evconnlistener_disable(listener);
	evtimer_add(server->retry, &pause);
}

/* Takes ADDR:PORT or [ADDR6]:PORT apart. */
static int
split_bind(const char *bind, char *host, size_t size, const char **port,
    struct svc_error *error)
{
	const char *colon = strrchr(bind, ':');
	size_t length;

	if (colon == NULL || colon == bind || colon[1] == '\0')
		return svc_error_set(error, EX_USAGE,
		    "not ADDR:PORT: '%s'; try 127.0.0.1:8080", bind);
	length = (size_t)(colon - bind);
	if (*bind == '[' && colon[-1] == ']') {
		bind++;
		length -= 2;
	} else if (memchr(bind, ':', length) != NULL)
		return svc_error_set(error, EX_USAGE,
		    "an IPv6 address needs brackets: '%s'; try [::1]:8080",
		    bind);
	if (length >= size)
		return svc_error_set(
		    error, EX_USAGE, "the address is too long: '%s'", bind);
	memcpy(host, bind, length);
	host[length] = '\0';
	*port = colon + 1;
	return 0;
}

static int
resolve(const char *bind, struct addrinfo **found, struct svc_error *error)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *port = NULL;
	char host[NI_MAXHOST];
	int status;

	if (split_bind(bind, host, sizeof(host), &port, error) == -1)
		return -1;
	status = getaddrinfo(host, port, &hints, found);
	if (status != 0)
		return svc_error_set(error, EX_USAGE,
		    "cannot listen on '%s': %s", bind, gai_strerror(status));
	return 0;
}

static bool
is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *four;
	const struct sockaddr_in6 *six;

	if (address->sa_family == AF_INET) {
		four = (const struct sockaddr_in *)(const void *)address;
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	}
	six = (const struct sockaddr_in6 *)(const void *)address;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int
listen_on(
    const struct addrinfo *info, const char *bind_name, struct svc_error *error)
{
	int on = 1, saved,
	    descriptor = socket(
		info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor == -1)
		return svc_error_errno(error, "socket");
	/* TCP_NODELAY is inherited by what is accepted. */
	if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ==
		0 &&
	    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		0 &&
	    bind(descriptor, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(descriptor, LISTEN_QUEUE) == 0)
		return descriptor;
	saved = errno;
	close(descriptor);
	errno = saved;
	svc_error_errno(error, "cannot listen on '%s'", bind_name);
	if (saved == EADDRINUSE || saved == EADDRNOTAVAIL)
		error->code = EX_UNAVAILABLE;
	return -1;
}

static int
name_address(struct server *server, int descriptor, struct svc_error *error)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[64], port[8];
	bool six;

	if (getsockname(descriptor, (struct sockaddr *)&address, &length) == -1)
		return svc_error_errno(error, "getsockname");
	if (getnameinfo((struct sockaddr *)&address, length, host, sizeof(host),
		port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return svc_error_set(
		    error, EX_OSERR, "the address has no text");
	six = strchr(host, ':') != NULL;
	snprintf(server->address, sizeof(server->address), "%s%s%s:%s",
	    six ? "[" : "", host, six ? "]" : "", port);
	return 0;
}

static int
open_listener(struct server *server, struct svc_error *error)
{
	struct addrinfo *info;
	const char *name = server->options.bind;
	int descriptor;

	if (resolve(name, &info, error) == -1)
		return -1;
	if (!server->options.public && !is_loopback(info->ai_addr)) {
		freeaddrinfo(info);
		return svc_error_set(error, EX_USAGE,
		    "an address that others reach: '%s' (--public allows it)",
		    name);
	}
	descriptor = listen_on(info, name, error);
	freeaddrinfo(info);
	if (descriptor == -1)
		return -1;
	if (name_address(server, descriptor, error) == -1) {
		close(descriptor);
		return -1;
	}
	server->listener = evconnlistener_new(server->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, descriptor);
	if (server->listener == NULL) {
		close(descriptor);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	return 0;
}

static int
open_http(struct server *server, struct svc_error *error)
{
	server->http = evhttp_new(server->base);
	server->retry = evtimer_new(server->base, listen_again, server);
	if (server->http == NULL || server->retry == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (open_listener(server, error) == -1)
		return -1;
	evhttp_set_allowed_methods(server->http, ALL_METHODS);
	evhttp_set_default_content_type(server->http, NULL);
	evhttp_set_bevcb(server->http, connection_new, server);
	evhttp_set_gencb(server->http, serve, server);
	if (evhttp_bind_listener(server->http, server->listener) == NULL) {
		evconnlistener_free(server->listener);
		server->listener = NULL;
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	evconnlistener_set_error_cb(server->listener, accept_failed);
	return 0;
}

int
server_open(struct server **server, struct event_base *base,
    const struct server_options *options, struct svc_error *error)
{
	struct server *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->room = options->max_bodies;
	LIST_INIT(&made->connections);
	if (open_http(made, error) == -1) {
		server_close(made);
		return -1;
	}
	*server = made;
	return 0;
}

void
server_close(struct server *server)
{
	struct connection *connection;

	if (server == NULL)
		return;
	server->listener = NULL; /* evhttp frees it */
	if (server->http != NULL)
		evhttp_free(server->http);
	while ((connection = LIST_FIRST(&server->connections)) != NULL)
		connection_free(connection);
	if (server->retry != NULL)
		event_free(server->retry);
	free(server->by_descriptor);
	free(server);
}

const char *
server_address(const struct server *server)
{
	return server->address;
}

int
server_connections(const struct server *server)
{
	return server->count;
}
