#include "net/probe_queue.h"

#include <event2/event.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/resolver.h"

struct line {
	struct probe_job **heap; /* from 1 on, the first due at the top */
	size_t count;
	size_t capacity;
	int running; /* of those that stood here */
	double lag; /* seconds that the last one had waited */
};

struct probe_queue {
	struct probe_queue_options options;
	struct resolver *resolver;
	struct event *timer; /* the next one is due, and may start */
	struct line lines[PROBE_PACES];
	int running;
	bool prompt_next; /* whose turn it is where both could start */
};

static struct line *
line_of(struct probe_queue *queue, const struct probe_job *job)
{
	return &queue->lines[job->pace];
}

static void
put(struct line *line, size_t place, struct probe_job *job)
{
	line->heap[place] = job;
	job->place = place;
}

static void
rise(struct line *line, struct probe_job *job)
{
	size_t place = job->place;

	while (place > 1 && line->heap[place / 2]->due > job->due) {
		put(line, place, line->heap[place / 2]);
		place /= 2;
	}
	put(line, place, job);
}

static void
sink(struct line *line, struct probe_job *job)
{
	size_t place = job->place, child;

	while ((child = 2 * place) <= line->count) {
		if (child < line->count &&
		    line->heap[child + 1]->due < line->heap[child]->due)
			child++;
		if (line->heap[child]->due >= job->due)
			break;
		put(line, place, line->heap[child]);
		place = child;
	}
	put(line, place, job);
}

static void
take_out(struct line *line, struct probe_job *job)
{
	struct probe_job *last = line->heap[line->count--];
	size_t place = job->place;

	job->place = 0;
	if (last == job)
		return;
	put(line, place, last);
	rise(line, last);
	sink(line, last);
}

/* Whether one that is not known to be prompt may start. */
static bool
has_room_for_others(const struct probe_queue *queue)
{
	const struct line *prompt = &queue->lines[PROBE_PROMPT];
	int jobs = queue->options.jobs;
	int kept = jobs == 1 ? 0 : (jobs + 3) / 4;

	if (prompt->count == 0 && prompt->running == 0)
		kept = 0;
	return queue->running < jobs &&
	       queue->running - prompt->running < jobs - kept;
}

/* The one at the head of a line; NULL: there is none, or no room for it. */
static struct probe_job *
head(const struct probe_queue *queue, enum probe_pace pace)
{
	const struct line *line = &queue->lines[pace];
	bool room = pace == PROBE_PROMPT ? queue->running < queue->options.jobs
					 : has_room_for_others(queue);

	return line->count > 0 && room ? line->heap[1] : NULL;
}

/* Wakes for the first that is due, unless there is no room for it. */
static void
arm(struct probe_queue *queue)
{
	double due = INFINITY;
	const struct probe_job *job;
	struct timeval time;
	int pace;

	for (pace = 0; pace < PROBE_PACES; pace++) {
		job = head(queue, (enum probe_pace)pace);
		if (job != NULL && job->due < due)
			due = job->due;
	}
	if (due == INFINITY) {
		(void)evtimer_del(queue->timer);
		return;
	}
	time = duration_timeval(due - time_monotonic());
	(void)evtimer_add(queue->timer, &time);
}

/* Its probe runs no more. */
static void
leave(struct probe_queue *queue, struct probe_job *job)
{
	job->probe = NULL;
	line_of(queue, job)->running--;
	queue->running--;
}

static void
on_done(void *argument, const struct probe_answer *answer)
{
	struct probe_job *job = argument;
	struct probe_queue *queue = job->queue;

	leave(queue, job);
	job->pace =
	    answer->ms > job->timeout * 1000 / 2 ? PROBE_SLOW : PROBE_PROMPT;
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
		line_of(queue, job)->running++;
		queue->running++;
		return;
	}
	job->probe = NULL;
	queue->options.done(queue->options.argument, job, NULL, &error);
}

/* The next one that is due; NULL: none is. */
static struct probe_job *
next_due(const struct probe_queue *queue, double now)
{
	struct probe_job *due[PROBE_PACES], *other;
	int pace;

	for (pace = 0; pace < PROBE_PACES; pace++) {
		due[pace] = head(queue, (enum probe_pace)pace);
		if (due[pace] != NULL && due[pace]->due > now)
			due[pace] = NULL;
	}
	other =
	    due[PROBE_UNTRIED] != NULL ? due[PROBE_UNTRIED] : due[PROBE_SLOW];
	if (other == NULL || (due[PROBE_PROMPT] != NULL && queue->prompt_next))
		return due[PROBE_PROMPT];
	return other;
}

static void
on_due(evutil_socket_t descriptor, short what, void *argument)
{
	struct probe_queue *queue = argument;
	double now = time_monotonic();
	struct probe_job *job;
	struct line *line;

	(void)descriptor;
	(void)what;
	while ((job = next_due(queue, now)) != NULL) {
		line = line_of(queue, job);
		line->lag = now - job->due;
		queue->prompt_next = job->pace != PROBE_PROMPT;
		take_out(line, job);
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
	int pace;

	if (queue == NULL)
		return;
	if (queue->timer != NULL)
		event_free(queue->timer);
	resolver_close(queue->resolver);
	for (pace = 0; pace < PROBE_PACES; pace++)
		free(queue->lines[pace].heap);
	free(queue);
}

static int
make_room(struct line *line)
{
	size_t capacity = line->capacity == 0 ? 64 : 2 * line->capacity;
	struct probe_job **heap;

	if (line->count + 1 < line->capacity)
		return 0;
	heap = reallocarray(line->heap, capacity, sizeof(*heap));
	if (heap == NULL)
		return -1;
	line->heap = heap;
	line->capacity = capacity;
	return 0;
}

int
probe_queue_add(struct probe_queue *queue, struct probe_job *job, double wait)
{
	struct line *line = line_of(queue, job);

	if (job->probe != NULL)
		return 0;
	job->queue = queue;
	job->due = time_monotonic() + wait;
	if (job->place != 0) {
		rise(line, job);
		sink(line, job);
	} else {
		if (make_room(line) == -1)
			return -1;
		put(line, ++line->count, job);
		rise(line, job);
	}
	arm(queue);
	return 0;
}

void
probe_queue_remove(struct probe_queue *queue, struct probe_job *job)
{
	if (job->place != 0)
		take_out(line_of(queue, job), job);
	if (job->probe != NULL) {
		probe_cancel(job->probe);
		leave(queue, job);
	}
	job->pace = PROBE_UNTRIED;
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
	const struct line *line;
	double longest = 0;
	int pace;

	for (pace = 0; pace < PROBE_PACES; pace++) {
		line = &queue->lines[pace];
		if ((line->count > 0 || line->running > 0) &&
		    line->lag > longest)
			longest = line->lag;
	}
	return longest;
}
