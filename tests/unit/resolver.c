/*
 * Names to addresses, with hosts files and DNS servers of the test's own.
 */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "check.h"
#include "line/buffer.h"

#define DEADLINE_SECONDS 20

/* A DNS server process; it writes a byte for each question. */
struct dns {
	pid_t pid;
	int port;
	int questions;
};

/* What one test has. */
struct fixture {
	struct event_base *base;
	struct resolver *resolver;
	struct dns dns;
	char directory[64];
	char hosts[96];
	char conf[96];
	/* of the last query */
	struct resolver_query *query;
	struct resolved resolved;
	const char *failure;
	int answers;
};

enum { TYPE_A = 1, TYPE_AAAA = 28 };

/* Appends the answers that a name of this first label has for a type. */
static int
append_answers(struct buffer *out, const char *label, int type)
{
	static const unsigned char four[] = {
	    0xc0, 0x0c, 0, TYPE_A, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7};
	static const unsigned char six[] = {0xc0, 0x0c, 0, TYPE_AAAA, 0, 1, 0,
	    0, 0, 9, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 7};

	if (type == TYPE_A && strchr(label, '4') != NULL)
		buffer_append(out, four, sizeof(four));
	else if (type == TYPE_AAAA && strchr(label, '6') != NULL)
		buffer_append(out, six, sizeof(six));
	else
		return 0;
	return 1;
}

/*
 * Names: with a 4 there is an A record, with a 6 AAAA; "no..." does not exist;
 * "slow" is not answered, and of "lame4" only the A record.
 */
static void
answer_question(int descriptor, const unsigned char *question, size_t length,
    const struct sockaddr_in *from)
{
	struct buffer out = BUFFER_INIT;
	char label[64];
	int type = question[length - 3], count;
	size_t i;

	/* evdns mixes cases. */
	for (i = 0; i < question[12] && i < sizeof(label) - 1; i++)
		label[i] = (char)tolower(question[13 + i]);
	label[i] = '\0';
	if (strncmp(label, "slow", 4) == 0 ||
	    (strncmp(label, "lame", 4) == 0 && type == TYPE_AAAA))
		return;
	buffer_append(&out, question, length);
	count = append_answers(&out, label, type);
	out.data[2] = (char)0x81;
	out.data[3] = (char)(strncmp(label, "no", 2) == 0 ? 0x83 : 0x80);
	out.data[7] = (char)count;
	(void)sendto(descriptor, out.data, out.length, 0,
	    (const struct sockaddr *)from, sizeof(*from));
	buffer_release(&out);
}

static void
run_dns(int descriptor, int report)
{
	unsigned char question[512];
	struct sockaddr_in from;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t got = recvfrom(descriptor, question, sizeof(question),
		    0, (struct sockaddr *)&from, &size);

		if (got < 17)
			continue;
		if (write(report, "?", 1) != 1)
			_exit(1);
		answer_question(descriptor, question, (size_t)got, &from);
	}
}

static void
start_dns(struct dns *dns)
{
	struct sockaddr_in own = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(own);
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0), ends[2];

	CHECK(bind(descriptor, (struct sockaddr *)&own, size) == 0);
	CHECK(getsockname(descriptor, (struct sockaddr *)&own, &size) == 0);
	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	dns->port = ntohs(own.sin_port);
	dns->questions = ends[0];
	fflush(stdout);
	if ((dns->pid = fork()) == 0)
		run_dns(descriptor, ends[1]);
	close(ends[1]);
	close(descriptor);
}

/* How many questions it was asked since the last call. */
static int
count_questions(const struct dns *dns)
{
	char bytes[64];
	ssize_t got = read(dns->questions, bytes, sizeof(bytes));

	return got < 0 ? 0 : (int)got;
}

static void
write_file(const char *path, const char *text)
{
	char fresh[128];
	FILE *file;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "w");
	CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	CHECK(rename(fresh, path) == 0);
}

static void
open_resolver(struct fixture *fixture)
{
	struct resolver_options options = {.base = fixture->base,
	    .hosts = fixture->hosts,
	    .resolv_conf = fixture->conf};
	struct svc_error error;

	CHECK(resolver_open(&fixture->resolver, &options, &error) == 0);
}

static void
open_fixture(struct fixture *fixture)
{
	char conf[64];

	memset(fixture, 0, sizeof(*fixture));
	(void)snprintf(fixture->directory, sizeof(fixture->directory),
	    "/tmp/svckit-resolver.XXXXXX");
	CHECK(mkdtemp(fixture->directory) != NULL);
	(void)snprintf(fixture->hosts, sizeof(fixture->hosts), "%s/hosts",
	    fixture->directory);
	(void)snprintf(fixture->conf, sizeof(fixture->conf), "%s/resolv.conf",
	    fixture->directory);
	start_dns(&fixture->dns);
	(void)snprintf(
	    conf, sizeof(conf), "nameserver 127.0.0.1:%d\n", fixture->dns.port);
	write_file(fixture->conf, conf);
	fixture->base = event_base_new();
	open_resolver(fixture);
}

static void
close_fixture(struct fixture *fixture)
{
	resolver_close(fixture->resolver);
	/* What was being asked is let go, and nothing else keeps the loop. */
	alarm(DEADLINE_SECONDS);
	CHECK(event_base_dispatch(fixture->base) == 1);
	alarm(0);
	event_base_free(fixture->base);
	kill(fixture->dns.pid, SIGKILL);
	waitpid(fixture->dns.pid, NULL, 0);
	close(fixture->dns.questions);
	unlink(fixture->hosts);
	unlink(fixture->conf);
	CHECK(rmdir(fixture->directory) == 0);
}

static void
on_found(void *argument, const struct resolved *resolved, const char *failure)
{
	struct fixture *fixture = argument;

	fixture->answers++;
	fixture->resolved = *resolved;
	fixture->failure = failure;
}

static int
find(struct fixture *fixture, const char *host)
{
	struct svc_error error;

	fixture->failure = NULL;
	return resolver_find(fixture->resolver, host, &fixture->resolved,
	    &fixture->query, on_found, fixture, &error);
}

/* Runs the loop as long as there is anything to wait for. */
static void
run(struct fixture *fixture)
{
	alarm(DEADLINE_SECONDS);
	CHECK(event_base_dispatch(fixture->base) == 1);
	alarm(0);
}

/* The addresses, joined by spaces. */
static const char *
found(const struct fixture *fixture)
{
	static char text[RESOLVED_MAX * (INET6_ADDRSTRLEN + 1) + 1];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < fixture->resolved.count; i++) {
		const union resolved_address *one =
		    &fixture->resolved.addresses[i];
		const void *raw = one->any.sa_family == AF_INET
				      ? (const void *)&one->four.sin_addr
				      : (const void *)&one->six.sin6_addr;
		size_t length = strlen(text);

		if (i > 0)
			text[length++] = ' ';
		(void)inet_ntop(one->any.sa_family, raw, text + length,
		    (socklen_t)(sizeof(text) - length));
	}
	return text;
}

static void
a_hosts_file_answers_at_once_and_ipv4_first(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	write_file(fixture.hosts, "# web1 in a comment\n"
				  "fd00::1\tother Web1 # web2\n"
				  "not-an-address web1\n"
				  "192.0.2.1 web1.example web1\r\n"
				  "192.0.2.1 web1\n192.0.2.3 web10 xweb1");
	CHECK(find(&fixture, "wEB1") == 1);
	CHECK_STRING(found(&fixture), "192.0.2.1 fd00::1");
	CHECK(find(&fixture, "xweb1") == 1);
	CHECK_STRING(found(&fixture), "192.0.2.3");
	CHECK(count_questions(&fixture.dns) == 0);
	close_fixture(&fixture);
}

static void
a_changed_hosts_file_is_read_again(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	write_file(fixture.hosts, "192.0.2.1 web1\n");
	CHECK(find(&fixture, "web1") == 1);
	write_file(fixture.hosts, "192.0.2.2 web1\n");
	CHECK(find(&fixture, "web1") == 1);
	CHECK_STRING(found(&fixture), "192.0.2.2");
	close_fixture(&fixture);
}

static void
localhost_needs_no_file_and_no_dns(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(unlink(fixture.conf) == 0);
	CHECK(find(&fixture, "localhost") == 1);
	CHECK_STRING(found(&fixture), "127.0.0.1 ::1");
	CHECK(find(&fixture, "web1.LocalHost") == 1);
	CHECK_STRING(found(&fixture), "127.0.0.1 ::1");
	write_file(fixture.hosts, "127.0.0.9 localhost\n");
	CHECK(find(&fixture, "localhost") == 1);
	CHECK_STRING(found(&fixture), "127.0.0.9");
	close_fixture(&fixture);
}

static void
a_hosts_file_that_is_none_says_nothing(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(mkfifo(fixture.hosts, 0600) == 0);
	CHECK(find(&fixture, "localhost") == 1);
	CHECK_STRING(found(&fixture), "127.0.0.1 ::1");
	close_fixture(&fixture);
}

static void
dns_answers_for_both_families_and_is_believed_for_a_while(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "web46.example") == 0);
	run(&fixture);
	CHECK(fixture.answers == 1 && fixture.failure == NULL);
	CHECK_STRING(found(&fixture), "192.0.2.7 2001:db8::7");
	CHECK(count_questions(&fixture.dns) == 2);
	CHECK(find(&fixture, "WEB46.example") == 1);
	CHECK_STRING(found(&fixture), "192.0.2.7 2001:db8::7");
	CHECK(find(&fixture, "web6.example") == 0);
	run(&fixture);
	CHECK_STRING(found(&fixture), "2001:db8::7");
	CHECK(find(&fixture, "web6.example") == 1);
	close_fixture(&fixture);
}

static void
many_that_ask_for_one_name_share_its_question(void)
{
	struct resolver_query *queries[20];
	struct fixture fixture;
	size_t i;

	open_fixture(&fixture);
	for (i = 0; i < 20; i++) {
		CHECK(find(&fixture, "web4.example") == 0);
		queries[i] = fixture.query;
	}
	for (i = 0; i < 20; i += 2)
		resolver_cancel(queries[i]);
	run(&fixture);
	CHECK(fixture.answers == 10);
	CHECK(count_questions(&fixture.dns) == 2);
	close_fixture(&fixture);
}

static void
what_has_no_address_says_so_and_is_asked_again(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "none.example") == 0);
	run(&fixture);
	CHECK_STRING(fixture.failure, "no such host");
	CHECK(find(&fixture, "web.example") == 0);
	run(&fixture);
	CHECK_STRING(fixture.failure, "the name of the host has no address");
	CHECK(count_questions(&fixture.dns) == 4);
	CHECK(find(&fixture, "none.example") == 0);
	resolver_cancel(fixture.query);
	close_fixture(&fixture);
}

static void
an_ipv6_answer_that_never_comes_is_not_waited_for(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "lame4.example") == 0);
	run(&fixture);
	CHECK(fixture.answers == 1);
	CHECK_STRING(found(&fixture), "192.0.2.7");
	CHECK(find(&fixture, "lame4.example") == 1);
	close_fixture(&fixture);
}

static void
a_silent_dns_keeps_no_loop_alive_once_nobody_waits(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "slow.example") == 0);
	CHECK(event_base_loop(fixture.base, EVLOOP_NONBLOCK) == 0);
	resolver_cancel(fixture.query);
	run(&fixture);
	CHECK(fixture.answers == 0);
	close_fixture(&fixture);
}

static void
a_name_asked_for_while_its_question_is_let_go_is_asked_again(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "web4.example") == 0);
	resolver_cancel(fixture.query);
	CHECK(find(&fixture, "web4.example") == 0);
	run(&fixture);
	CHECK(fixture.answers == 1);
	CHECK_STRING(found(&fixture), "192.0.2.7");
	close_fixture(&fixture);
}

static void
without_a_resolv_conf_a_query_ends_when_it_is_cancelled(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(unlink(fixture.conf) == 0);
	CHECK(find(&fixture, "web4.example") == 0);
	(void)event_base_loop(fixture.base, EVLOOP_NONBLOCK);
	if (fixture.answers == 0)
		resolver_cancel(fixture.query);
	run(&fixture);
	write_file(fixture.conf, "nameserver 127.0.0.1:1\n");
	CHECK(find(&fixture, "web4.example") == 0);
	(void)event_base_loop(fixture.base, EVLOOP_NONBLOCK);
	resolver_cancel(fixture.query);
	close_fixture(&fixture);
}

static void
what_is_no_name_for_dns_is_refused_or_not_found(void)
{
	struct fixture fixture;
	char label[80];

	open_fixture(&fixture);
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	CHECK(find(&fixture, label) == -1);
	CHECK(find(&fixture, label) == -1);
	close_fixture(&fixture);
}

/* Asks for many names, so that each bucket is swept, and cancels another. */
static void
on_found_more(
    void *argument, const struct resolved *resolved, const char *failure)
{
	struct fixture *fixture = argument;
	struct resolver_query *other = fixture->query;
	char host[32];
	int i;

	on_found(argument, resolved, failure);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(host, sizeof(host), "slow-%d.example", i);
		CHECK(find(fixture, host) == 0);
		resolver_cancel(fixture->query);
	}
	resolver_cancel(other);
}

static void
who_is_told_may_ask_for_others_and_cancel_them(void)
{
	struct resolver_query *first;
	struct fixture fixture;
	struct svc_error error;

	open_fixture(&fixture);
	CHECK(find(&fixture, "none.example") == 0);
	CHECK(resolver_find(fixture.resolver, "none.example", &fixture.resolved,
		  &first, on_found_more, &fixture, &error) == 0);
	run(&fixture);
	CHECK(fixture.answers == 1);
	close_fixture(&fixture);
}

static void
closing_ends_queries_without_calls(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	CHECK(find(&fixture, "slow.example") == 0);
	CHECK(find(&fixture, "web4.example") == 0);
	resolver_close(fixture.resolver);
	fixture.resolver = NULL;
	run(&fixture);
	CHECK(fixture.answers == 0);
	close_fixture(&fixture);
}

static void
many_names_come_and_go(void)
{
	struct fixture fixture;
	char host[32];
	int i, asked = 0;

	open_fixture(&fixture);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(host, sizeof(host), "web4-%d.example", i);
		asked += find(&fixture, host) == 0;
		if (i % 3 == 0)
			resolver_cancel(fixture.query);
	}
	CHECK(asked == 1000);
	run(&fixture);
	CHECK(fixture.answers == 666);
	CHECK(find(&fixture, "web4-1.example") == 1);
	CHECK(find(&fixture, "web4-998.example") == 1);
	close_fixture(&fixture);
}

int
main(void)
{
	RUN(a_hosts_file_answers_at_once_and_ipv4_first);
	RUN(a_changed_hosts_file_is_read_again);
	RUN(localhost_needs_no_file_and_no_dns);
	RUN(a_hosts_file_that_is_none_says_nothing);
	RUN(dns_answers_for_both_families_and_is_believed_for_a_while);
	RUN(many_that_ask_for_one_name_share_its_question);
	RUN(what_has_no_address_says_so_and_is_asked_again);
	RUN(an_ipv6_answer_that_never_comes_is_not_waited_for);
	RUN(a_silent_dns_keeps_no_loop_alive_once_nobody_waits);
	RUN(a_name_asked_for_while_its_question_is_let_go_is_asked_again);
	RUN(without_a_resolv_conf_a_query_ends_when_it_is_cancelled);
	RUN(what_is_no_name_for_dns_is_refused_or_not_found);
	RUN(who_is_told_may_ask_for_others_and_cancel_them);
	RUN(closing_ends_queries_without_calls);
	RUN(many_names_come_and_go);
	return check_done();
}
