#include "net/probe_queue.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/resolver.h"

struct probe_queue {
	struct probe_queue_options options;
	struct resolver *resolver;
	struct event *timer; /* the next one is due, and may start */
	struct probe_job **heap; /* from 1 on, the first due at the top */
	size_t count;
	size_t capacity;
	int running;
	double lag;
};

static void
put(struct probe_queue *queue, size_t place, struct probe_job *job)
{
	queue->heap[place] = job;
	job->place = place;
}

static void
rise(struct probe_queue *queue, struct probe_job *job)
{
	size_t place = job->place;

	while (place > 1 && queue->heap[place / 2]->due > job->due) {
		put(queue, place, queue->heap[place / 2]);
		place /= 2;
	}
	put(queue, place, job);
}

static void
sink(struct probe_queue *queue, struct probe_job *job)
{
	size_t place = job->place, child;

	while ((child = 2 * place) <= queue->count) {
		if (child < queue->count &&
		    queue->heap[child + 1]->due < queue->heap[child]->due)
			child++;
		if (queue->heap[child]->due >= job->due)
			break;
		put(queue, place, queue->heap[child]);
		place = child;
	}
	put(queue, place, job);
}

static void
take_out(struct probe_queue *queue, struct probe_job *job)
{
	struct probe_job *last = queue->heap[queue->count--];
	size_t place = job->place;

	job->place = 0;
	if (last == job)
		return;
	put(queue, place, last);
	rise(queue, last);
	sink(queue, last);
}

/* Wakes for the first that is due, unless there is no room for it. */
static void
arm(struct probe_queue *queue)
{
	struct timeval time;
	double wait;

	if (queue->count == 0 || queue->running >= queue->options.jobs) {
		(void)evtimer_del(queue->timer);
		return;
	}
	wait = queue->heap[1]->due - time_monotonic();
	if (wait < 0)
		wait = 0;
	time.tv_sec = (time_t)wait;
	time.tv_usec = (suseconds_t)((wait - (double)time.tv_sec) * 1e6);
	(void)evtimer_add(queue->timer, &time);
}

static void
on_done(void *argument, const struct probe_answer *answer)
{
	struct probe_job *job = argument;
	struct probe_queue *queue = job->queue;

	job->probe = NULL;
	queue->running--;
	queue->options.done(queue->options.argument, job, answer, NULL);
	arm(queue);
}

static void
start(struct probe_queue *queue, struct probe_job *job)
{
	struct address address;
	struct svc_error error;

	if (address_parse(job->url, &address, &error) == 0 &&
	    probe_start_shared(&job->probe, queue->resolver, &address,
		job->path, job->timeout, on_done, job, &error) == 0) {
		queue->running++;
		return;
	}
	job->probe = NULL;
	queue->options.done(queue->options.argument, job, NULL, &error);
}

static void
on_due(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe_queue *queue = argument;
	double now = time_monotonic();
	struct probe_job *job;

	(void)descriptor;
	(void)what;
	while (queue->count > 0 && queue->running < queue->options.jobs &&
	       queue->heap[1]->due <= now) {
		job = queue->heap[1];
		queue->lag = now - job->due;
		take_out(queue, job);
		start(queue, job);
	}
	arm(queue);
}

int
probe_queue_open(struct probe_queue **queue,
    const struct probe_queue_options *options, struct svc_error *error)
{
	struct resolver_options names = {.base = options->base};
	struct probe_queue *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "probes");
	made->options = *options;
	if (resolver_open(&made->resolver, &names, error) == -1)
		goto out;
	made->timer = evtimer_new(options->base, on_due, made);
	if (made->timer == NULL) {
		(void)svc_error_set(error, EX_OSERR, "probes: no timer");
		goto out;
	}
	*queue = made;
	return 0;
out:
	probe_queue_close(made);
	return -1;
}

void
probe_queue_close(struct probe_queue *queue)
{
	if (queue == NULL)
		return;
	if (queue->timer != NULL)
		event_free(queue->timer);
	resolver_close(queue->resolver);
	free(queue->heap);
	free(queue);
}

static int
make_room(struct probe_queue *queue)
{
	size_t capacity = queue->capacity == 0 ? 64 : 2 * queue->capacity;
	struct probe_job **heap;

	if (queue->count + 1 < queue->capacity)
		return 0;
	heap = reallocarray(queue->heap, capacity, sizeof(*heap));
	if (heap == NULL)
		return -1;
	queue->heap = heap;
	queue->capacity = capacity;
	return 0;
}

int
probe_queue_add(struct probe_queue *queue, struct probe_job *job, double wait)
{
	if (job->probe != NULL)
		return 0;
	job->queue = queue;
	job->due = time_monotonic() + wait;
	if (job->place != 0) {
		rise(queue, job);
		sink(queue, job);
	} else {
		if (make_room(queue) == -1)
			return -1;
		put(queue, ++queue->count, job);
		rise(queue, job);
	}
	arm(queue);
	return 0;
}

void
probe_queue_remove(struct probe_queue *queue, struct probe_job *job)
{
	if (job->place != 0)
		take_out(queue, job);
	if (job->probe != NULL) {
		probe_cancel(job->probe);
		job->probe = NULL;
		queue->running--;
	}
	arm(queue);
}

bool
probe_queue_has(const struct probe_job *job)
{
	return job->place != 0 || job->probe != NULL;
}

double
probe_queue_lag(const struct probe_queue *queue)
{
	return queue->lag;
}
