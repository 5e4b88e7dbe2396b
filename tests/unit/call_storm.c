/*
 * The call engine in disorder: servers that fail in all ways, hedges, instances
 * that come, go and move, tasks submitted from within done().  Whatever
 * happens, each task is done once, nothing hangs, and nothing is left counted.
 */
#include "net/call.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "line/instance.h"
#include "line/units.h"
#include "net/call_engine.h"
#include "net/server.h"
#include "sched/random.h"

#define TASKS	  400
#define INSTANCES 8
#define JOBS	  12
/* Seconds. */
#define TELL_EACH 0.004
#define PATIENCE  20.0

struct storm_task {
	struct call_task task;
	struct task_instance planned;
	char id[16];
	int done;
	bool submitted;
};

struct storm {
	struct random random;
	struct event_base *base;
	struct server *server;
	struct evconnlistener *closer; /* accepts, and closes */
	struct event *teller;
	struct event *guard;
	struct call_engine *engine;
	struct storm_task tasks[TASKS];
	int submitted;
	int done;
	int cancel_at; /* tasks submitted; 0: never */
	bool calm; /* all servers answer at once */
	bool hung;
	int hedged; /* notes of that */
	int retried;
	char good[64]; /* addresses */
	char closing[64];
	char refusing[64];
};

/* A request that is answered later. */
struct late {
	struct server_request *request;
	struct event *timer;
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static bool
happens(struct storm *storm, double chance)
{
	return random_unit(&storm->random) < chance;
}

static int
below(struct storm *storm, int bound)
{
	return (int)(random_unit(&storm->random) * bound);
}

static void
forget_late(void *argument)
{
	struct late *late = argument;

	event_free(late->timer);
	free(late);
}

static void
answer_late(evutil_socket_t fd, short what, void *argument)
{
	struct late *late = argument;
	struct server_request *request = late->request;

	(void)fd;
	(void)what;
	forget_late(late);
	server_reply(request, 200, "application/json", NULL, "1", 1);
}

static void
delay(struct storm *storm, struct server_request *request, double seconds)
{
	struct late *late = calloc(1, sizeof(*late));
	struct timeval wait = duration_timeval(seconds);

	if (late == NULL)
		bail_out("no memory");
	late->request = request;
	late->timer = evtimer_new(storm->base, answer_late, late);
	if (late->timer == NULL)
		bail_out("no memory");
	server_request_watch(request, forget_late, late);
	evtimer_add(late->timer, &wait);
}

static void
handle(void *argument, struct server_request *request)
{
	static const char *const again[] = {"Retry-After: 0", NULL};
	static const int statuses[] = {429, 503, 503, 500, 500, 404};
	struct storm *storm = argument;
	int i = storm->calm ? 99 : below(storm, 16);

	if (i < 6)
		server_reply(request, statuses[i], "text/plain",
		    i < 2 ? again : NULL, "no", 2);
	else if (i < 10)
		delay(storm, request, 0.02 * random_unit(&storm->random));
	else if (i < 11)
		delay(storm, request, 1);
	else
		server_reply(request, 200, "application/json", NULL, "1", 1);
}

static void
close_at_once(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int length, void *argument)
{
	(void)listener;
	(void)address;
	(void)length;
	(void)argument;
	close(fd);
}

static void
name_address(char *name, size_t size, int fd)
{
	struct sockaddr_in own;
	socklen_t length = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &length) == -1)
		bail_out("no name of a socket");
	snprintf(name, size, "http://127.0.0.1:%d/task", ntohs(own.sin_port));
}

/* Bound, and nobody listens. */
static int
open_refusing(struct storm *storm)
{
	struct sockaddr_in own = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&own, sizeof(own)) == -1)
		bail_out("no socket");
	name_address(storm->refusing, sizeof(storm->refusing), fd);
	return fd;
}

static void
open_peers(struct storm *storm)
{
	static const struct server_route routes[] = {
	    {"POST", "/task", handle}, {NULL, NULL, NULL}};
	const struct server_options options = {.bind = "127.0.0.1:0",
	    .max_body = 1000,
	    .max_bodies = 100000,
	    .max_header = 4000,
	    .request_deadline = 5,
	    .idle = 5,
	    .max_connections = 1000,
	    .max_peer = 1000,
	    .routes = routes,
	    .argument = storm};
	struct sockaddr_in own = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct svc_error error;

	if (server_open(&storm->server, storm->base, &options, &error) == -1)
		bail_out(error.message);
	snprintf(storm->good, sizeof(storm->good), "http://%s/task",
	    server_address(storm->server));
	storm->closer = evconnlistener_new_bind(storm->base, close_at_once,
	    NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
	    (struct sockaddr *)&own, sizeof(own));
	if (storm->closer == NULL)
		bail_out("no listener");
	name_address(storm->closing, sizeof(storm->closing),
	    evconnlistener_get_fd(storm->closer));
}

static const char *
some_address(struct storm *storm)
{
	int i = storm->calm ? 9 : below(storm, 10);

	return i == 0 ? storm->refusing : i == 1 ? storm->closing : storm->good;
}

/* An instance, as its line has it. */
static void
make_instance(struct storm *storm, struct instance *instance, int number)
{
	static const char *const statuses[] = {"passing", "passing", "passing",
	    "passing", "warning", "critical", "unknown"};
	char line[400];
	struct svc_error error;
	int length;

	length = snprintf(line, sizeof(line),
	    "{\"service\":\"w\",\"id\":\"w%d\",\"address\":\"%s\","
	    "\"capacity\":{\"slots\":%d,\"cpu\":%d},\"status\":\"%s\","
	    "\"draining\":%s}",
	    number, some_address(storm), 1 + below(storm, 4), below(storm, 4),
	    storm->calm ? "passing" : statuses[below(storm, 7)],
	    !storm->calm && happens(storm, 0.1) ? "true" : "false");
	if (instance_parse(instance, line, (size_t)length, &error) == -1)
		bail_out(error.message);
}

static void
tell(struct storm *storm)
{
	struct instance instances[INSTANCES];
	struct svc_error error;
	size_t count = 0;
	int i;

	for (i = 0; i < INSTANCES; i++)
		if (storm->calm || happens(storm, 0.7))
			make_instance(storm, &instances[count++], i);
	CHECK(call_tell(storm->engine, "w", instances, count, &error) == 0);
	while (count > 0)
		instance_release(&instances[--count]);
}

static struct json_value
require(const char *text)
{
	const struct json_value value = {
	    {text, strlen(text)}, JSON_OBJECT, false};

	return value;
}

/* What cannot be submitted leaves nothing behind. */
static void
submit_unreadable(struct storm *storm)
{
	struct call_task task = {.id = "bad",
	    .service = "nobody",
	    .body = {"1", 1},
	    .requires = require("{\"cpu\":[]}"),
	    .timeout = 1,
	    .retries = -1};
	struct svc_error error;

	CHECK(call_submit(storm->engine, &task, &error) == -1);
	CHECK(error.code == EX_DATAERR);
}

static void
fill_task(struct storm *storm, struct storm_task *made, int number)
{
	static const char *const requires[] = {"{\"cpu\":1}", "{\"cpu\":2}",
	    "{\"cpu\":3}", "{\"cpu\":1,\"slots\":1}", "{\"cpu\":9}"};
	struct call_task *task = &made->task;

	snprintf(made->id, sizeof(made->id), "t%d", number);
	task->id = made->id;
	task->service = happens(storm, 0.03) ? "nobody" : "w";
	task->body.data = "1";
	task->body.length = 1;
	task->key = (uint64_t)number;
	task->timeout = 0.02 + 0.2 * random_unit(&storm->random);
	task->retries = below(storm, 4);
	task->argument = made;
	if (happens(storm, 0.3))
	task->requires = require(requires[below(storm, 5)]);
	if (happens(storm, 0.05))
		task->deadline = time_now() + below(storm, 100);
	if (!happens(storm, 0.2))
		return;
	snprintf(
	    made->planned.id, sizeof(made->planned.id), "w%d", below(storm, 3));
	snprintf(made->planned.address, sizeof(made->planned.address), "%s",
	    some_address(storm));
	task->planned = &made->planned;
}

static void
submit(struct storm *storm)
{
	struct storm_task *made;
	struct svc_error error;

	while (storm->submitted < TASKS && call_room(storm->engine) > 0) {
		made = &storm->tasks[storm->submitted];
		fill_task(storm, made, storm->submitted++);
		made->submitted =
		    call_submit(storm->engine, &made->task, &error) == 0;
		CHECK(made->submitted);
	}
}

static bool
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct storm *storm = argument;
	struct storm_task *made = task->argument;

	made->done++;
	storm->done++;
	CHECK(outcome->attempts <= 1000);
	if (outcome->failure.code == CODE_NONE)
		CHECK(outcome->instance != NULL);
	/* It was perhaps the last one that referred to the service. */
	if (strcmp(task->service, "nobody") == 0)
		submit_unreadable(storm);
	if (storm->cancel_at == 0 || storm->submitted < storm->cancel_at)
		submit(storm);
	if (storm->submitted == TASKS && call_pending(storm->engine) == 0)
		event_base_loopbreak(storm->base);
	return !happens(storm, 0.1);
}

/* Takes back one that is not done, wherever it is. */
static void
take_back(struct storm *storm)
{
	struct storm_task *made;
	int i, first;

	if (storm->submitted == 0)
		return;
	first = below(storm, storm->submitted);
	for (i = 0; i < storm->submitted; i++) {
		made = &storm->tasks[(first + i) % storm->submitted];
		if (made->done > 0 || !made->submitted)
			continue;
		call_revoke(storm->engine, &made->task);
		CHECK(made->done == 1);
		return;
	}
}

/* From the middle of things to their end. */
static void
on_tell(evutil_socket_t fd, short what, void *argument)
{
	struct storm *storm = argument;

	(void)fd;
	(void)what;
	if (storm->cancel_at > 0 && storm->submitted >= storm->cancel_at) {
		call_cancel(storm->engine, false);
		CHECK(
		    call_pending(storm->engine) <= call_running(storm->engine));
		call_cancel(storm->engine, true);
		CHECK(call_pending(storm->engine) == 0);
		event_base_loopbreak(storm->base);
		return;
	}
	call_pause(storm->engine, !storm->calm && happens(storm, 0.2));
	if (happens(storm, 0.3))
		take_back(storm);
	/* In the end they all work, and nobody is told of it any more. */
	if (storm->submitted == TASKS && !storm->calm) {
		storm->calm = true;
		call_pause(storm->engine, false);
		tell(storm);
	}
	if (!storm->calm)
		tell(storm);
}

static void
on_guard(evutil_socket_t fd, short what, void *argument)
{
	struct storm *storm = argument;

	(void)fd;
	(void)what;
	storm->hung = true;
	event_base_loopbreak(storm->base);
}

static void
on_note(void *argument, const char *message)
{
	struct storm *storm = argument;

	storm->hedged += strstr(message, "; asking ") != NULL;
	storm->retried += strstr(message, "; sending it again") != NULL;
}

static void
open_engine(struct storm *storm, const char *policy, uint64_t seed)
{
	struct call_options options = {.jobs = JOBS,
	    .timeout = 0.3,
	    .retries = 2,
	    .idempotent = true,
	    .hedge = 0.003,
	    .note = on_note,
	    .note_argument = storm};
	struct svc_error error;

	if (policy_parse(policy, &options.policy, &options.choice, &error) ==
	    -1)
		bail_out(error.message);
	options.choice.seed = seed;
	if (call_open(&storm->engine, storm->base, &options, on_done, storm,
		&error) == -1)
		bail_out(error.message);
}

/* What the sum of the free slots has to be. */
static size_t
count_vacant(const struct call_service *service)
{
	const struct call_place *place;
	size_t vacant = 0;

	TAILQ_FOREACH(place, &service->places, link)
	if (place->listed && !place->out && place->limit > place->open)
		vacant += place->limit - place->open;
	return vacant;
}

/* Nothing is counted that does not run. */
static void
check_counts(const struct call_engine *engine)
{
	const struct call_service *service;
	const struct call_place *place;
	const struct call_lane *lane;

	CHECK(engine->pending == 0 && engine->running == 0);
	CHECK(TAILQ_EMPTY(&engine->late) && TAILQ_EMPTY(&engine->jobs));
	CHECK(engine->retries.balance <= engine->retries.cap);
	CHECK(TAILQ_EMPTY(&engine->pool.runnable));
	TAILQ_FOREACH(service, &engine->pool.services, link)
	{
		CHECK(service->users == 0 && service->active == 0);
		CHECK(service->vacant == count_vacant(service));
		CHECK(TAILQ_EMPTY(&service->grants));
		CHECK(TAILQ_EMPTY(&service->parked));
		CHECK(2 * service->out <= service->working);
		TAILQ_FOREACH(place, &service->places, link)
		CHECK(place->open == 0 && !place->gone &&
		      place->limit <= place->slots);
		TAILQ_FOREACH(lane, &service->lanes, all)
		CHECK(lane->grants == 0);
	}
}

static void
start(struct storm *storm, const char *policy, uint64_t seed)
{
	const struct timeval patience = duration_timeval(PATIENCE);
	const struct timeval each = duration_timeval(TELL_EACH);

	random_seed(&storm->random, seed);
	storm->base = event_base_new();
	if (storm->base == NULL)
		bail_out("no event base");
	open_peers(storm);
	open_engine(storm, policy, seed);
	storm->teller = event_new(storm->base, -1, EV_PERSIST, on_tell, storm);
	storm->guard = evtimer_new(storm->base, on_guard, storm);
	if (storm->teller == NULL || storm->guard == NULL)
		bail_out("no memory");
	event_add(storm->teller, &each);
	event_add(storm->guard, &patience);
}

static void
stop(struct storm *storm, int refusing)
{
	call_close(storm->engine);
	server_close(storm->server);
	evconnlistener_free(storm->closer);
	event_free(storm->teller);
	event_free(storm->guard);
	event_base_free(storm->base);
	close(refusing);
	free(storm);
}

static void
run(const char *policy, int cancel_at, uint64_t seed)
{
	struct storm *storm = calloc(1, sizeof(*storm));
	int refusing, i;

	if (storm == NULL)
		bail_out("no memory");
	refusing = open_refusing(storm);
	storm->cancel_at = cancel_at;
	start(storm, policy, seed);
	submit(storm);
	event_base_dispatch(storm->base);
	if (!CHECK(!storm->hung))
		printf("# %s, seed %llu: %zu wait\n", policy,
		    (unsigned long long)seed, call_pending(storm->engine));
	for (i = 0; i < TASKS; i++)
		CHECK(storm->tasks[i].done ==
		      (storm->tasks[i].submitted ? 1 : 0));
	if (!storm->hung)
		check_counts(storm->engine);
	/* It was a storm. */
	if (cancel_at == 0)
		CHECK(storm->hedged > 0 && storm->retried > 0);
	stop(storm, refusing);
}

static const char *const policies[] = {"p2c", "round-robin", "least-loaded",
    "hash", "constrained=pack", "weighted=capacity.cpu"};

#define POLICIES ((int)(sizeof(policies) / sizeof(policies[0])))

static void
each_task_is_done_once_whatever_happens(void)
{
	int i;

	for (i = 0; i < POLICIES; i++)
		run(policies[i], 0, (uint64_t)i + 1);
}

static void
a_cancel_in_the_middle_ends_each_task_once(void)
{
	int i;

	for (i = 0; i < POLICIES; i++)
		run(policies[i], 50 + 30 * i, (uint64_t)i + 100);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(each_task_is_done_once_whatever_happens);
	RUN(a_cancel_in_the_middle_ends_each_task_once);
	return check_done();
}
