/*
 * Tasks taken back from the call engine, wherever they are, and how many more
 * it could begin: against a real server that answers when it is told to.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "line/instance.h"
#include "line/units.h"
#include "net/call.h"
#include "net/server.h"

#define TASKS	 32
#define JOBS	 6
#define PATIENCE 10.0

struct peer;

/* A request that is not answered yet; NULL: answered, or gone. */
struct held {
	struct peer *peer;
	struct server_request *request;
};

struct peer {
	struct held held[TASKS];
	int seen; /* requests that have come */
	int gone; /* of those: the client has closed */
	int status; /* what it answers at once; 0: it holds them */
};

struct scene {
	struct event_base *base;
	struct event *guard;
	struct server *server;
	struct peer peer;
	struct call_engine *engine;
	struct call_task tasks[TASKS];
	char ids[TASKS][16];
	int done[TASKS]; /* how often */
	struct task_failure ends[TASKS];
	int attempts[TASKS];
	int dropped; /* requests that the trace was told of as such */
	int settled; /* how often */
	bool hung;
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void
on_gone(void *argument)
{
	struct held *held = argument;

	held->request = NULL;
	held->peer->gone++;
}

static void
handle(void *argument, struct server_request *request)
{
	struct scene *scene = argument;
	struct peer *peer = &scene->peer;
	struct held *held;

	if (peer->status != 0) {
		peer->seen++;
		server_reply(
		    request, peer->status, "text/plain", NULL, "no", 2);
		return;
	}
	if (peer->seen == TASKS)
		bail_out("too many requests");
	held = &peer->held[peer->seen++];
	*held = (struct held){peer, request};
	server_request_watch(request, on_gone, held);
}

/* Answers all that are held. */
static void
answer(struct scene *scene)
{
	struct peer *peer = &scene->peer;
	struct server_request *request;
	int i;

	for (i = 0; i < peer->seen; i++) {
		request = peer->held[i].request;
		peer->held[i].request = NULL;
		if (request != NULL)
			server_reply(
			    request, 200, "application/json", NULL, "1", 1);
	}
}

static bool
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct scene *scene = argument;
	size_t i = (size_t)(task - scene->tasks);

	scene->done[i]++;
	scene->ends[i] = outcome->failure;
	scene->attempts[i] = outcome->attempts;
	return true;
}

static void
on_ended(void *argument, const struct call_task *task,
    const struct call_instance *instance, enum call_result result, double ms)
{
	struct scene *scene = argument;

	(void)task;
	(void)instance;
	(void)ms;
	scene->dropped += result == CALL_DROPPED;
}

static void
on_settled(void *argument)
{
	struct scene *scene = argument;

	scene->settled++;
}

static void
on_guard(evutil_socket_t fd, short what, void *argument)
{
	struct scene *scene = argument;

	(void)fd;
	(void)what;
	scene->hung = true;
}

/* Runs the loop until *count is at least wanted. */
static void
wait_until(struct scene *scene, const int *count, int wanted)
{
	while (*count < wanted && !scene->hung)
		event_base_loop(scene->base, EVLOOP_ONCE);
	CHECK(*count >= wanted);
}

/* Runs the loop until the engine has so many requests open. */
static void
wait_running(struct scene *scene, size_t wanted)
{
	while (call_running(scene->engine) != wanted && !scene->hung)
		event_base_loop(scene->base, EVLOOP_ONCE);
	CHECK(call_running(scene->engine) == wanted);
}

static void
open_server(struct scene *scene)
{
	static const struct server_route routes[] = {
	    {"POST", "/task", handle}, {NULL, NULL, NULL}};
	const struct server_options options = {.bind = "127.0.0.1:0",
	    .max_body = 1000,
	    .max_bodies = 100000,
	    .max_header = 4000,
	    .request_deadline = 5,
	    .idle = 60,
	    .max_connections = 100,
	    .max_peer = 100,
	    .routes = routes,
	    .argument = scene};
	struct svc_error error;

	if (server_open(&scene->server, scene->base, &options, &error) == -1)
		bail_out(error.message);
}

static void
open_scene(struct scene *scene, double hedge)
{
	const struct timeval patience = duration_timeval(PATIENCE);
	const struct call_options options = {.jobs = JOBS,
	    .timeout = 60,
	    .retries = 9,
	    .idempotent = true,
	    .hedge = hedge,
	    .choice.seed = 7,
	    .trace = {
		.ended = on_ended, .settled = on_settled, .argument = scene}};
	struct svc_error error;

	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->guard = evtimer_new(scene->base, on_guard, scene);
	if (scene->base == NULL || scene->guard == NULL)
		bail_out("no event base");
	evtimer_add(scene->guard, &patience);
	open_server(scene);
	if (call_open(&scene->engine, scene->base, &options, on_done, scene,
		&error) == -1)
		bail_out(error.message);
}

static void
close_scene(struct scene *scene)
{
	int i;

	for (i = 0; i < TASKS; i++)
		CHECK(scene->done[i] == (scene->tasks[i].id != NULL));
	CHECK(call_pending(scene->engine) == 0);
	CHECK(call_running(scene->engine) == 0);
	call_close(scene->engine);
	server_close(scene->server);
	event_free(scene->guard);
	event_base_free(scene->base);
}

/* Instances of slots each, as the status given says. */
static void
tell(struct scene *scene, int count, int slots, const char *status)
{
	struct instance instances[4];
	struct svc_error error;
	char line[300];
	int i, length;

	memset(instances, 0, sizeof(instances));
	for (i = 0; i < count; i++) {
		length = snprintf(line, sizeof(line),
		    "{\"service\":\"w\",\"id\":\"w%d\",\"address\":"
		    "\"http://%s/task\",\"capacity\":{\"slots\":%d},"
		    "\"status\":\"%s\"}",
		    i, server_address(scene->server), slots,
		    i == 0 ? status : "passing");
		if (instance_parse(
			&instances[i], line, (size_t)length, &error) == -1)
			bail_out(error.message);
	}
	CHECK(call_tell(scene->engine, "w", instances, (size_t)count, &error) ==
	      0);
	while (i > 0)
		instance_release(&instances[--i]);
}

static struct call_task *
submit(struct scene *scene, int number)
{
	struct call_task *task = &scene->tasks[number];
	struct svc_error error;

	snprintf(scene->ids[number], sizeof(scene->ids[number]), "t%d", number);
	*task = (struct call_task){.id = scene->ids[number],
	    .service = "w",
	    .body = {"1", 1},
	    .timeout = -1,
	    .retries = -1};
	CHECK(call_submit(scene->engine, task, &error) == 0);
	return task;
}

static void
check_cancelled(const struct scene *scene, int number, const char *when)
{
	CHECK(scene->done[number] == 1);
	CHECK(scene->ends[number].code == CODE_CANCELLED);
	CHECK(strstr(scene->ends[number].message, when) != NULL);
}

static void
one_that_waits_ends_at_once_and_the_others_go_on(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	submit(&scene, 0);
	submit(&scene, 1);
	submit(&scene, 2);
	call_revoke(scene.engine, &scene.tasks[1]);
	check_cancelled(&scene, 1, "before it was sent");
	CHECK(scene.attempts[1] == 0);
	tell(&scene, 1, 1, "passing");
	wait_until(&scene, &scene.peer.seen, 1);
	/* Behind the one in the only slot. */
	call_revoke(scene.engine, &scene.tasks[2]);
	check_cancelled(&scene, 2, "before it was sent");
	answer(&scene);
	wait_until(&scene, &scene.done[0], 1);
	CHECK(scene.ends[0].code == CODE_NONE);
	close_scene(&scene);
}

static void
one_that_runs_is_cancelled_and_its_slot_serves_the_next(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	tell(&scene, 1, 1, "passing");
	submit(&scene, 0);
	submit(&scene, 1);
	wait_until(&scene, &scene.peer.seen, 1);
	call_revoke(scene.engine, &scene.tasks[0]);
	check_cancelled(&scene, 0, "while it ran");
	CHECK(scene.attempts[0] == 1 && scene.dropped == 1);
	wait_until(&scene, &scene.peer.gone, 1);
	wait_until(&scene, &scene.peer.seen, 2);
	answer(&scene);
	wait_until(&scene, &scene.done[1], 1);
	CHECK(scene.ends[1].code == CODE_NONE);
	close_scene(&scene);
}

static void
of_a_hedged_one_both_requests_are_cancelled(void)
{
	struct scene scene;

	open_scene(&scene, 0.001);
	tell(&scene, 2, 1, "passing");
	submit(&scene, 0);
	wait_until(&scene, &scene.peer.seen, 2);
	CHECK(call_running(scene.engine) == 2);
	call_revoke(scene.engine, &scene.tasks[0]);
	check_cancelled(&scene, 0, "while it ran");
	CHECK(scene.attempts[0] == 2 && scene.dropped == 2);
	wait_until(&scene, &scene.peer.gone, 2);
	CHECK(call_vacant(scene.engine, "w") == 2);
	close_scene(&scene);
}

static void
one_that_rests_for_a_retry_is_not_sent_again(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	tell(&scene, 1, 1, "passing");
	scene.peer.status = 500;
	submit(&scene, 0);
	wait_running(&scene, 1);
	wait_running(&scene, 0);
	CHECK(scene.done[0] == 0 && scene.peer.seen == 1);
	call_revoke(scene.engine, &scene.tasks[0]);
	check_cancelled(&scene, 0, "while it waited to be sent again");
	scene.peer.status = 200;
	submit(&scene, 1);
	wait_until(&scene, &scene.done[1], 1);
	CHECK(scene.peer.seen == 2);
	close_scene(&scene);
}

static void
a_service_that_nobody_told_of_has_no_room(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	CHECK(call_vacant(scene.engine, "w") == 0);
	submit(&scene, 0);
	CHECK(call_vacant(scene.engine, "w") == 0);
	call_revoke(scene.engine, &scene.tasks[0]);
	tell(&scene, 0, 1, "passing");
	CHECK(call_vacant(scene.engine, "w") == 0);
	close_scene(&scene);
}

static void
room_is_the_free_slots_less_what_waits_and_runs(void)
{
	struct scene scene;
	int i;

	open_scene(&scene, 0);
	tell(&scene, 2, 2, "passing");
	CHECK(call_vacant(scene.engine, "w") == 4);
	for (i = 0; i < 3; i++) {
		submit(&scene, i);
		CHECK(call_vacant(scene.engine, "w") == (size_t)(3 - i));
	}
	wait_until(&scene, &scene.peer.seen, 3);
	CHECK(call_vacant(scene.engine, "w") == 1);
	submit(&scene, 3);
	submit(&scene, 4);
	CHECK(call_vacant(scene.engine, "w") == 0);
	call_revoke(scene.engine, &scene.tasks[4]);
	wait_until(&scene, &scene.peer.seen, 4);
	CHECK(call_vacant(scene.engine, "w") == 0);
	i = scene.settled;
	answer(&scene);
	wait_running(&scene, 0);
	CHECK(call_vacant(scene.engine, "w") == 4);
	wait_until(&scene, &scene.settled, i + 1);
	close_scene(&scene);
}

static void
room_is_never_more_than_the_jobs_that_are_left(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	tell(&scene, 2, 100, "passing");
	CHECK(call_vacant(scene.engine, "w") == JOBS);
	submit(&scene, 0);
	wait_until(&scene, &scene.peer.seen, 1);
	CHECK(call_vacant(scene.engine, "w") == JOBS - 1);
	call_pause(scene.engine, true);
	CHECK(call_vacant(scene.engine, "w") == 0);
	call_pause(scene.engine, false);
	CHECK(call_vacant(scene.engine, "w") == JOBS - 1);
	call_cancel(scene.engine, true);
	CHECK(call_vacant(scene.engine, "w") == 0);
	close_scene(&scene);
}

static void
only_who_gets_work_has_room(void)
{
	struct scene scene;

	open_scene(&scene, 0);
	tell(&scene, 2, 2, "critical");
	CHECK(call_vacant(scene.engine, "w") == 2);
	tell(&scene, 2, 2, "passing");
	CHECK(call_vacant(scene.engine, "w") == 4);
	/* Which gets work only where nothing passes. */
	tell(&scene, 2, 2, "warning");
	CHECK(call_vacant(scene.engine, "w") == 2);
	tell(&scene, 1, 2, "warning");
	CHECK(call_vacant(scene.engine, "w") == 2);
	tell(&scene, 1, 2, "critical");
	CHECK(call_vacant(scene.engine, "w") == 0);
	close_scene(&scene);
}

static void
who_is_busy_has_no_room_until_its_rest_is_over(void)
{
	struct scene scene;
	int settled;

	open_scene(&scene, 0);
	tell(&scene, 1, 4, "passing");
	scene.peer.status = 429;
	submit(&scene, 0);
	wait_running(&scene, 1);
	wait_running(&scene, 0);
	call_revoke(scene.engine, &scene.tasks[0]);
	CHECK(call_vacant(scene.engine, "w") == 0);
	/* Nobody submits: that there is room again is told all the same. */
	settled = scene.settled;
	while (call_vacant(scene.engine, "w") == 0 && !scene.hung) {
		wait_until(&scene, &scene.settled, settled + 1);
		settled = scene.settled;
	}
	/* For one, to see how it goes. */
	CHECK(call_vacant(scene.engine, "w") == 1);
	close_scene(&scene);
}

static void
who_is_ejected_has_no_room(void)
{
	struct scene scene;
	int i;

	open_scene(&scene, 0);
	tell(&scene, 2, 3, "passing");
	scene.peer.status = 404;
	/* A 4xx is the task's own fault. */
	submit(&scene, 0);
	wait_until(&scene, &scene.done[0], 1);
	CHECK(call_vacant(scene.engine, "w") == 6);
	scene.peer.status = 500;
	for (i = 1;
	     call_vacant(scene.engine, "w") != 3 && i < TASKS && !scene.hung;
	     i++) {
		submit(&scene, i);
		scene.tasks[i].retries = 0;
		wait_until(&scene, &scene.done[i], 1);
		wait_running(&scene, 0);
	}
	CHECK(call_vacant(scene.engine, "w") == 3);
	close_scene(&scene);
}

int
main(void)
{
	RUN(one_that_waits_ends_at_once_and_the_others_go_on);
	RUN(one_that_runs_is_cancelled_and_its_slot_serves_the_next);
	RUN(of_a_hedged_one_both_requests_are_cancelled);
	RUN(one_that_rests_for_a_retry_is_not_sent_again);
	RUN(a_service_that_nobody_told_of_has_no_room);
	RUN(room_is_the_free_slots_less_what_waits_and_runs);
	RUN(room_is_never_more_than_the_jobs_that_are_left);
	RUN(only_who_gets_work_has_room);
	RUN(who_is_busy_has_no_room_until_its_rest_is_over);
	RUN(who_is_ejected_has_no_room);
	return check_done();
}
