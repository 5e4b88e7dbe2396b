#include "net/probe.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/json.h"
#include "line/units.h"
#include "line/version.h"
#include "net/http_answer.h"

struct probe {
	struct event_base *base;
	probe_done_fn done;
	void *argument;
	double started;
	struct addrinfo *list; /* of getaddrinfo(3); NULL for a unix socket */
	const struct addrinfo *next; /* to be tried after this one */
	struct sockaddr_un path; /* of a unix socket */
	struct addrinfo local; /* the same, as an entry of a list */
	int descriptor;
	struct event *io;
	struct event *deadline; /* made active to end without an answer */
	struct buffer request; /* empty: a connection is enough */
	struct buffer input;
	struct probe_answer answer;
	char reason[160];
};

static void try_next(struct probe *probe);

static void
disconnect(struct probe *probe)
{
	/* The event first: epoll must not keep a descriptor that is reused. */
	if (probe->io != NULL)
		event_free(probe->io);
	probe->io = NULL;
	if (probe->descriptor != -1)
		(void)close(probe->descriptor);
	probe->descriptor = -1;
}

void
probe_cancel(struct probe *probe)
{
	disconnect(probe);
	if (probe->list != NULL)
		freeaddrinfo(probe->list);
	if (probe->deadline != NULL)
		event_free(probe->deadline);
	buffer_release(&probe->request);
	buffer_release(&probe->input);
	free(probe);
}

static void
finish(struct probe *probe)
{
	probe->answer.reason = probe->reason;
	probe->answer.ms = (time_monotonic() - probe->started) * 1000;
	disconnect(probe);
	probe->done(probe->argument, &probe->answer);
	probe_cancel(probe);
}

static void
fail(struct probe *probe, int failure, const char *reason)
{
	probe->answer.result = PROBE_CRITICAL;
	probe->answer.failure = failure;
	(void)snprintf(probe->reason, sizeof(probe->reason), "%s", reason);
	probe->next = NULL;
}

/* errno's text as a clause: "connection refused". */
static void
fail_errno(struct probe *probe, int failure)
{
	char text[sizeof(probe->reason)];

	(void)snprintf(text, sizeof(text), "%s", strerror(failure));
	if (text[0] >= 'A' && text[0] <= 'Z' &&
	    !(text[1] >= 'A' && text[1] <= 'Z'))
		text[0] += 'a' - 'A';
	fail(probe, failure, text);
}

static double
load_member(const struct json_document *document, const char *name)
{
	const struct json_member *member = json_member(document, name);
	double number;

	if (member == NULL || member->value.type != JSON_NUMBER)
		return -1;
	number = json_number(&member->value);
	return number >= 0 ? number : -1;
}

static void
judge(struct probe *probe, int status, const struct buffer *body)
{
	struct json_document document = {0};
	struct probe_answer *answer = &probe->answer;

	answer->status = status;
	answer->failure = 0;
	probe->reason[0] = '\0';
	if (status >= 200 && status < 300)
		answer->result = PROBE_PASSING;
	else
		answer->result = status == 429 ? PROBE_WARNING : PROBE_CRITICAL;
	if (answer->result != PROBE_PASSING)
		(void)snprintf(
		    probe->reason, sizeof(probe->reason), "status %d", status);
	if (json_scan(&document, body->data, body->length, NULL) == 0) {
		answer->busy = load_member(&document, "busy");
		answer->utilization = load_member(&document, "utilization");
	}
	json_document_release(&document);
}

/* Whether the answer is known; ended: no more of it will come. */
static bool
read_answer(struct probe *probe, bool ended)
{
	struct buffer body = BUFFER_INIT;
	struct http_answer answer;
	int whole = 0;

	answer.status = 0;
	if (probe->input.length > 0)
		whole = http_answer_read(&answer, probe->input.data,
		    probe->input.length, ended, &body);
	if (whole == -1 && answer.status == 0)
		fail(probe, EPROTO, "the answer is not HTTP");
	else if (whole == 1 || (answer.status != 0 && (ended || whole == -1)))
		judge(probe, answer.status, &body);
	else if (ended)
		fail(probe, ECONNRESET,
		    "the connection was closed before an answer");
	buffer_release(&body);
	return ended || whole != 0;
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;
	char *room = buffer_reserve(&probe->input, 4096);
	ssize_t got;

	(void)what;
	if (room == NULL) {
		fail_errno(probe, ENOMEM);
		finish(probe);
		return;
	}
	got = read(descriptor, room, 4096);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		probe->input.length += (size_t)got;
	if (got == -1 && probe->input.length == 0) {
		fail_errno(probe, errno);
		finish(probe);
	} else if (read_answer(probe, got <= 0)) {
		finish(probe);
	}
}

static int
wait_for(struct probe *probe, short what, event_callback_fn fn)
{
	if (probe->io != NULL)
		event_free(probe->io);
	probe->io = event_new(
	    probe->base, probe->descriptor, what | EV_PERSIST, fn, probe);
	return probe->io == NULL ? -1 : event_add(probe->io, NULL);
}

static void
on_connected(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;
	struct buffer *request = &probe->request;
	int failure = 0;
	socklen_t length = sizeof(failure);

	(void)what;
	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) ==
	    -1)
		failure = errno;
	if (failure != 0) {
		probe->answer.failure = failure;
		try_next(probe);
		return;
	}
	if (request->length == 0) {
		probe->answer.result = PROBE_PASSING;
		probe->answer.failure = 0;
		finish(probe);
		return;
	}
	/* A few hundred bytes fit into any fresh socket's buffer. */
	if (send(descriptor, request->data, request->length, MSG_NOSIGNAL) !=
	    (ssize_t)request->length)
		fail_errno(probe, errno);
	else if (wait_for(probe, EV_READ, on_readable) == 0)
		return;
	finish(probe);
}

/* Connects to the first address of the rest of the list that can be. */
static void
try_next(struct probe *probe)
{
	const struct addrinfo *entry;

	disconnect(probe);
	while ((entry = probe->next) != NULL) {
		probe->next = entry->ai_next;
		probe->descriptor = socket(entry->ai_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (probe->descriptor != -1 &&
		    (connect(probe->descriptor, entry->ai_addr,
			 entry->ai_addrlen) == 0 ||
			errno == EINPROGRESS) &&
		    wait_for(probe, EV_WRITE, on_connected) == 0)
			return;
		probe->answer.failure = errno;
		disconnect(probe);
	}
	if (probe->reason[0] == '\0')
		fail_errno(probe, probe->answer.failure);
	event_active(probe->deadline, EV_READ, 0);
}

static void
on_deadline(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;

	(void)descriptor;
	if ((what & EV_TIMEOUT) != 0) {
		/* A server that keeps its connection open has answered. */
		if (probe->input.length == 0 || !read_answer(probe, true))
			fail(probe, ETIMEDOUT, "timed out");
	}
	finish(probe);
}

static int
find_addresses(struct probe *probe, const struct address *address)
{
	struct addrinfo hints;
	int failure;

	if (address->socket) {
		size_t length = strlen(address->host);

		if (length >= sizeof(probe->path.sun_path)) {
			fail_errno(probe, ENAMETOOLONG);
			return -1;
		}
		probe->path.sun_family = AF_UNIX;
		memcpy(probe->path.sun_path, address->host, length + 1);
		probe->local.ai_family = AF_UNIX;
		probe->local.ai_addr = (struct sockaddr *)(void *)&probe->path;
		probe->local.ai_addrlen = sizeof(probe->path);
		probe->next = &probe->local;
		return 0;
	}
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV;
	failure =
	    getaddrinfo(address->host, address->port, &hints, &probe->list);
	if (failure != 0) {
		fail(probe, EADDRNOTAVAIL, gai_strerror(failure));
		return -1;
	}
	probe->next = probe->list;
	return 0;
}

static int
make_request(struct probe *probe, const struct address *address,
    const char *path, struct svc_error *error)
{
	bool six = strchr(address->host, ':') != NULL;
	const char *c;

	if (path == NULL)
		return 0;
	for (c = path; *c > ' ' && *c != 0x7f; c++)
		continue;
	if (path[0] != '/' || *c != '\0')
		return svc_error_set(error, EX_USAGE,
		    "'%s' is no path to check, as '/health'", path);
	if (address->tls)
		return svc_error_set(error, EX_UNAVAILABLE,
		    "'%s': https cannot be asked for '%s' from here",
		    address->host, path);
	buffer_append_format(
	    &probe->request, "GET %s HTTP/1.1\r\nHost: ", path);
	if (address->socket)
		buffer_append_string(&probe->request, "localhost");
	else
		buffer_append_format(&probe->request, "%s%s%s:%s",
		    six ? "[" : "", address->host, six ? "]" : "",
		    address->port);
	buffer_append_string(&probe->request,
	    "\r\nUser-Agent: svckit/" SVCKIT_VERSION
	    "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	if (buffer_failed(&probe->request))
		return svc_error_set(error, EX_OSERR, "probe: out of memory");
	return 0;
}

int
probe_start(struct probe **probe, struct event_base *base,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error)
{
	struct probe *made = calloc(1, sizeof(*made));
	struct timeval time = {(time_t)timeout,
	    (suseconds_t)((timeout - (double)(time_t)timeout) * 1e6)};

	if (made == NULL)
		return svc_error_errno(error, "probe");
	made->base = base;
	made->done = done;
	made->argument = argument;
	made->started = time_monotonic();
	made->descriptor = -1;
	made->answer.busy = made->answer.utilization = -1;
	if (make_request(made, address, path, error) == -1)
		goto out;
	made->deadline = evtimer_new(base, on_deadline, made);
	if (made->deadline == NULL ||
	    evtimer_add(made->deadline, &time) == -1) {
		(void)svc_error_set(error, EX_OSERR, "probe: no timer");
		goto out;
	}
	(void)find_addresses(made, address);
	try_next(made);
	*probe = made;
	return 0;
out:
	probe_cancel(made);
	return -1;
}
