/* The HTTP server's limits, over real connections to a server process. */
#include "net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "check.h"

#define DEADLINE_SECONDS 0.3
#define IDLE_SECONDS	 60.0
#define WAIT_MS		 10000
#define LARGE		 1000000

static void
echo(void *argument, struct server_request *request)
{
	size_t length;
	const char *body = server_request_body(request, &length);

	(void)argument;
	server_reply(request, 200, "text/plain", NULL, body, length);
}

static const struct server_route routes[] = {
    {"POST", "/echo", echo}, {NULL, NULL, NULL}};

struct peer {
	pid_t pid;
	int port;
};

static const struct server_options defaults = {.bind = "127.0.0.1:0",
    .max_body = 1000,
    .max_bodies = 1000,
    .max_header = 500,
    .request_deadline = DEADLINE_SECONDS,
    .idle = IDLE_SECONDS,
    .max_connections = 2,
    .max_peer = 2,
    .routes = routes};

static void
run_server(int report, const struct server_options *options)
{
	struct event_base *base = event_base_new();
	struct server *server;
	struct svc_error error;
	int port = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (server_open(&server, base, options, &error) == 0)
		port = (int)strtol(
		    strrchr(server_address(server), ':') + 1, NULL, 10);
	if (write(report, &port, sizeof(port)) == sizeof(port) && port != 0)
		event_base_dispatch(base);
	_exit(1);
}

static struct peer
start_server(const struct server_options *options)
{
	struct peer peer = {-1, 0};
	int ends[2];

	if (pipe(ends) == -1)
		return peer;
	fflush(stdout);
	if ((peer.pid = fork()) == 0)
		run_server(ends[1], options);
	close(ends[1]);
	CHECK(
	    read(ends[0], &peer.port, sizeof(peer.port)) == sizeof(peer.port));
	close(ends[0]);
	return peer;
}

static void
stop_server(const struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
}

/* From 127.0.0.HOST. */
static int
reach_from(const struct peer *peer, unsigned host)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)peer->port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in own = {.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK - 1 + host)}};
	int descriptor = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(descriptor, (struct sockaddr *)&own, sizeof(own)) == 0);
	CHECK(connect(descriptor, (struct sockaddr *)&address,
		  sizeof(address)) == 0);
	return descriptor;
}

static int
reach(const struct peer *peer)
{
	return reach_from(peer, 1);
}

static void
say(int descriptor, const char *text)
{
	size_t length = strlen(text);

	CHECK(send(descriptor, text, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static void
say_much(int descriptor, size_t length)
{
	static const char text[100000];
	size_t part;

	for (; length > 0; length -= part) {
		part = length < sizeof(text) ? length : sizeof(text);
		/* It may be refused before the end. */
		if (send(descriptor, text, part, MSG_NOSIGNAL) != (ssize_t)part)
			return;
	}
}

/* What comes until the end, or until text has been seen. */
static const char *
hear(int descriptor, const char *text)
{
	static char heard[8192];
	struct pollfd wait = {descriptor, POLLIN, 0};
	size_t length = 0;
	ssize_t more = 1;

	heard[0] = '\0';
	while (more > 0 && (text == NULL || strstr(heard, text) == NULL)) {
		if (!CHECK(poll(&wait, 1, WAIT_MS) == 1))
			break;
		more = recv(
		    descriptor, heard + length, sizeof(heard) - 1 - length, 0);
		length += more > 0 ? (size_t)more : 0;
		heard[length] = '\0';
	}
	return heard;
}

static bool
starts(const char *text, const char *with)
{
	bool so = strncmp(text, with, strlen(with)) == 0;

	if (!so)
		printf("# got: %s\n", text);
	return so;
}

static void
a_request_that_comes_byte_by_byte_is_served(void)
{
	static const char text[] =
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
	    "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n";
	struct peer peer = start_server(&defaults);
	int descriptor = reach(&peer), on = 1;
	const char *answer;
	size_t i;

	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (i = 0; i < sizeof(text) - 1; i++)
		CHECK(send(descriptor, text + i, 1, MSG_NOSIGNAL) == 1);
	answer = hear(descriptor, NULL);
	CHECK(starts(answer, "HTTP/1.1 200 OK"));
	CHECK(strstr(answer, "\r\n\r\nabcde") != NULL);
	close(descriptor);
	stop_server(&peer);
}

static void
a_header_that_does_not_end_is_408_at_the_deadline(void)
{
	struct peer peer = start_server(&defaults);
	int descriptor = reach(&peer), sent = 0;
	struct pollfd wait = {descriptor, POLLIN, 0};

	say(descriptor, "POST /echo HTTP/1.1\r\nHost: x\r\nX: ");
	/* A byte a while would keep an idle time-out from ever coming. */
	while (poll(&wait, 1, 20) == 0 && sent++ < 400)
		say(descriptor, "x");
	CHECK(starts(hear(descriptor, NULL), "HTTP/1.1 408 "));
	close(descriptor);
	stop_server(&peer);
}

static void
a_body_that_does_not_end_is_408_at_the_deadline(void)
{
	struct peer peer = start_server(&defaults);
	int descriptor = reach(&peer);

	say(descriptor,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
	CHECK(starts(hear(descriptor, NULL), "HTTP/1.1 408 "));
	close(descriptor);
	stop_server(&peer);
}

static void
an_unused_connection_is_closed(void)
{
	struct server_options options = defaults;
	struct peer peer;
	int descriptor;

	options.idle = DEADLINE_SECONDS;
	peer = start_server(&options);
	descriptor = reach(&peer);

	CHECK_STRING(hear(descriptor, NULL), "");
	close(descriptor);
	descriptor = reach(&peer);
	say(descriptor,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
	CHECK(strstr(hear(descriptor, NULL), "\r\n\r\nok") != NULL);
	close(descriptor);
	stop_server(&peer);
}

static void
connections_beyond_the_limit_wait(void)
{
	static const char request[] =
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok";
	struct peer peer = start_server(&defaults);
	int first = reach(&peer), second = reach(&peer), third = reach(&peer);
	struct pollfd wait = {third, POLLIN, 0};

	say(first, request);
	hear(first, "\r\n\r\nok");
	say(second, request);
	hear(second, "\r\n\r\nok");
	say(third, request);
	CHECK(poll(&wait, 1, 50) == 0);
	close(first);
	CHECK(strstr(hear(third, "\r\n\r\nok"), "200 OK") != NULL);
	close(second);
	close(third);
	stop_server(&peer);
}

/* How a body of length bytes is answered on a connection of its own. */
static int
status_of(const struct peer *peer, unsigned host, size_t length)
{
	int descriptor = reach_from(peer, host), status = 0;
	char head[256];

	snprintf(head, sizeof(head),
	    "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    length);
	say(descriptor, head);
	say_much(descriptor, length);
	sscanf(hear(descriptor, "\r\n\r\n"), "HTTP/1.1 %d ", &status);
	close(descriptor);
	return status;
}

/* Until a body is answered with status; a server has its own pace. */
static bool
becomes(const struct peer *peer, size_t length, int status)
{
	int tries, got = 0;

	for (tries = 0; tries < 1000 && got != status; tries++) {
		got = status_of(peer, 1, length);
		if (got != status)
			poll(NULL, 0, 10);
	}
	return got == status;
}

static void
one_address_has_only_a_part_of_the_connections(void)
{
	struct server_options options = defaults;
	struct peer peer;
	const char *answer;
	int held[3], i;

	options.max_connections = 100;
	options.max_peer = 3;
	peer = start_server(&options);
	for (i = 0; i < 3; i++)
		held[i] = reach(&peer);
	i = reach(&peer);
	answer = hear(i, NULL);
	CHECK(starts(answer, "HTTP/1.1 503 "));
	CHECK(strstr(answer, "\r\nRetry-After: 1\r\n") != NULL);
	CHECK(strstr(answer, "application/problem+json") != NULL);
	close(i);
	CHECK(status_of(&peer, 2, 2) == 200);
	for (i = 0; i < 3; i++)
		close(held[i]);
	CHECK(becomes(&peer, 2, 200));
	stop_server(&peer);
}

static void
a_crowd_of_one_address_does_not_keep_others_out(void)
{
	struct server_options options = defaults;
	int crowd[150], i, closed = 0;
	struct peer peer;

	options.max_connections = 100;
	options.max_peer = 3;
	peer = start_server(&options);
	for (i = 0; i < 150; i++)
		crowd[i] = reach(&peer);
	CHECK(status_of(&peer, 2, 2) == 200);
	for (i = 3; i < 150; i++)
		closed += *hear(crowd[i], NULL) == '\0';
	CHECK(closed > 0);
	for (i = 0; i < 150; i++)
		close(crowd[i]);
	stop_server(&peer);
}

static void
bodies_have_a_limit_in_all(void)
{
	struct server_options options = defaults;
	struct peer peer;
	int half;

	options.max_connections = 10;
	options.max_peer = 10;
	options.max_body = LARGE;
	options.max_bodies = LARGE;
	options.request_deadline = IDLE_SECONDS;
	peer = start_server(&options);
	CHECK(status_of(&peer, 1, LARGE) == 200);
	half = reach(&peer);
	say(half, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		  "Content-Length: 1000000\r\n\r\n");
	say_much(half, LARGE / 2);
	CHECK(becomes(&peer, LARGE, 503));
	CHECK(status_of(&peer, 1, 60000) == 200);
	say_much(half, LARGE - LARGE / 2);
	CHECK(starts(hear(half, "\r\n"), "HTTP/1.1 200 "));
	close(half);
	CHECK(becomes(&peer, LARGE, 200));
	half = reach(&peer);
	say(half, "POST /echo HTTP/1.1\r\nHost: x\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n7a120\r\n");
	say_much(half, LARGE / 2);
	CHECK(becomes(&peer, LARGE, 503));
	close(half);
	CHECK(becomes(&peer, LARGE, 200));
	stop_server(&peer);
}

static void
targets_that_evhttp_cannot_read_are_problems(void)
{
	static const char *const targets[] = {"//[", "//x:y/",
	    "http://x:99999/", "http://[/echo", "http://a@b@c/"};
	struct peer peer = start_server(&defaults);
	char request[256];
	const char *answer;
	int descriptor;
	size_t i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		descriptor = reach(&peer);
		snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[i]);
		say(descriptor, request);
		answer = hear(descriptor, NULL);
		CHECK(starts(answer, "HTTP/1.1 400 "));
		CHECK(strstr(answer, "application/problem+json") != NULL);
		close(descriptor);
	}
	stop_server(&peer);
}

static void
headers_and_bodies_have_limits(void)
{
	struct peer peer = start_server(&defaults);
	int descriptor = reach(&peer);
	char line[700];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	say(descriptor, "POST /echo HTTP/1.1\r\nX: ");
	say(descriptor, line);
	CHECK(starts(hear(descriptor, NULL), "HTTP/1.1 431 "));
	close(descriptor);
	descriptor = reach(&peer);
	say(descriptor,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n3e9\r\n");
	CHECK(starts(hear(descriptor, NULL), "HTTP/1.1 413 "));
	close(descriptor);
	stop_server(&peer);
}

static void
a_public_address_must_be_allowed(void)
{
	struct server_options options = {.bind = "0.0.0.0:0",
	    .routes = routes,
	    .max_connections = 2,
	    .max_peer = 2};
	struct event_base *base = event_base_new();
	struct server *server = NULL;
	struct svc_error error;

	CHECK(server_open(&server, base, &options, &error) == -1);
	options.public = true;
	CHECK(server_open(&server, base, &options, &error) == 0);
	server_close(server);
	event_base_free(base);
}

int
main(void)
{
	RUN(a_request_that_comes_byte_by_byte_is_served);
	RUN(a_header_that_does_not_end_is_408_at_the_deadline);
	RUN(a_body_that_does_not_end_is_408_at_the_deadline);
	RUN(an_unused_connection_is_closed);
	RUN(connections_beyond_the_limit_wait);
	RUN(one_address_has_only_a_part_of_the_connections);
	RUN(a_crowd_of_one_address_does_not_keep_others_out);
	RUN(bodies_have_a_limit_in_all);
	RUN(targets_that_evhttp_cannot_read_are_problems);
	RUN(headers_and_bodies_have_limits);
	RUN(a_public_address_must_be_allowed);
	return check_done();
}
