#include "net/prober.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "line/units.h"
#include "registry/health.h"
#include "spool_fixture.h"

#define DEADLINE 20.0 /* seconds; nothing is asserted about speed */
#define HEALTH	 "health/render"
#define PROBERS	 4

/* What the server does, and the probers are, seen by all processes. */
struct shared {
	int status; /* 0: never answers */
	int requests;
	char body[128];
	bool holds[PROBERS];
};

static struct shared *shared;
static int server_port;
static pid_t server;

static void
on_request(struct evhttp_request *request, void *argument)
{
	struct evbuffer *body;

	(void)argument;
	__atomic_add_fetch(&shared->requests, 1, __ATOMIC_SEQ_CST);
	if (shared->status == 0)
		return;
	body = evbuffer_new();
	(void)evbuffer_add(body, shared->body, strlen(shared->body));
	evhttp_send_reply(request, shared->status, "X", body);
	evbuffer_free(body);
}

static void
serve(int out, int port)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound;
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bound =
	    evhttp_bind_socket_with_handle(http, "127.0.0.1", (uint16_t)port);
	if (bound == NULL || getsockname(evhttp_bound_socket_get_fd(bound),
				 (struct sockaddr *)&address, &length) == -1)
		_exit(1);
	port = ntohs(address.sin_port);
	evhttp_set_gencb(http, on_request, NULL);
	if (write(out, &port, sizeof(port)) != (ssize_t)sizeof(port))
		_exit(1);
	event_base_dispatch(base);
	_exit(1);
}

/* On the port that it had before, if it had one. */
static void
server_start(void)
{
	int pipes[2];

	CHECK(pipe(pipes) == 0);
	server = fork();
	if (server == 0)
		serve(pipes[1], server_port);
	close(pipes[1]);
	CHECK(read(pipes[0], &server_port, sizeof(server_port)) ==
	      (ssize_t)sizeof(server_port));
	close(pipes[0]);
}

static void
server_stop(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

/* A prober of a registry, fed by listings. */
struct rig {
	struct registry *registry;
	struct event_base *base;
	struct event *tick;
	struct prober *prober;
	struct instance_list list;
	int notices;
	int idles;
	char reason[256];
};

static void
on_idle(void *argument)
{
	((struct rig *)argument)->idles++;
}

static void
on_notice(void *argument, const char *message)
{
	struct rig *rig = argument;

	rig->notices++;
	snprintf(rig->reason, sizeof(rig->reason), "%s", message);
}

static void
on_tick(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	(void)argument;
}

static void
rig_open(struct rig *rig, int jobs, bool once)
{
	static const struct timeval tick = {0, 5000};
	struct prober_options options = {.jobs = jobs,
	    .interval = 5,
	    .panic = 50,
	    .once = once,
	    .idle = on_idle,
	    .notice = on_notice,
	    .argument = rig};
	struct svc_error error;

	memset(rig, 0, sizeof(*rig));
	options.registry = rig->registry = spool_open();
	options.base = rig->base = event_base_new();
	rig->tick = event_new(rig->base, -1, EV_PERSIST, on_tick, NULL);
	CHECK(event_add(rig->tick, &tick) == 0);
	if (!CHECK(prober_open(&rig->prober, &options, &error) == 0))
		exit(1);
}

static void
rig_close(struct rig *rig)
{
	prober_close(rig->prober);
	event_free(rig->tick);
	event_base_loop(rig->base, EVLOOP_NONBLOCK);
	event_base_free(rig->base);
	instance_list_release(&rig->list);
	registry_close(rig->registry);
}

static struct instance *
rig_find(struct rig *rig, const char *id)
{
	size_t i;

	for (i = 0; i < rig->list.count; i++)
		if (strcmp(rig->list.items[i].id, id) == 0)
			return &rig->list.items[i];
	return NULL;
}

/* Lists the service, and tells the prober of the differences. */
static void
rig_list(struct rig *rig)
{
	struct instance_list old = rig->list;
	struct svc_error error;
	struct rig before = {.list = old};
	size_t i;

	memset(&rig->list, 0, sizeof(rig->list));
	CHECK(registry_list(rig->registry, "render", &rig->list, &error) == 0);
	for (i = 0; i < old.count; i++)
		if (rig_find(rig, old.items[i].id) == NULL)
			prober_update(rig->prober, &old.items[i], NULL);
	for (i = 0; i < rig->list.count; i++)
		prober_update(rig->prober,
		    rig_find(&before, rig->list.items[i].id),
		    &rig->list.items[i]);
	instance_list_release(&old);
}

static bool
rig_until(struct rig *rig, bool (*holds)(struct rig *rig, const void *argument),
    const void *argument)
{
	double deadline = time_monotonic() + DEADLINE;

	while (!holds(rig, argument)) {
		if (time_monotonic() > deadline)
			return false;
		event_base_loop(rig->base, EVLOOP_ONCE);
	}
	return true;
}

struct wanted {
	const char *id;
	enum instance_status status;
};

static bool
has_status(struct rig *rig, const void *argument)
{
	const struct wanted *wanted = argument;
	const struct instance *instance;

	rig_list(rig);
	instance = rig_find(rig, wanted->id);
	if (instance == NULL || instance->status != wanted->status)
		return false;
	/* Passing may also mean that nobody has probed yet. */
	return instance->checked > 0 || instance->reason != NULL ||
	       instance->status == STATUS_EXPIRED;
}

static bool
becomes(struct rig *rig, const char *id, enum instance_status status)
{
	struct wanted wanted = {id, status};

	return rig_until(rig, has_status, &wanted);
}

static bool
is_idle(struct rig *rig, const void *argument)
{
	(void)argument;
	return rig->idles > 0;
}

static void
begin(void)
{
	spool_begin();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		exit(1);
	shared->status = 200;
	server_port = 0;
	server_start();
}

static void
end(void)
{
	server_stop();
	munmap(shared, sizeof(*shared));
	spool_end();
}

/* check: the members of its check, as they stand in JSON. */
static void
add(struct rig *rig, const char *id, int port, const char *check)
{
	char record[512];

	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"%s\",\"check\":{%s},"
	    "\"address\":\"http://127.0.0.1:%d/task\"}",
	    id, check, port);
	CHECK(spool_register(rig->registry, record) == 0);
}

#define QUICK "\"http\":\"/health\",\"interval\":0.05,\"timeout\":5"

static struct health_line *
line_of(struct rig *rig, struct health *health, const char *id)
{
	struct svc_error error;

	CHECK(health_read(health, rig->registry, "render", &error) == 0);
	return (struct health_line *)(uintptr_t)health_find(health, id);
}

static void
a_server_that_goes_down_and_comes_back_is_told(void)
{
	struct health health;
	struct health_line *line;
	struct rig rig;
	int64_t since;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	line = line_of(&rig, &health, "a");
	CHECK(line != NULL && line->flaps == 0 && line->latency_ms >= 0);
	since = line == NULL ? 0 : line->since;
	health_release(&health);
	shared->status = 500;
	CHECK(becomes(&rig, "a", STATUS_CRITICAL));
	CHECK_STRING(rig_find(&rig, "a")->reason, "status 500");
	server_stop();
	shared->status = 200;
	server_start();
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	CHECK(rig_find(&rig, "a")->reason == NULL);
	line = line_of(&rig, &health, "a");
	CHECK(line != NULL && line->flaps == 2 && line->since > since);
	health_release(&health);
	CHECK(rig.notices == 0);
	rig_close(&rig);
	end();
}

static void
a_busy_one_warns_and_says_its_load(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	shared->status = 429;
	snprintf(shared->body, sizeof(shared->body), "{\"utilization\":0.75}");
	add(&rig, "a", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_WARNING));
	CHECK_STRING(rig_find(&rig, "a")->reason, "status 429");
	CHECK(rig_find(&rig, "a")->utilization == 0.75);
	shared->status = 200;
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	rig_close(&rig);
	end();
}

static void
a_malformed_check_warns_and_is_not_probed(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, "\"http\":\"/health\",\"rise\":\"two\"");
	add(&rig, "b", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_WARNING));
	CHECK(strstr(rig_find(&rig, "a")->reason, "rise") != NULL);
	CHECK(becomes(&rig, "b", STATUS_PASSING));
	/* Mended, it is probed. */
	add(&rig, "a", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	rig_close(&rig);
	end();
}

static void
those_that_hang_do_not_starve_the_others(void)
{
	struct rig rig;
	char id[8];
	pid_t hanging = 0;
	int port = 0, i;

	begin();
	rig_open(&rig, 2, false);
	shared->status = 0;
	hanging = server;
	port = server_port;
	server_port = 0;
	shared->status = 0;
	for (i = 0; i < 8; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		add(&rig, id, port,
		    "\"http\":\"/\",\"interval\":0.05,\"timeout\":0.1");
	}
	add(&rig, "z", port, "\"tcp\":true,\"interval\":0.05");
	CHECK(becomes(&rig, "z", STATUS_PASSING));
	CHECK(becomes(&rig, "h7", STATUS_CRITICAL));
	CHECK_STRING(rig_find(&rig, "h7")->reason, "timed out");
	CHECK(becomes(&rig, "z", STATUS_PASSING));
	rig_close(&rig);
	server = hanging;
	end();
}

static bool
file_is_gone(struct rig *rig, const void *argument)
{
	(void)argument;
	rig_list(rig);
	return access(spool_path(HEALTH), F_OK) == -1;
}

static bool
line_is_gone(struct rig *rig, const void *id)
{
	struct health health;
	bool gone = line_of(rig, &health, id) == NULL;

	health_release(&health);
	rig_list(rig);
	return gone;
}

static void
who_vanishes_leaves_the_file_and_the_last_takes_it_along(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, QUICK);
	add(&rig, "b", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	CHECK(becomes(&rig, "b", STATUS_PASSING));
	CHECK(unlink(spool_path("services/render/a.json")) == 0);
	CHECK(rig_until(&rig, line_is_gone, "a"));
	CHECK(unlink(spool_path("services/render/b.json")) == 0);
	CHECK(rig_until(&rig, file_is_gone, NULL));
	rig_close(&rig);
	end();
}

static bool
is_back(struct rig *rig, const void *argument)
{
	struct stat st;

	(void)rig;
	(void)argument;
	return stat(spool_path(HEALTH), &st) == 0 && st.st_size > 1;
}

static void
a_file_removed_or_replaced_by_hand_is_made_anew(void)
{
	static const char forged[] = "{\"id\":\"a\",\"status\":\"critical\"}\n";
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	CHECK(unlink(spool_path(HEALTH)) == 0);
	CHECK(rig_until(&rig, is_back, NULL));
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	CHECK(unlink(spool_path(HEALTH)) == 0);
	spool_write(HEALTH, forged);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	rig_close(&rig);
	end();
}

static void
what_cannot_be_written_is_said_once(void)
{
	struct prober_service service;
	struct rig rig;

	begin();
	rig_open(&rig, 4, true);
	add(&rig, "a", server_port, QUICK);
	spool_write("health", "in the way");
	rig_list(&rig);
	CHECK(rig_until(&rig, is_idle, NULL));
	CHECK(rig.notices == 1);
	CHECK(prober_service(rig.prober, 0, &service) == 1 && !service.holder);
	/* What was found is there all the same. */
	CHECK(prober_overlay(rig.prober, rig_find(&rig, "a")) == 0);
	CHECK(rig_find(&rig, "a")->status == STATUS_PASSING);
	CHECK(rig_find(&rig, "a")->checked > 0);
	rig_close(&rig);
	end();
}

static void
a_single_pass_asks_each_once(void)
{
	struct rig rig, second;
	struct stat st, after;

	begin();
	rig_open(&rig, 2, true);
	CHECK(rig_until(&rig, is_idle, NULL));
	rig.idles = 0;
	add(&rig, "a", server_port, QUICK);
	add(&rig, "b", server_port, QUICK);
	add(&rig, "c", server_port, QUICK);
	add(&rig, "d", 1, "\"tcp\":false");
	rig_list(&rig);
	CHECK(rig_until(&rig, is_idle, NULL));
	CHECK(shared->requests == 3);
	CHECK(stat(spool_path(HEALTH), &st) == 0);
	/* Another one finds it held: it probes, and writes nothing. */
	rig_open(&second, 2, true);
	shared->status = 500;
	rig_list(&second);
	CHECK(rig_until(&second, is_idle, NULL));
	CHECK(shared->requests == 6);
	CHECK(prober_overlay(second.prober, rig_find(&second, "b")) == 0);
	CHECK(rig_find(&second, "b")->status == STATUS_CRITICAL);
	CHECK(stat(spool_path(HEALTH), &after) == 0);
	CHECK(st.st_ino == after.st_ino);
	rig_close(&second);
	rig_list(&rig);
	CHECK(rig_find(&rig, "b")->status == STATUS_PASSING);
	CHECK(rig_find(&rig, "d")->status == STATUS_PASSING);
	rig_close(&rig);
	end();
}

static bool
in_panic(struct rig *rig, const void *ids)
{
	const char *id = ids;

	rig_list(rig);
	for (; *id != '\0'; id += 2)
		if (!rig_find(rig, id)->panic)
			return false;
	return true;
}

static bool
is_calm(struct rig *rig, const void *id)
{
	struct prober_service service;

	rig_list(rig);
	CHECK(prober_service(rig->prober, 0, &service) == 1);
	return !service.panic && !rig_find(rig, id)->panic;
}

static void
panic_serves_all_until_most_are_back(void)
{
	unsigned char available[3];
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, QUICK);
	add(&rig, "b", server_port, QUICK);
	add(&rig, "c", server_port, "\"tcp\":true,\"interval\":0.5");
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	CHECK(becomes(&rig, "b", STATUS_PASSING));
	CHECK(becomes(&rig, "c", STATUS_PASSING));
	shared->status = 500;
	CHECK(rig_until(&rig, in_panic, "a\0b\0c\0"));
	instances_available(rig.list.items, 3, available);
	CHECK(available[0] && available[1] && available[2]);
	shared->status = 200;
	CHECK(rig_until(&rig, is_calm, "c"));
	rig_close(&rig);
	end();
}

static void
one_that_fails_alone_is_simply_critical(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add(&rig, "a", server_port, QUICK);
	CHECK(becomes(&rig, "a", STATUS_PASSING));
	shared->status = 500;
	CHECK(becomes(&rig, "a", STATUS_CRITICAL));
	CHECK(is_calm(&rig, "a"));
	rig_close(&rig);
	end();
}

static void
add_ttl(struct rig *rig, const char *id)
{
	char record[256];

	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"%s\",\"ttl\":5,"
	    "\"address\":\"http://127.0.0.1:1/task\"}",
	    id);
	CHECK(spool_register(rig->registry, record) == 0);
}

static void
expiries_after_a_jump_of_the_clock_are_mistrusted(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add_ttl(&rig, "a");
	add_ttl(&rig, "b");
	rig_list(&rig);
	prober_jumped(rig.prober, 3600);
	spool_set_time("services/render/a.json", 1000000000);
	spool_set_time("services/render/b.json", 1000000000);
	CHECK(rig_until(&rig, in_panic, "a\0b\0"));
	CHECK(rig_find(&rig, "a")->status == STATUS_EXPIRED);
	/* Renewed by nobody they are served for one ttl. */
	CHECK(rig_until(&rig, is_calm, "a"));
	CHECK(rig_until(&rig, file_is_gone, NULL));
	rig_close(&rig);
	end();
}

static void
expiries_without_a_jump_are_believed(void)
{
	struct rig rig;

	begin();
	rig_open(&rig, 4, false);
	add_ttl(&rig, "a");
	add_ttl(&rig, "b");
	add(&rig, "c", server_port, QUICK);
	CHECK(becomes(&rig, "c", STATUS_PASSING));
	spool_set_time("services/render/a.json", 1000000000);
	spool_set_time("services/render/b.json", 1000000000);
	CHECK(becomes(&rig, "a", STATUS_EXPIRED));
	CHECK(becomes(&rig, "c", STATUS_PASSING));
	CHECK(is_calm(&rig, "a"));
	rig_close(&rig);
	end();
}

/* A prober of its own, for ever; says whether it holds the file. */
static void
run_prober(int self)
{
	struct prober_service service;
	struct rig rig;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	rig_open(&rig, 4, false);
	for (;;) {
		rig_list(&rig);
		event_base_loop(rig.base, EVLOOP_ONCE);
		shared->holds[self] =
		    prober_service(rig.prober, 0, &service) == 1 &&
		    service.holder;
	}
}

/* Which one holds, in the end; -1: none, or several at once. */
static int
wait_for_holder(int not_this)
{
	double deadline = time_monotonic() + DEADLINE;
	const struct timespec pause = {0, 2000000};
	int i, found;

	while (time_monotonic() < deadline) {
		found = -1;
		for (i = 0; i < PROBERS; i++) {
			if (!shared->holds[i])
				continue;
			if (found != -1)
				return -1;
			found = i;
		}
		if (found != -1 && found != not_this)
			return found;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static void
of_four_one_probes_and_another_takes_over_when_it_is_killed(void)
{
	struct rig rig;
	struct health health;
	struct health_line *line;
	pid_t pids[PROBERS];
	int64_t since = 0;
	int holder = -1, i;

	begin();
	rig_open(&rig, 4, true);
	add(&rig, "a", server_port, QUICK);
	for (i = 0; i < PROBERS; i++)
		if ((pids[i] = fork()) == 0)
			run_prober(i);
	for (i = 0; i < PROBERS - 1; i++) {
		holder = wait_for_holder(holder);
		if (!CHECK(holder != -1))
			break;
		CHECK(becomes(&rig, "a", STATUS_PASSING));
		line = line_of(&rig, &health, "a");
		CHECK(line != NULL && line->flaps == 0);
		/* It goes on from what the one before found. */
		if (line != NULL && i > 0)
			CHECK(line->since == since);
		since = line == NULL ? 0 : line->since;
		health_release(&health);
		kill(pids[holder], SIGKILL);
		waitpid(pids[holder], NULL, 0);
		pids[holder] = 0;
		shared->holds[holder] = false;
	}
	for (i = 0; i < PROBERS; i++)
		if (pids[i] > 0) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
	rig_close(&rig);
	end();
}

static void
an_orderly_stop_leaves_the_file_to_the_next(void)
{
	struct prober_service service;
	struct rig first, second;

	begin();
	rig_open(&first, 4, false);
	add(&first, "a", server_port, QUICK);
	CHECK(becomes(&first, "a", STATUS_PASSING));
	rig_open(&second, 4, false);
	CHECK(becomes(&second, "a", STATUS_PASSING));
	CHECK(prober_service(second.prober, 0, &service) == 1);
	CHECK(!service.holder && service.counts.probes == 0);
	rig_close(&first);
	shared->status = 500;
	CHECK(becomes(&second, "a", STATUS_CRITICAL));
	CHECK(prober_service(second.prober, 0, &service) == 1);
	CHECK(service.holder && service.counts.flaps == 1);
	CHECK(prober_service(second.prober, 1, &service) == 0);
	rig_close(&second);
	end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(a_server_that_goes_down_and_comes_back_is_told);
	RUN(a_busy_one_warns_and_says_its_load);
	RUN(a_malformed_check_warns_and_is_not_probed);
	RUN(those_that_hang_do_not_starve_the_others);
	RUN(who_vanishes_leaves_the_file_and_the_last_takes_it_along);
	RUN(a_file_removed_or_replaced_by_hand_is_made_anew);
	RUN(what_cannot_be_written_is_said_once);
	RUN(a_single_pass_asks_each_once);
	RUN(panic_serves_all_until_most_are_back);
	RUN(one_that_fails_alone_is_simply_critical);
	RUN(expiries_after_a_jump_of_the_clock_are_mistrusted);
	RUN(expiries_without_a_jump_are_believed);
	RUN(of_four_one_probes_and_another_takes_over_when_it_is_killed);
	RUN(an_orderly_stop_leaves_the_file_to_the_next);
	return check_done();
}
