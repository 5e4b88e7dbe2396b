#include "net/call_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/units.h"

/* Steps of libcurl in one go, before other events get their turn. */
#define ROUNDS_MAX 16
/* Of what nobody asked for, how much is read at once, and how often. */
#define WASTE_SIZE  8192
#define WASTE_READS 128

/* A socket of libcurl's.  Ours: opened and closed through our callbacks. */
struct call_socket {
	struct event event;
	struct call_loop *loop;
	short armed; /* what the event waits for; 0: not added */
	short wanted; /* what libcurl wants; 0: the connection idles */
	bool ours;
	bool in_turn; /* HTTP/1: the server speaks when it is asked */
};

static void
set_timer(struct call_loop *loop, double at)
{
	struct timeval wait = duration_timeval(at - time_monotonic());

	loop->armed_at = at;
	event_add(loop->timer, &wait);
}

static void
step(struct call_loop *loop, curl_socket_t fd, int flags)
{
	int round, running;

	curl_multi_socket_action(loop->multi, fd, flags, &running);
	for (round = 0; round < ROUNDS_MAX; round++) {
		loop->turn(loop->argument);
		if (!loop->due)
			return;
		/* Requests just added go out here, not a loop later. */
		loop->due = false;
		curl_multi_socket_action(
		    loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	call_loop_wake(loop);
}

static void
on_wake(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	step(argument, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct call_loop *loop = argument;

	(void)fd;
	(void)what;
	loop->armed_at = 0;
	if (loop->timer_at <= 0)
		return;
	if (loop->timer_at > time_monotonic() + 0.0005) {
		set_timer(loop, loop->timer_at);
		return;
	}
	loop->timer_at = 0;
	step(loop, CURL_SOCKET_TIMEOUT, 0);
}

/*
 * With many requests in flight libcurl moves its next timeout at every one of
 * them, mostly to later.  The event stays where it is then, and looks again.
 */
static int
timer_wanted(CURLM *multi, long milliseconds, void *argument)
{
	struct call_loop *loop = argument;

	(void)multi;
	if (milliseconds <= 0) {
		loop->due = milliseconds == 0;
		loop->timer_at = 0;
		return 0;
	}
	loop->timer_at = time_monotonic() + (double)milliseconds / 1000;
	if (loop->armed_at <= 0 || loop->timer_at < loop->armed_at)
		set_timer(loop, loop->timer_at);
	return 0;
}

/*
 * What is there to read while the connection idles would be taken for the next
 * request's answer: libcurl 7.88 uses the connection all the same.  At its end,
 * with nothing left to read, it does not.
 */
static void
end_if_talking(curl_socket_t fd)
{
	char waste[WASTE_SIZE];
	int i;

	if (recv(fd, waste, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return;
	shutdown(fd, SHUT_RDWR);
	for (i = 0; i < WASTE_READS; i++)
		if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			return;
}

static void
on_socket(evutil_socket_t fd, short what, void *argument)
{
	struct call_socket *sock = argument;
	int flags = 0;

	if (sock->wanted == 0) {
		/* The server closed an idle connection: libcurl finds out when
		 * it wants to use it, and until then nobody cares. */
		if (sock->in_turn)
			end_if_talking(fd);
		event_del(&sock->event);
		sock->armed = 0;
		return;
	}
	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	step(sock->loop, fd, flags);
}

static struct call_socket *
find_socket(struct call_loop *loop, curl_socket_t fd)
{
	if (fd < 0 || (size_t)fd >= loop->socket_count)
		return NULL;
	return loop->sockets[fd];
}

static void
drop_socket(struct call_loop *loop, curl_socket_t fd)
{
	struct call_socket *sock = find_socket(loop, fd);

	if (sock == NULL)
		return;
	if (sock->armed != 0)
		event_del(&sock->event);
	loop->sockets[fd] = NULL;
	free(sock);
}

static struct call_socket *
make_socket(struct call_loop *loop, curl_socket_t fd, bool ours)
{
	struct call_socket **grown, *sock;
	size_t count = loop->socket_count;

	if (fd < 0)
		return NULL;
	if ((size_t)fd >= count) {
		count = (size_t)fd + 64;
		grown = reallocarray(loop->sockets, count, sizeof(*grown));
		if (grown == NULL)
			return NULL;
		memset(grown + loop->socket_count, 0,
		    (count - loop->socket_count) * sizeof(*grown));
		loop->sockets = grown;
		loop->socket_count = count;
	}
	/* A socket that was not connected yet libcurl closes by itself. */
	drop_socket(loop, fd);
	sock = calloc(1, sizeof(*sock));
	if (sock == NULL)
		return NULL;
	sock->loop = loop;
	sock->ours = ours;
	loop->sockets[fd] = sock;
	return sock;
}

static int
arm_socket(struct call_socket *sock, curl_socket_t fd)
{
	if (sock->armed == sock->wanted)
		return 0;
	if (sock->armed != 0)
		event_del(&sock->event);
	sock->armed = sock->wanted;
	event_assign(&sock->event, sock->loop->base, fd,
	    (short)(sock->wanted | EV_PERSIST), on_socket, sock);
	return event_add(&sock->event, NULL);
}

/* libcurl has what it wanted for handle. */
static void
make_idle(struct call_socket *sock, CURL *handle, curl_socket_t fd)
{
	long version = 0;

	curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &version);
	sock->wanted = 0;
	sock->in_turn = version == CURL_HTTP_VERSION_1_0 ||
			version == CURL_HTTP_VERSION_1_1;
	if (sock->in_turn)
		end_if_talking(fd);
}

static int
socket_wanted(CURL *handle, curl_socket_t fd, int what, void *argument,
    void *socket_argument)
{
	struct call_loop *loop = argument;
	struct call_socket *sock = find_socket(loop, fd);

	(void)socket_argument;
	if (what == CURL_POLL_REMOVE) {
		if (sock != NULL && sock->ours)
			make_idle(sock, handle, fd);
		else
			drop_socket(loop, fd);
		return 0;
	}
	if (sock == NULL)
		sock = make_socket(loop, fd, false);
	if (sock == NULL)
		return -1;
	sock->wanted = 0;
	if (what & CURL_POLL_IN)
		sock->wanted |= EV_READ;
	if (what & CURL_POLL_OUT)
		sock->wanted |= EV_WRITE;
	return arm_socket(sock, fd);
}

static int
close_socket(void *argument, curl_socket_t fd)
{
	drop_socket(argument, fd);
	return close(fd);
}

curl_socket_t
call_loop_socket(struct call_loop *loop, struct curl_sockaddr *address)
{
	curl_socket_t fd;

	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
	if (fd == -1)
		return CURL_SOCKET_BAD;
	if (make_socket(loop, fd, true) == NULL) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	return fd;
}

int
call_loop_adopt(struct call_loop *loop, CURL *handle,
    curl_opensocket_callback opensocket, void *argument)
{
	CURLcode code = CURLE_OK;

	code |=
	    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, opensocket);
	code |= curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, argument);
	code |=
	    curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	code |= curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, loop);
	return code == CURLE_OK ? 0 : -1;
}

void
call_loop_wake(struct call_loop *loop)
{
	/* Not event_active(): that would run again before any other event. */
	static const struct timeval at_once = {0, 0};

	if (!evtimer_pending(loop->wake, NULL))
		event_add(loop->wake, &at_once);
}

int
call_loop_open(struct call_loop *loop, struct event_base *base,
    void (*turn)(void *argument), void *argument, struct svc_error *error)
{
	memset(loop, 0, sizeof(*loop));
	loop->base = base;
	loop->turn = turn;
	loop->argument = argument;
	loop->multi = curl_multi_init();
	loop->timer = evtimer_new(base, on_timer, loop);
	loop->wake = evtimer_new(base, on_wake, loop);
	if (loop->multi == NULL || loop->timer == NULL || loop->wake == NULL) {
		call_loop_close(loop);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	return 0;
}

void
call_loop_close(struct call_loop *loop)
{
	size_t fd;

	/* Closes the kept connections, through close_socket(). */
	if (loop->multi != NULL)
		curl_multi_cleanup(loop->multi);
	for (fd = 0; fd < loop->socket_count; fd++)
		drop_socket(loop, (curl_socket_t)fd);
	free(loop->sockets);
	if (loop->timer != NULL)
		event_free(loop->timer);
	if (loop->wake != NULL)
		event_free(loop->wake);
	memset(loop, 0, sizeof(*loop));
}
