/* Probes of real servers, most of them hostile; one process each. */
#include "net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "check.h"
#include "net/resolver.h"

#define TIMEOUT	 10.0 /* seconds, of a probe that is to be answered */
#define SHORT	 0.2 /* of one that is not */
#define OK	 "HTTP/1.1 200 OK\r\n"
#define DRIP_MS	 5
#define DEADLINE 60

/* What a server does with a connection whose request has come. */
struct manner {
	const char *text; /* is sent to a request; NULL: nothing is */
	const char *fill; /* is sent again and again behind it; NULL */
	int pause; /* ms between these */
	enum { CLOSES, RESETS, STAYS } end;
};

struct peer {
	pid_t pid;
	char url[128];
};

/* As long as the peer takes it. */
static void
say(int descriptor, const char *text)
{
	(void)!send(descriptor, text, strlen(text), MSG_NOSIGNAL);
}

static void
hear_request(int descriptor)
{
	char heard[4096];
	size_t length = 0;
	ssize_t got;

	while (length < sizeof(heard) - 1 &&
	       (got = read(descriptor, heard + length,
		    sizeof(heard) - 1 - length)) > 0) {
		length += (size_t)got;
		heard[length] = '\0';
		if (strstr(heard, "\r\n\r\n") != NULL)
			return;
	}
}

static void
serve(int descriptor, const struct manner *manner)
{
	struct linger now = {1, 0};
	struct pollfd hung = {descriptor, 0, 0};
	char unheard[4096];

	if (manner->text != NULL) {
		hear_request(descriptor);
		say(descriptor, manner->text);
	}
	while (manner->fill != NULL && (hung.revents & POLLHUP) == 0 &&
	       send(descriptor, manner->fill, strlen(manner->fill),
		   MSG_NOSIGNAL) > 0)
		(void)poll(&hung, 1, manner->pause);
	while (manner->end == STAYS &&
	       read(descriptor, unheard, sizeof(unheard)) > 0)
		continue;
	if (manner->end == RESETS)
		(void)setsockopt(
		    descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(descriptor);
}

static void
run_peer(int listener, const struct manner *manner)
{
	int descriptor;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((descriptor = accept(listener, NULL, NULL)) != -1)
		serve(descriptor, manner);
	_exit(1);
}

static int
listen_at(struct peer *peer, int family, const char *path)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int listener = socket(family, SOCK_STREAM, 0);

	if (family == AF_UNIX) {
		(void)snprintf(
		    local.sun_path, sizeof(local.sun_path), "%s", path);
		(void)snprintf(
		    peer->url, sizeof(peer->url), "http+unix://%s:/task", path);
		CHECK(bind(listener, (struct sockaddr *)&local,
			  sizeof(local)) == 0);
	} else {
		CHECK(bind(listener, (struct sockaddr *)&address, size) == 0);
		CHECK(getsockname(
			  listener, (struct sockaddr *)&address, &size) == 0);
		(void)snprintf(peer->url, sizeof(peer->url),
		    "http://127.0.0.1:%d/task", ntohs(address.sin_port));
	}
	CHECK(listen(listener, 100) == 0);
	return listener;
}

static struct peer
start_peer(const struct manner *manner)
{
	struct peer peer = {-1, ""};
	int listener = listen_at(&peer, AF_INET, NULL);

	fflush(stdout);
	if ((peer.pid = fork()) == 0)
		run_peer(listener, manner);
	close(listener);
	return peer;
}

static void
stop_peer(const struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
}

/* What a probe said; its reason is kept. */
struct heard {
	struct probe_answer answer;
	char reason[160];
	int calls;
};

static void
on_done(void *argument, const struct probe_answer *answer)
{
	struct heard *heard = argument;

	heard->calls++;
	heard->answer = *answer;
	(void)snprintf(
	    heard->reason, sizeof(heard->reason), "%s", answer->reason);
}

static void
run(struct event_base *base)
{
	alarm(DEADLINE);
	CHECK(event_base_dispatch(base) == 1);
	alarm(0);
}

static struct heard
ask_url(const char *url, const char *path, double timeout)
{
	struct event_base *base = event_base_new();
	struct heard heard = {.calls = 0};
	struct address address;
	struct probe *probe;
	struct svc_error error;

	if (!CHECK(address_parse(url, &address, &error) == 0) ||
	    !CHECK(probe_start(&probe, base, &address, path, timeout, on_done,
		       &heard, &error) == 0))
		return heard;
	CHECK(heard.calls == 0);
	run(base);
	CHECK(heard.calls == 1);
	event_base_free(base);
	return heard;
}

/* GET / of a server of this manner. */
static struct heard
ask(const struct manner *manner, double timeout)
{
	struct peer peer = start_peer(manner);
	struct heard heard = ask_url(peer.url, "/", timeout);

	stop_peer(&peer);
	return heard;
}

static void
the_status_decides_and_redirects_are_not_followed(void)
{
	static const struct {
		const char *text;
		enum probe_result result;
		int status;
		const char *reason;
	} rows[] = {
	    {OK "\r\nfine", PROBE_PASSING, 200, ""},
	    {"HTTP/1.1 204 None\r\n\r\n", PROBE_PASSING, 204, ""},
	    {"HTTP/1.1 100 Continue\r\n\r\n" OK "\r\n", PROBE_PASSING, 200, ""},
	    {"HTTP/1.1 429 Busy\r\n\r\n", PROBE_WARNING, 429, "status 429"},
	    {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", PROBE_CRITICAL, 302,
		"status 302"},
	    {"HTTP/1.1 404 \r\n\r\n", PROBE_CRITICAL, 404, "status 404"},
	    {"HTTP/1.1 503 \x1b[31m\r\n\r\n", PROBE_CRITICAL, 503,
		"status 503"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct manner manner = {.text = rows[i].text};
		struct heard heard = ask(&manner, TIMEOUT);

		CHECK(heard.answer.result == rows[i].result);
		CHECK(heard.answer.status == rows[i].status);
		CHECK(heard.answer.failure == 0 && !heard.answer.ours);
		CHECK_STRING(heard.reason, rows[i].reason);
	}
}

static void
a_body_makes_the_result_worse_and_never_better(void)
{
	static const struct {
		const char *status;
		const char *said;
		enum probe_result result;
		const char *reason;
	} rows[] = {
	    {"200", "passing", PROBE_PASSING, ""},
	    {"200", "UP", PROBE_PASSING, ""},
	    {"200", "on fire", PROBE_PASSING, ""},
	    {"200", "Warning", PROBE_WARNING,
		"status 200, but its body says warning"},
	    {"207", "warn", PROBE_WARNING,
		"status 207, but its body says warning"},
	    {"200", "critical", PROBE_CRITICAL,
		"status 200, but its body says critical"},
	    {"200", "DOWN", PROBE_CRITICAL,
		"status 200, but its body says critical"},
	    {"200", "fail", PROBE_CRITICAL,
		"status 200, but its body says critical"},
	    {"200", "\\u0066ail", PROBE_CRITICAL,
		"status 200, but its body says critical"},
	    {"429", "pass", PROBE_WARNING, "status 429"},
	    {"503", "passing", PROBE_CRITICAL, "status 503"},
	    {"500", "warning", PROBE_CRITICAL, "status 500"},
	};
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct manner manner = {.text = text};
		struct heard heard;

		(void)snprintf(text, sizeof(text),
		    "HTTP/1.1 %s X\r\n\r\n{\"status\":\"%s\"}", rows[i].status,
		    rows[i].said);
		heard = ask(&manner, TIMEOUT);
		if (!CHECK(heard.answer.result == rows[i].result) ||
		    !CHECK_STRING(heard.reason, rows[i].reason))
			printf("# %s %s\n", rows[i].status, rows[i].said);
	}
}

static void
load_is_taken_from_a_body_that_says_it_in_numbers(void)
{
	static const struct {
		const char *body;
		double busy, slots, utilization;
	} rows[] = {
	    {"{\"busy\":3,\"slots\":4}", 3, 4, 0.75},
	    {"{\"busy\":3,\"slots\":4,\"utilization\":0.5}", 3, 4, 0.5},
	    {"{\"busy\":3,\"slots\":0}", 3, 0, -1},
	    {"{\"utilization\":0}", -1, -1, 0},
	    {"{\"busy\":-1,\"slots\":\"4\",\"utilization\":null}", -1, -1, -1},
	    {"{\"busy\":1e400,\"slots\":NaN}", -1, -1, -1},
	    {"{\"busy\":1e300,\"slots\":1e300,\"utilization\":1e300}", 1e6, 1e6,
		1000},
	    {"{\"busy\":1e300,\"slots\":1e-300}", 1e6, 1e-300, 1000},
	    {"{\"busy\":1", -1, -1, -1},
	    {"{\"busy\":1} trailing", -1, -1, -1},
	    {"[{\"busy\":1}]", -1, -1, -1},
	    {"<html>busy</html>", -1, -1, -1},
	    {"\xff\xfe", -1, -1, -1},
	};
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct manner manner = {.text = text};
		struct heard heard;

		(void)snprintf(text, sizeof(text), OK "\r\n%s", rows[i].body);
		heard = ask(&manner, TIMEOUT);
		if (!CHECK(heard.answer.result == PROBE_PASSING) ||
		    !CHECK(heard.answer.busy == rows[i].busy) ||
		    !CHECK(heard.answer.slots == rows[i].slots) ||
		    !CHECK(heard.answer.utilization == rows[i].utilization))
			printf("# %s: %g %g %g\n", rows[i].body,
			    heard.answer.busy, heard.answer.slots,
			    heard.answer.utilization);
	}
}

static void
deep_json_is_read_no_deeper_than_allowed(void)
{
	static char text[40000] = OK "\r\n{\"busy\":1,\"x\":";
	struct manner manner = {.text = text};
	struct heard heard;

	memset(text + strlen(text), '[', sizeof(text) - 1 - strlen(text));
	heard = ask(&manner, TIMEOUT);
	CHECK(heard.answer.result == PROBE_PASSING);
	CHECK(heard.answer.busy == -1);
}

static void
what_never_ends_costs_its_timeout(void)
{
	static const struct manner rows[] = {
	    {OK, "X", DRIP_MS, CLOSES}, /* slow drips of all parts */
	    {"H", "", DRIP_MS, STAYS},
	    {OK "Content-Length: 60000\r\n\r\n", "x", DRIP_MS, CLOSES},
	    {OK "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", DRIP_MS,
		CLOSES},
	    {OK "\r\n", "x", DRIP_MS, CLOSES},
	    {"", "HTTP/1.1 100 Continue\r\n\r\n", DRIP_MS, CLOSES},
	    {OK "Content-Length: 100\r\n\r\nless", NULL, 0, STAYS},
	    {OK "\r\n{}", NULL, 0, STAYS},
	    {"", NULL, 0, STAYS}, /* silence */
	    {NULL, NULL, 0, STAYS},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = ask(&rows[i], SHORT);

		if (!CHECK(heard.answer.result == PROBE_CRITICAL) ||
		    !CHECK(heard.answer.failure == ETIMEDOUT) ||
		    !CHECK(heard.answer.ms >= SHORT * 900) ||
		    !CHECK_STRING(heard.reason, "timed out"))
			printf("# row %zu\n", i);
	}
}

static void
what_is_too_large_is_read_no_further(void)
{
	static const struct {
		struct manner manner;
		int status;
		const char *reason;
	} rows[] = {
	    {{OK "\r\n", "endless body, ", 0, CLOSES}, 200, ""},
	    {{OK "Transfer-Encoding: chunked\r\n\r\n", "2\r\nso\r\n", 0,
		 CLOSES},
		200, ""},
	    {{"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n", NULL, 0,
		 STAYS},
		500, "status 500"},
	    {{OK, "X-Endless: header\r\n", 0, CLOSES}, 0,
		"the header of its answer is over 64 KiB"},
	    {{OK "X-Huge: ", "huge", 0, CLOSES}, 0,
		"the header of its answer is over 64 KiB"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = ask(&rows[i].manner, DEADLINE);

		if (!CHECK(heard.answer.status == rows[i].status) ||
		    !CHECK_STRING(heard.reason, rows[i].reason))
			printf("# row %zu\n", i);
	}
}

static void
what_is_cut_or_no_http_is_critical_in_words_of_ours(void)
{
	static const struct {
		struct manner manner;
		int failure;
		const char *reason;
	} rows[] = {
	    {{OK "Content-Length: 100\r\n\r\n{\"busy\":1}", NULL, 0, CLOSES},
		ECONNRESET, "the connection was closed within the answer"},
	    {{OK "Content-Len", NULL, 0, CLOSES}, ECONNRESET,
		"the connection was closed before an answer"},
	    {{"", NULL, 0, CLOSES}, ECONNRESET,
		"the connection was closed before an answer"},
	    {{"", NULL, 0, RESETS}, ECONNRESET, "connection reset by peer"},
	    {{"SSH-2.0-secret\r\n", NULL, 0, STAYS}, EPROTO,
		"the answer is not HTTP"},
	    {{"\x16\x03\x01", NULL, 0, STAYS}, EPROTO,
		"the answer is not HTTP"},
	    {{OK "Transfer-Encoding: chunked\r\n\r\nsecret\r\n", NULL, 0,
		 STAYS},
		EPROTO, "the answer is not HTTP"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = ask(&rows[i].manner, TIMEOUT);

		if (!CHECK(heard.answer.result == PROBE_CRITICAL) ||
		    !CHECK(heard.answer.failure == rows[i].failure) ||
		    !CHECK_STRING(heard.reason, rows[i].reason))
			printf("# row %zu\n", i);
	}
}

static void
a_content_length_too_short_cuts_the_body(void)
{
	static const struct manner manner = {OK
	    "Content-Length: 10\r\n\r\n{\"busy\":1}{\"status\":\"fail\"}",
	    NULL, 0, STAYS};
	static const struct manner cut = {
	    OK "Content-Length: 5\r\n\r\n{\"busy\":1}", NULL, 0, STAYS};
	struct heard heard = ask(&manner, TIMEOUT);

	CHECK(heard.answer.result == PROBE_PASSING && heard.answer.busy == 1);
	heard = ask(&cut, TIMEOUT);
	CHECK(heard.answer.result == PROBE_PASSING && heard.answer.busy == -1);
}

static void
without_a_path_a_connection_is_enough(void)
{
	static const struct manner silent = {NULL, NULL, 0, STAYS};
	struct peer peer = start_peer(&silent);
	struct heard heard = ask_url(peer.url, NULL, TIMEOUT);

	CHECK(heard.answer.result == PROBE_PASSING);
	CHECK(heard.answer.status == 0 && heard.answer.failure == 0);
	stop_peer(&peer);
	heard = ask_url(peer.url, NULL, TIMEOUT);
	CHECK(heard.answer.result == PROBE_CRITICAL);
	CHECK(heard.answer.failure == ECONNREFUSED);
	CHECK_STRING(heard.reason, "connection refused");
}

static void
a_unix_socket_is_asked_as_well(void)
{
	static const struct manner fine = {.text = OK "\r\n{\"busy\":2}"};
	char directory[] = "/tmp/svckit-probe.XXXXXX", path[64];
	struct peer peer;
	struct heard heard;
	int listener;

	CHECK(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	listener = listen_at(&peer, AF_UNIX, path);
	fflush(stdout);
	if ((peer.pid = fork()) == 0)
		run_peer(listener, &fine);
	close(listener);
	heard = ask_url(peer.url, "/", TIMEOUT);
	CHECK(heard.answer.result == PROBE_PASSING && heard.answer.busy == 2);
	stop_peer(&peer);
	CHECK(unlink(path) == 0);
	heard = ask_url(peer.url, "/", TIMEOUT);
	CHECK(heard.answer.failure == ENOENT);
	CHECK_STRING(heard.reason, "no such file or directory");
	CHECK(rmdir(directory) == 0);
}

static void
every_address_of_localhost_is_tried(void)
{
	static const struct manner fine = {.text = OK "\r\n"};
	struct peer peer = start_peer(&fine);
	char url[64];
	struct heard heard;

	(void)snprintf(
	    url, sizeof(url), "http://localhost%s", strrchr(peer.url, ':'));
	heard = ask_url(url, "/", TIMEOUT);
	CHECK(heard.answer.result == PROBE_PASSING);
	CHECK_STRING(heard.reason, "");
	stop_peer(&peer);
	heard = ask_url(url, "/", TIMEOUT);
	CHECK(heard.answer.result == PROBE_CRITICAL);
}

/* A resolver whose DNS server takes questions and never answers. */
static void
a_name_that_is_not_found_in_time_is_critical_and_blocks_nothing(void)
{
	static const struct manner fine = {.text = OK "\r\n"};
	struct peer dead = start_peer(&fine), live = start_peer(&fine);
	struct resolver_options options = {
	    .base = event_base_new(), .resolv_conf = "/dev/null"};
	struct heard named = {.calls = 0}, numeric = {.calls = 0};
	struct address name = {.host = "web1.invalid", .port = "1"}, number;
	struct resolver *resolver;
	struct probe *probe;
	struct svc_error error;

	CHECK(resolver_open(&resolver, &options, &error) == 0);
	CHECK(address_parse(live.url, &number, &error) == 0);
	CHECK(probe_start_shared(&probe, resolver, &name, "/", SHORT, on_done,
		  &named, &error) == 0);
	CHECK(probe_start_shared(&probe, resolver, &number, "/", TIMEOUT,
		  on_done, &numeric, &error) == 0);
	run(options.base);
	CHECK(numeric.answer.result == PROBE_PASSING);
	CHECK(named.calls == 1 && named.answer.result == PROBE_CRITICAL);
	CHECK(named.answer.status == 0 &&
	      strncmp(named.reason, "the look-up of the name", 23) == 0);
	resolver_close(resolver);
	event_base_free(options.base);
	stop_peer(&dead);
	stop_peer(&live);
}

static void
cancelling_ends_a_probe_in_whatever_state(void)
{
	static const struct manner silent = {NULL, NULL, 0, STAYS};
	static const char *const urls[] = {
	    NULL, "http://web1.invalid/", "http://127.0.0.1:1/"};
	struct peer peer = start_peer(&silent);
	size_t i;
	int rounds;

	for (i = 0; i < 3 * sizeof(urls) / sizeof(urls[0]); i++) {
		const char *url = urls[i / 3] == NULL ? peer.url : urls[i / 3];
		struct event_base *base = event_base_new();
		struct heard heard = {.calls = 0};
		struct address address;
		struct probe *probe;
		struct svc_error error;

		CHECK(address_parse(url, &address, &error) == 0);
		CHECK(probe_start(&probe, base, &address, "/", TIMEOUT, on_done,
			  &heard, &error) == 0);
		for (rounds = 0; rounds < (int)(i % 3); rounds++)
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		if (heard.calls == 0)
			probe_cancel(probe);
		rounds = heard.calls;
		run(base);
		CHECK(heard.calls == rounds);
		event_base_free(base);
	}
	stop_peer(&peer);
}

static void
what_cannot_be_asked_is_refused_before(void)
{
	struct event_base *base = event_base_new();
	struct address address;
	struct probe *probe;
	struct svc_error error;

	CHECK(address_parse("https://127.0.0.1:1/", &address, &error) == 0);
	CHECK(probe_start(
		  &probe, base, &address, "/", 1, on_done, NULL, &error) == -1);
	CHECK(error.code == EX_UNAVAILABLE);
	CHECK_STRING(error.message, "https is not probed: check by tcp");
	CHECK(probe_start(
		  &probe, base, &address, NULL, 1, on_done, NULL, &error) == 0);
	probe_cancel(probe);
	CHECK(address_parse("http://127.0.0.1:1/", &address, &error) == 0);
	CHECK(probe_start(&probe, base, &address, "/a\r\nb: c", 1, on_done,
		  NULL, &error) == -1);
	CHECK(error.code == EX_USAGE);
	CHECK(probe_start(&probe, base, &address, "health", 1, on_done, NULL,
		  &error) == -1);
	event_base_free(base);
}

int
main(void)
{
	RUN(the_status_decides_and_redirects_are_not_followed);
	RUN(a_body_makes_the_result_worse_and_never_better);
	RUN(load_is_taken_from_a_body_that_says_it_in_numbers);
	RUN(deep_json_is_read_no_deeper_than_allowed);
	RUN(what_never_ends_costs_its_timeout);
	RUN(what_is_too_large_is_read_no_further);
	RUN(what_is_cut_or_no_http_is_critical_in_words_of_ours);
	RUN(a_content_length_too_short_cuts_the_body);
	RUN(without_a_path_a_connection_is_enough);
	RUN(a_unix_socket_is_asked_as_well);
	RUN(every_address_of_localhost_is_tried);
	RUN(a_name_that_is_not_found_in_time_is_critical_and_blocks_nothing);
	RUN(cancelling_ends_a_probe_in_whatever_state);
	RUN(what_cannot_be_asked_is_refused_before);
	return check_done();
}
