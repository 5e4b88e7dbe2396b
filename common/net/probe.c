#include "net/probe.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/units.h"
#include "line/version.h"
#include "net/health_answer.h"
#include "net/http_answer.h"
#include "net/resolver.h"

#define READ_SIZE 16384

struct probe {
	struct event_base *base;
	struct event *event; /* what it waits for, with the rest of its time */
	struct resolver *resolver; /* NULL: no name was looked up */
	struct resolver *own; /* the same when it is not shared */
	struct resolver_query *query; /* NULL: none is open */
	probe_done_fn done;
	void *argument;
	double started; /* of time_monotonic() */
	double ends;
	struct resolved resolved;
	size_t next; /* of the addresses: to be tried after this one */
	uint16_t port;
	struct sockaddr_un path; /* AF_UNIX: the address, instead of those */
	int descriptor;
	struct buffer request; /* empty: a connection is enough */
	struct http_answer http;
	struct probe_answer answer;
	char reason[160];
};

static void
disconnect(struct probe *probe)
{
	/* The event first: epoll must not keep a descriptor that is reused. */
	(void)event_del(probe->event);
	if (probe->descriptor != -1)
		(void)close(probe->descriptor);
	probe->descriptor = -1;
}

void
probe_cancel(struct probe *probe)
{
	if (probe->event != NULL) {
		disconnect(probe);
		event_free(probe->event);
	}
	if (probe->query != NULL)
		resolver_cancel(probe->query);
	resolver_close(probe->own);
	buffer_release(&probe->request);
	http_answer_release(&probe->http);
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
	probe->answer.ours = false;
	(void)snprintf(probe->reason, sizeof(probe->reason), "%s", reason);
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
	probe->answer.ours = failure == EMFILE || failure == ENFILE ||
			     failure == ENOMEM || failure == ENOBUFS;
}

/*
 * Waits for what, as long as there is time; fn is told EV_TIMEOUT then.  Not
 * EV_PERSIST, whose timeout starts anew at every byte of a slow peer.
 */
static int
wait_for(struct probe *probe, short what, event_callback_fn fn)
{
	struct timeval time = duration_timeval(probe->ends - time_monotonic());

	if (event_assign(probe->event, probe->base, probe->descriptor, what, fn,
		probe) == 0 &&
	    event_add(probe->event, &time) == 0)
		return 0;
	fail_errno(probe, ENOMEM);
	return -1;
}

static void
on_end(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	finish(argument);
}

/* Ends in the loop's next round: done is not called from within others. */
static void
finish_soon(struct probe *probe)
{
	disconnect(probe);
	(void)event_assign(probe->event, probe->base, -1, 0, on_end, probe);
	event_active(probe->event, EV_READ, 0);
}

static void
judge(struct probe *probe, bool whole)
{
	const struct http_answer *http = &probe->http;

	probe->answer.failure = 0;
	health_answer_read(&probe->answer, http->status, http->body.data,
	    whole ? http->body.length : 0, probe->reason,
	    sizeof(probe->reason));
}

/* Whether the answer is known.  failure: errno of the read, or 0. */
static bool
conclude(struct probe *probe, enum http_answer_state state, int failure)
{
	switch (state) {
	case HTTP_ANSWER_PART:
		return false;
	case HTTP_ANSWER_WHOLE:
		judge(probe, true);
		break;
	case HTTP_ANSWER_LARGE:
		if (probe->http.status != 0)
			judge(probe, false);
		else
			fail(probe, EMSGSIZE,
			    "the header of its answer is over 64 KiB");
		break;
	case HTTP_ANSWER_CUT:
		if (failure != 0)
			fail_errno(probe, failure);
		else if (probe->http.status != 0)
			fail(probe, ECONNRESET,
			    "the connection was closed within the answer");
		else
			fail(probe, ECONNRESET,
			    "the connection was closed before an answer");
		break;
	case HTTP_ANSWER_BROKEN:
		fail(probe, EPROTO, "the answer is not HTTP");
	}
	return true;
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;
	enum http_answer_state state;
	char data[READ_SIZE];
	ssize_t got;

	if ((what & EV_TIMEOUT) != 0) {
		fail(probe, ETIMEDOUT, "timed out");
		finish(probe);
		return;
	}
	got = read(descriptor, data, sizeof(data));
	if (got > 0)
		state = http_answer_take(&probe->http, data, (size_t)got);
	else if (got == -1 && (errno == EAGAIN || errno == EINTR))
		state = HTTP_ANSWER_PART;
	else
		state = http_answer_end(&probe->http);
	if (conclude(probe, state, got == -1 ? errno : 0) ||
	    wait_for(probe, EV_READ, on_readable) == -1)
		finish(probe);
}

static void try_next(struct probe *probe);

static void
on_connected(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;
	struct buffer *request = &probe->request;
	int failure = 0;
	socklen_t length = sizeof(failure);

	if ((what & EV_TIMEOUT) != 0) {
		fail(probe, ETIMEDOUT, "timed out");
		finish(probe);
		return;
	}
	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) ==
	    -1)
		failure = errno;
	if (failure != 0) {
		fail_errno(probe, failure);
		try_next(probe);
		return;
	}
	probe->reason[0] = '\0';
	probe->answer.ours = false;
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

/* The address to be tried next; NULL: none is left. */
static const struct sockaddr *
next_address(struct probe *probe, socklen_t *size)
{
	const union resolved_address *address;

	if (probe->path.sun_family == AF_UNIX) {
		*size = sizeof(probe->path);
		return probe->next++ == 0
			   ? (const struct sockaddr *)(const void *)&probe->path
			   : NULL;
	}
	if (probe->next == probe->resolved.count)
		return NULL;
	address = &probe->resolved.addresses[probe->next++];
	*size = resolved_size(address);
	return &address->any;
}

/* Connects to the first of the other addresses that can be. */
static void
try_next(struct probe *probe)
{
	const struct sockaddr *address;
	socklen_t size;

	disconnect(probe);
	while ((address = next_address(probe, &size)) != NULL) {
		probe->descriptor = socket(address->sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (probe->descriptor == -1 ||
		    (connect(probe->descriptor, address, size) == -1 &&
			errno != EINPROGRESS))
			fail_errno(probe, errno);
		else if (wait_for(probe, EV_WRITE, on_connected) == 0)
			return;
		disconnect(probe);
	}
	finish_soon(probe);
}

static void
use_addresses(struct probe *probe)
{
	resolved_set_port(&probe->resolved, probe->port);
	try_next(probe);
}

static void
on_found(void *argument, const struct resolved *resolved, const char *failure)
{
	struct probe *probe = argument;

	probe->query = NULL;
	if (failure != NULL) {
		fail(probe, EADDRNOTAVAIL, failure);
		finish_soon(probe);
		return;
	}
	probe->resolved = *resolved;
	use_addresses(probe);
}

static void
on_no_name(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe *probe = argument;

	(void)descriptor;
	(void)what;
	fail(probe, ETIMEDOUT, "the look-up of the name timed out");
	finish(probe);
}

/* 1: the addresses are known; 0: they will be; -1. */
static int
look_up(struct probe *probe, const char *host, struct svc_error *error)
{
	const struct resolver_options options = {.base = probe->base};
	int found;

	if (resolved_add_numeric(&probe->resolved, host) == 1)
		return 1;
	if (probe->resolver == NULL) {
		if (resolver_open(&probe->own, &options, error) == -1)
			return -1;
		probe->resolver = probe->own;
	}
	found = resolver_find(probe->resolver, host, &probe->resolved,
	    &probe->query, on_found, probe, error);
	if (found == 0)
		return wait_for(probe, 0, on_no_name);
	return found;
}

/* What keeps it from beginning is an answer as well. */
static void
begin(struct probe *probe, const struct address *address)
{
	size_t length = strlen(address->host);
	struct svc_error error;
	int found;

	if (address->socket && length >= sizeof(probe->path.sun_path)) {
		fail_errno(probe, ENAMETOOLONG);
		finish_soon(probe);
		return;
	}
	if (address->socket) {
		probe->path.sun_family = AF_UNIX;
		memcpy(probe->path.sun_path, address->host, length + 1);
		try_next(probe);
		return;
	}
	probe->port = (uint16_t)strtoul(address->port, NULL, 10);
	found = look_up(probe, address->host, &error);
	if (found == 1) {
		use_addresses(probe);
	} else if (found == -1) {
		fail(probe, EADDRNOTAVAIL, "the look-up of the name failed");
		finish_soon(probe);
	}
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
		return svc_error_set(
		    error, EX_UNAVAILABLE, "https is not probed: check by tcp");
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

static int
start(struct probe **probe, const struct probe *fixed,
    const struct address *address, const char *path, double timeout,
    struct svc_error *error)
{
	struct probe *made = malloc(sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "probe");
	*made = *fixed;
	made->descriptor = -1;
	made->started = time_monotonic();
	made->ends = made->started + timeout;
	made->answer.busy = made->answer.slots = made->answer.utilization = -1;
	if (make_request(made, address, path, error) == -1)
		goto out;
	made->event = event_new(made->base, -1, 0, on_end, made);
	if (made->event == NULL) {
		(void)svc_error_set(error, EX_OSERR, "probe: no event");
		goto out;
	}
	begin(made, address);
	*probe = made;
	return 0;
out:
	probe_cancel(made);
	return -1;
}

int
probe_start(struct probe **probe, struct event_base *base,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error)
{
	const struct probe fixed = {
	    .base = base, .done = done, .argument = argument};

	return start(probe, &fixed, address, path, timeout, error);
}

int
probe_start_shared(struct probe **probe, struct resolver *resolver,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error)
{
	const struct probe fixed = {.base = resolver_base(resolver),
	    .resolver = resolver,
	    .done = done,
	    .argument = argument};

	return start(probe, &fixed, address, path, timeout, error);
}
