/*
 * paced_server: instances whose speeds are known.
 *
 *	paced_server MILLISECONDS ...
 *
 * One server on a free port of the loopback for each of MILLISECONDS, that long
 * working on a POST of /task and on one at a time, the others waiting in the
 * order in which they came.  Prints its addresses, a line each, and works until
 * it is killed.
 */
#include <sys/queue.h>

#include <err.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/server.h"

#define BODY_MAX    (1024UL * 1024)
#define CONNECTIONS 64

struct work {
	struct server_request *request;
	STAILQ_ENTRY(work) link;
};

struct instance {
	struct server *server;
	struct event *timer; /* the end of the first work */
	double pace; /* seconds of each */
	STAILQ_HEAD(work_queue, work) works;
};

static void
begin(struct instance *instance)
{
	struct timeval pace = duration_timeval(instance->pace);

	if (evtimer_add(instance->timer, &pace) == -1)
		errx(EX_OSERR, "out of memory");
}

static void
on_end(evutil_socket_t fd, short what, void *argument)
{
	struct instance *instance = argument;
	struct work *work = STAILQ_FIRST(&instance->works);

	(void)fd;
	(void)what;
	STAILQ_REMOVE_HEAD(&instance->works, link);
	server_reply(work->request, 200, "application/json", NULL, "true", 4);
	free(work);
	if (!STAILQ_EMPTY(&instance->works))
		begin(instance);
}

static void
on_task(void *argument, struct server_request *request)
{
	struct instance *instance = argument;
	struct work *work = malloc(sizeof(*work));

	if (work == NULL)
		err(EX_OSERR, NULL);
	work->request = request;
	if (STAILQ_EMPTY(&instance->works))
		begin(instance);
	STAILQ_INSERT_TAIL(&instance->works, work, link);
}

static void
serve(struct event_base *base, double milliseconds)
{
	static const struct server_route routes[] = {
	    {"POST", "/task", on_task}, {NULL, NULL, NULL}};
	struct instance *instance = calloc(1, sizeof(*instance));
	const struct server_options options = {.bind = "127.0.0.1:0",
	    .max_body = BODY_MAX,
	    .max_bodies = BODY_MAX * CONNECTIONS,
	    .max_header = 16384,
	    .request_deadline = 10,
	    .idle = 3600,
	    .max_connections = CONNECTIONS,
	    .max_peer = CONNECTIONS,
	    .routes = routes,
	    .argument = instance};
	struct svc_error error;

	if (instance == NULL)
		err(EX_OSERR, NULL);
	STAILQ_INIT(&instance->works);
	instance->pace = milliseconds / 1000;
	instance->timer = evtimer_new(base, on_end, instance);
	if (instance->timer == NULL)
		errx(EX_OSERR, "out of memory");
	if (server_open(&instance->server, base, &options, &error) == -1)
		errx(error.code, "%s", error.message);
	printf("%s\n", server_address(instance->server));
}

/* Without this flag timers go by whole milliseconds. */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL ||
	    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == -1)
		errx(EX_OSERR, "out of memory");
	base = event_base_new_with_config(config);
	if (base == NULL)
		errx(EX_OSERR, "no event loop");
	event_config_free(config);
	return base;
}

int
main(int argc, char *argv[])
{
	struct event_base *base = new_base();
	struct svc_error error;
	double milliseconds;
	int i;

	if (argc < 2)
		errx(EX_USAGE, "usage: paced_server MILLISECONDS ...");
	signal(SIGPIPE, SIG_IGN);
	for (i = 1; i < argc; i++) {
		if (number_parse(argv[i], &milliseconds, &error) == -1)
			errx(error.code, "%s", error.message);
		if (milliseconds <= 0)
			errx(EX_USAGE, "not above 0: '%s'", argv[i]);
		serve(base, milliseconds);
	}
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	if (event_base_dispatch(base) == -1)
		errx(EX_OSERR, "event loop");
	return 0;
}
