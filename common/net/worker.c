#include "net/worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include <event2/event.h>

#include "line/json.h"
#include "line/units.h"
#include "net/server.h"
#include "net/worker_task.h"

#define HEADER_MAX	 (16UL * 1024)
#define REQUEST_SECONDS	 30.0
#define IDLE_SECONDS	 60.0
#define CONNECTIONS_MORE 1024
#define CONNECTIONS_MIN	 4
/* Descriptors of a task's process, and of everything else. */
#define DESCRIPTORS_TASK   7
#define DESCRIPTORS_OTHERS 32
#define RETRY_AFTER_MAX	   3600.0
/* The weight of the last task in the mean of their times. */
#define MEAN_WEIGHT 0.2

static void
arm(struct event *timer, double seconds)
{
	struct timeval span = duration_timeval(seconds);

	evtimer_add(timer, &span);
}

/* Seconds until the task's deadline; negative: it has none. */
static double
until_deadline(const struct worker_task *task)
{
	if (task->deadline == 0)
		return -1;
	return fmax(0, (double)(task->deadline - time_now()) / 1e3);
}

static void
free_task(struct worker_task *task)
{
	event_free(task->timer);
	process_free(task->process);
	buffer_release(&task->output);
	free(task);
}

static void
check_drained(struct worker *worker)
{
	if (worker->draining && worker->busy == 0 && worker->queued == 0 &&
	    !evtimer_pending(worker->drain_timer, NULL))
		arm(worker->drain_timer, worker->drain_grace);
}

static void
drop_queued(struct worker_task *task)
{
	struct worker *worker = task->worker;

	TAILQ_REMOVE(&worker->queue, task, link);
	worker->queued--;
	free_task(task);
	check_drained(worker);
}

static void
start_failed(struct worker_task *task, const struct svc_error *error)
{
	task_refuse(task, 500, error->message);
	free_task(task);
}

/* Arms the timer of a task that starts: its timeout or its deadline. */
static void
limit_task(struct worker_task *task)
{
	double limit = task->worker->options.timeout,
	       left = until_deadline(task);

	if (left >= 0 && (limit == 0 || left < limit))
		limit = left;
	else if (limit == 0)
		return;
	arm(task->timer, limit);
}

void
worker_pump(struct worker *worker)
{
	struct worker_task *task;
	struct svc_error error;
	int status;

	while (worker->busy < worker->options.slots &&
	       (task = TAILQ_FIRST(&worker->queue)) != NULL) {
		if ((status = worker->runner->start(task, &error)) == 0)
			return;
		TAILQ_REMOVE(&worker->queue, task, link);
		worker->queued--;
		if (status == -1) {
			start_failed(task, &error);
			continue;
		}
		TAILQ_INSERT_TAIL(&worker->running, task, link);
		worker->busy++;
		task->runs = true;
		task->started = time_monotonic();
		worker_load_set(&worker->load, worker->busy, task->started);
		limit_task(task);
	}
	check_drained(worker);
}

void
task_release(struct worker_task *task)
{
	struct worker *worker = task->worker;
	double now = time_monotonic(), took = now - task->started;

	TAILQ_REMOVE(&worker->running, task, link);
	worker->busy--;
	worker_load_set(&worker->load, worker->busy, now);
	worker->mean = worker->mean == 0
			   ? took
			   : worker->mean + MEAN_WEIGHT * (took - worker->mean);
	free_task(task);
	worker_pump(worker);
}

/* The client has closed. */
static void
client_gone(void *argument)
{
	struct worker_task *task = argument;

	if (!task->runs) {
		drop_queued(task);
		return;
	}
	task->worker->runner->cancel(task);
	task->request = NULL;
	evtimer_del(task->timer);
}

static void
time_over(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker_task *task = argument;

	(void)descriptor;
	(void)what;
	if (!task->runs) {
		task_refuse(
		    task, 504, "the deadline passed before the task started");
		drop_queued(task);
		return;
	}
	if (task->request == NULL)
		return;
	task->worker->runner->cancel(task);
	task_refuse(task, 504, "the time is over; the command was stopped");
}

/* Whole seconds until a slot is likely to be free. */
static int
retry_after(const struct worker *worker)
{
	double seconds =
	    ceil(worker->mean * (worker->queued + 1) / worker->options.slots);

	return (int)fmin(fmax(seconds, 1), RETRY_AFTER_MAX);
}

static void
refuse_busy(const struct worker *worker, struct server_request *request)
{
	char after[64];
	const char *headers[3] = {after, NULL, NULL};

	snprintf(after, sizeof(after), "Retry-After: %d", retry_after(worker));
	if (worker->draining)
		headers[1] = "Connection: close";
	server_reply_problem(request, 503, headers,
	    worker->draining ? "the worker is going away"
			     : "all slots are taken and the backlog is full",
	    NULL);
}

/* Svc-Deadline: 0, or -1 when it is no time. */
static int
read_deadline(const struct server_request *request, int64_t *deadline,
    struct svc_error *error)
{
	const char *text = server_request_header(request, "Svc-Deadline");

	*deadline = 0;
	if (text == NULL)
		return 0;
	/* "now" and "+5m" are for people: whose now would it be? */
	if (*text < '0' || *text > '9')
		return svc_error_set(error, EX_DATAERR,
		    "Svc-Deadline: not an RFC 3339 time: '%s'", text);
	if (time_parse(text, 0, deadline, error) == -1)
		return -1;
	if (*deadline <= 0)
		*deadline = 1;
	return 0;
}

static struct worker_task *
new_task(
    struct worker *worker, struct server_request *request, int64_t deadline)
{
	struct worker_task *task = calloc(1, sizeof(*task));
	const char *id = server_request_header(request, "Idempotency-Key");

	if (task == NULL)
		return NULL;
	task->timer = evtimer_new(worker->base, time_over, task);
	task->body = server_request_body(request, &task->length);
	if (task->timer == NULL || task->body == NULL) {
		if (task->timer != NULL)
			event_free(task->timer);
		free(task);
		return NULL;
	}
	task->worker = worker;
	task->request = request;
	task->deadline = deadline;
	if (id != NULL && name_valid(id, strlen(id)))
		memcpy(task->id, id, strlen(id) + 1);
	return task;
}

static void
post_task(void *argument, struct server_request *request)
{
	struct worker *worker = argument;
	struct worker_task *task;
	struct svc_error error;
	int64_t deadline;

	if (worker->draining ||
	    worker->busy + worker->queued >=
		worker->options.slots + worker->options.backlog) {
		refuse_busy(worker, request);
		return;
	}
	if (read_deadline(request, &deadline, &error) == -1) {
		server_reply_problem(request, 400, NULL, error.message, NULL);
		return;
	}
	if ((task = new_task(worker, request, deadline)) == NULL) {
		server_reply_problem(request, 503, NULL, "out of memory", NULL);
		return;
	}
	TAILQ_INSERT_TAIL(&worker->queue, task, link);
	worker->queued++;
	if (worker->options.lines && !json_valid(task->body, task->length)) {
		task_refuse(task, 400, "the body is not JSON");
		drop_queued(task);
		return;
	}
	if (until_deadline(task) == 0) {
		task_refuse(task, 504, "the deadline has passed");
		drop_queued(task);
		return;
	}
	if (deadline != 0)
		arm(task->timer, until_deadline(task));
	server_request_watch(request, client_gone, task);
	worker_pump(worker);
}

static const char *
health(const struct worker *worker)
{
	if (worker->draining)
		return "draining";
	if (worker->options.lines && copies_running(worker) == 0)
		return "critical";
	return "passing";
}

static void
get_health(void *argument, struct server_request *request)
{
	struct worker *worker = argument;
	struct buffer body = BUFFER_INIT;
	const char *status = health(worker);

	buffer_append_format(&body,
	    "{\"status\":\"%s\",\"slots\":%d,\"busy\":%d,\"utilization\":",
	    status, worker->options.slots, worker->busy);
	json_append_number(&body, (double)worker->busy / worker->options.slots);
	buffer_append_string(&body, "}\n");
	if (buffer_failed(&body))
		server_reply_problem(request, 503, NULL, "out of memory", NULL);
	else
		server_reply(request,
		    strcmp(status, "passing") == 0 ? 200 : 503,
		    "application/json", NULL, body.data, body.length);
	buffer_release(&body);
}

static const struct server_route routes[] = {
    {"POST", "/task", post_task},
    {"GET", "/health", get_health},
    {NULL, NULL, NULL},
};

/* Connections for all that may run and wait, and for those that ask; as many
 * as there are descriptors for. */
static int
connection_limit(const struct worker_options *options, struct svc_error *error)
{
	struct rlimit limit;
	rlim_t needed =
	    DESCRIPTORS_OTHERS + DESCRIPTORS_TASK * (rlim_t)options->slots;
	rlim_t wanted = CONNECTIONS_MORE + (rlim_t)options->slots +
			(rlim_t)options->backlog;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return svc_error_errno(error, "getrlimit");
	if (limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= needed + wanted)
		return (int)wanted;
	if (limit.rlim_cur < needed + CONNECTIONS_MIN)
		return svc_error_set(error, EX_OSERR,
		    "%d slots need %llu open files, %llu are allowed",
		    options->slots,
		    (unsigned long long)needed + CONNECTIONS_MIN,
		    (unsigned long long)limit.rlim_cur);
	return (int)(limit.rlim_cur - needed);
}

/* One address may fill the slots and the backlog, and still not keep others
 * out, unless there are too few descriptors for that. */
static int
peer_limit(const struct worker_options *options, int connections)
{
	int wanted = options->slots + options->backlog + CONNECTIONS_MORE / 2;

	return wanted < connections ? wanted : (connections + 1) / 2;
}

/* As much as all that may run and wait can have, and one that comes. */
static size_t
memory_for_bodies(const struct worker_options *options)
{
	size_t count = (size_t)options->slots + (size_t)options->backlog + 1;

	return count > SIZE_MAX / options->max_task ? SIZE_MAX
						    : count * options->max_task;
}

static int
open_server(struct worker *worker, struct svc_error *error)
{
	struct server_options options = {.bind = worker->options.bind,
	    .public = worker->options.public,
	    .max_body = worker->options.max_task,
	    .max_bodies = memory_for_bodies(&worker->options),
	    .max_header = HEADER_MAX,
	    .request_deadline = REQUEST_SECONDS,
	    .idle = IDLE_SECONDS,
	    .routes = routes,
	    .argument = worker};

	options.max_connections = connection_limit(&worker->options, error);
	if (options.max_connections == -1)
		return -1;
	options.max_peer =
	    peer_limit(&worker->options, options.max_connections);
	return server_open(&worker->server, worker->base, &options, error);
}

int
worker_open(struct worker **worker, struct event_base *base,
    const struct worker_options *options, struct svc_error *error)
{
	struct worker *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->base = base;
	made->options = *options;
	made->runner = options->lines ? &worker_copies : &worker_jobs;
	TAILQ_INIT(&made->queue);
	TAILQ_INIT(&made->running);
	if (open_server(made, error) == -1) {
		worker_close(made);
		return -1;
	}
	*worker = made;
	return 0;
}

int
worker_start(
    struct worker *worker, char *const *environment, struct svc_error *error)
{
	worker->environment = environment;
	worker_load_init(&worker->load, time_monotonic());
	return worker->options.lines ? copies_start(worker, error) : 0;
}

void
worker_close(struct worker *worker)
{
	struct worker_task *task;

	if (worker == NULL)
		return;
	while ((task = TAILQ_FIRST(&worker->queue)) != NULL) {
		TAILQ_REMOVE(&worker->queue, task, link);
		if (task->request != NULL)
			server_request_watch(task->request, NULL, NULL);
		free_task(task);
	}
	while ((task = TAILQ_FIRST(&worker->running)) != NULL) {
		TAILQ_REMOVE(&worker->running, task, link);
		if (task->request != NULL)
			server_request_watch(task->request, NULL, NULL);
		free_task(task);
	}
	copies_free(worker);
	server_close(worker->server);
	if (worker->drain_timer != NULL)
		event_free(worker->drain_timer);
	free(worker);
}

const char *
worker_address(const struct worker *worker)
{
	return server_address(worker->server);
}

int
worker_busy(const struct worker *worker)
{
	return worker->busy;
}

double
worker_utilization(struct worker *worker)
{
	return worker_load_take(
	    &worker->load, worker->options.slots, time_monotonic());
}

static void
drained(evutil_socket_t descriptor, short what, void *argument)
{
	struct worker *worker = argument;

	(void)descriptor;
	(void)what;
	worker->idle(worker->idle_argument);
}

void
worker_drain(struct worker *worker, double grace, void (*idle)(void *argument),
    void *argument)
{
	worker->draining = true;
	worker->drain_grace = grace;
	worker->idle = idle;
	worker->idle_argument = argument;
	worker->drain_timer = evtimer_new(worker->base, drained, worker);
	if (worker->drain_timer == NULL)
		idle(argument);
	else
		check_drained(worker);
}
