#include "net/probed_service.h"

#include <event2/event.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/probed_file.h"
#include "net/probed_panic.h"
#include "registry/health_book.h"

/*
 * Who stands by waits so long after an event: a lock is let go a moment after
 * the file is closed, and whose file was removed by hand shall make it anew.
 */
#define STAND_BY 0.05

/* [0, 1): nothing depends on its being repeated, or secret. */
static double
chance(void)
{
	return (double)arc4random() / 4294967296.0;
}

static void
wake_in(struct probed_service *service, double wait)
{
	struct timeval time = duration_timeval(wait);

	(void)evtimer_add(service->timer, &time);
}

static bool
is_once(const struct probed_service *service)
{
	return service->common->options.once;
}

static double
earlier(double a, double b)
{
	return a < b ? a : b;
}

/* Sets the timer for whatever comes next. */
static void
arm(struct probed_service *service)
{
	bool held = health_book_held(service->book);
	double next = INFINITY, due;

	if (service->review || !service->started)
		next = 0;
	if (service->panic.expired)
		next = earlier(next, service->calm);
	if (held && !probed_file_wanted(service))
		next = 0;
	else if (held) {
		due = probed_file_due(service);
		next =
		    earlier(next, due > service->retry ? due : service->retry);
	} else if (probed_file_wanted(service) &&
		   !(is_once(service) && service->started))
		next = earlier(next, service->retry);
	if (next < INFINITY)
		wake_in(service, next - time_monotonic());
	else
		(void)evtimer_del(service->timer);
}

void
probed_service_tell(struct probed_service *service, const char *message)
{
	const struct prober_options *options = &service->common->options;

	if (!service->complained && options->notice != NULL)
		options->notice(options->argument, message);
	service->complained = true;
}

/* Asks it for the first time, or again after a while. */
static void
start_one(struct probed_service *service, struct probed_instance *probed)
{
	double wait = 0;

	if (!probed_instance_due(probed) || probe_queue_has(&probed->job))
		return;
	if (is_once(service)) {
		if (!probed->awaited)
			service->awaited++;
		probed->awaited = true;
		probed->verdict.settled = false;
	} else if (probed->verdict.settled) {
		wait = probed->interval * chance();
	} else {
		probed->spread = true;
	}
	if (probe_queue_add(service->common->queue, &probed->job, wait) == -1)
		probed_service_tell(service, "probes: out of memory");
}

void
probed_service_start(struct probed_service *service)
{
	size_t i;

	for (i = 0; i < service->count; i++)
		start_one(service, service->instances[i]);
}

static void
stop_one(struct probed_service *service, struct probed_instance *probed)
{
	probe_queue_remove(service->common->queue, &probed->job);
	if (probed->awaited)
		service->awaited--;
	probed->awaited = false;
}

/* The file is another's: so is the service. */
void
probed_service_lost(struct probed_service *service)
{
	size_t i;

	service->retry = 0;
	service->panic = (struct panic){false, false};
	if (is_once(service))
		return;
	for (i = 0; i < service->count; i++)
		stop_one(service, service->instances[i]);
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	struct probed_service *service = argument;
	double now = time_monotonic();

	(void)descriptor;
	(void)what;
	if (service->review || service->panic.expired)
		probed_panic_review(service, now);
	probed_file_keep(service, now);
	if (!service->started && is_once(service))
		probed_service_start(service);
	service->started = true;
	arm(service);
	if (is_once(service))
		service->common->progress(service->common->argument);
}

int
probed_service_open(struct probed_service **service,
    struct probed_common *common, const char *name, struct svc_error *error)
{
	struct probed_service *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "%s", name);
	made->common = common;
	made->jumped = -1;
	made->written = -INFINITY;
	made->name = strdup(name);
	if (made->name == NULL) {
		(void)svc_error_errno(error, "%s", name);
		goto out;
	}
	made->timer = evtimer_new(common->options.base, on_timer, made);
	if (made->timer == NULL) {
		(void)svc_error_set(error, EX_OSERR, "%s: no timer", name);
		goto out;
	}
	if (health_book_open(
		&made->book, common->options.registry, name, error) == -1)
		goto out;
	*service = made;
	return 0;
out:
	probed_service_close(made);
	return -1;
}

void
probed_service_flush(struct probed_service *service)
{
	double now = time_monotonic();

	if (service->review)
		probed_panic_review(service, now);
	if (service->dirty && health_book_held(service->book))
		probed_file_write(service, now);
}

void
probed_service_close(struct probed_service *service)
{
	if (service->book != NULL)
		probed_service_flush(service);
	while (service->count > 0) {
		stop_one(service, service->instances[service->count - 1]);
		probed_instance_free(service->instances[--service->count]);
	}
	if (service->timer != NULL)
		event_free(service->timer);
	health_book_close(service->book);
	free(service->scratch.lines);
	free(service->instances);
	free(service->name);
	free(service);
}

/* Where id stands, or belongs. */
static size_t
position(const struct probed_service *service, const char *id, bool *found)
{
	size_t low = 0, high = service->count, middle;
	int order;

	*found = false;
	/* Listings come in order: most belong at the end. */
	if (high > 0 && strcmp(service->instances[high - 1]->id, id) < 0)
		return high;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(service->instances[middle]->id, id);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct probed_instance *
probed_service_find(const struct probed_service *service, const char *id)
{
	bool found;
	size_t i = position(service, id, &found);

	return found ? service->instances[i] : NULL;
}

static struct probed_instance *
add(struct probed_service *service, const char *id, struct svc_error *error)
{
	size_t capacity = service->capacity == 0 ? 16 : 2 * service->capacity;
	struct probed_instance **instances;
	struct probed_instance *probed;
	bool found;
	size_t i;

	if (service->count == service->capacity) {
		instances = reallocarray(
		    service->instances, capacity, sizeof(*instances));
		if (instances == NULL)
			goto fail;
		service->instances = instances;
		service->capacity = capacity;
	}
	probed = probed_instance_new(service, id);
	if (probed == NULL)
		goto fail;
	i = position(service, id, &found);
	memmove(&service->instances[i + 1], &service->instances[i],
	    (service->count - i) * sizeof(*service->instances));
	service->instances[i] = probed;
	service->count++;
	return probed;
fail:
	svc_error_errno(error, "%s", id);
	return NULL;
}

void
probed_service_remove(struct probed_service *service, const char *id)
{
	struct probed_instance *probed;
	bool found;
	size_t i = position(service, id, &found);

	if (!found)
		return;
	probed = service->instances[i];
	stop_one(service, probed);
	service->wanting -= probed->kind != PROBED_NOT;
	memmove(&service->instances[i], &service->instances[i + 1],
	    (--service->count - i) * sizeof(*service->instances));
	probed_instance_free(probed);
	service->dirty = service->review = true;
	arm(service);
}

/* Its question is another one, or it is to be asked again, or no more. */
static void
requeue(struct probed_service *service, struct probed_instance *probed,
    bool other, bool at_once)
{
	if (other) {
		stop_one(service, probed);
		service->dirty = service->review = true;
	}
	if (!probed_instance_due(probed))
		stop_one(service, probed);
	else if (service->started &&
		 (health_book_held(service->book) || is_once(service)))
		start_one(service, probed);
	if (at_once && probe_queue_has(&probed->job))
		(void)probe_queue_add(service->common->queue, &probed->job, 0);
}

static bool
same_record(const struct instance *a, const struct instance *b)
{
	return a != NULL && a->record.length == b->record.length &&
	       memcmp(a->record.data, b->record.data, a->record.length) == 0;
}

int
probed_service_update(struct probed_service *service,
    const struct instance *before, const struct instance *after,
    struct svc_error *error)
{
	struct probed_instance *probed =
	    probed_service_find(service, after->id);
	bool expired = after->status == STATUS_EXPIRED;
	bool fresh = probed == NULL, renewed;
	enum probed_kind kind;
	int other = 0;

	if (fresh && (probed = add(service, after->id, error)) == NULL)
		return -1;
	kind = probed->kind;
	if (fresh || !same_record(before, after))
		other = probed_instance_read(
		    probed, after, service->common->options.interval, error);
	service->wanting += probed->kind != PROBED_NOT;
	service->wanting -= kind != PROBED_NOT;
	if (!fresh && expired && !probed->expired)
		probed->lapsed = time_monotonic();
	if (expired != probed->expired || after->draining != probed->draining)
		service->review = true;
	renewed = probed->expired && !expired;
	probed->expired = expired;
	probed->draining = after->draining;
	if (other != -1)
		requeue(service, probed, other == 1, renewed);
	arm(service);
	return other == -1 ? -1 : 0;
}

void
probed_service_look(struct probed_service *service)
{
	struct svc_error error;
	double now = time_monotonic();

	if (health_book_held(service->book)) {
		if (health_book_check(service->book, &error) == 0) {
			probed_service_lost(service);
			arm(service);
		}
	} else if (!service->refused && service->started &&
		   service->retry > now + STAND_BY) {
		service->retry = now + STAND_BY;
		arm(service);
	}
}

void
probed_service_jumped(struct probed_service *service)
{
	probed_panic_doubt(service, time_monotonic());
	arm(service);
}

/* Whether it tells of this process, and nothing of the peer. */
static bool
is_ours(const struct probe_answer *answer, const struct svc_error *error)
{
	return answer == NULL ? error->code == EX_OSERR : answer->ours;
}

static void
starved(struct probed_service *service, const struct probe_answer *answer,
    const struct svc_error *error)
{
	const struct prober_options *options = &service->common->options;
	char message[sizeof(error->message) + 32];

	if (service->common->starved || options->notice == NULL)
		return;
	service->common->starved = true;
	(void)snprintf(message, sizeof(message), "cannot probe: %s",
	    answer == NULL ? error->message : answer->reason);
	options->notice(options->argument, message);
}

static void
count_answer(struct probed_service *service, const struct probe_answer *answer)
{
	service->counts.probes++;
	if (answer == NULL)
		return;
	service->counts.failures += answer->result == PROBE_CRITICAL;
	if (answer->failure != 0)
		return;
	service->answers++;
	service->seconds += answer->ms / 1000;
}

static void
take(struct probed_service *service, struct probed_instance *probed,
    const struct probe_answer *answer, const struct svc_error *error)
{
	unsigned long flaps = probed->verdict.flaps;

	switch (probed_instance_take(
	    probed, answer, error, time_now(), time_monotonic())) {
	case PROBED_STATUS:
		service->review = true;
		/* FALLTHROUGH */
	case PROBED_TOLD:
		service->dirty = true;
		break;
	case PROBED_NO_MEMORY:
		probed_service_tell(service, "health: out of memory");
		break;
	case PROBED_SAME:
		break;
	}
	service->counts.flaps += probed->verdict.flaps - flaps;
}

/* When it is asked next: in phases of their own after the first time. */
static void
schedule(struct probed_service *service, struct probed_instance *probed)
{
	double wait =
	    verdict_wait(&probed->verdict, probed->interval, chance());

	if (probed->spread && !probed->verdict.contradicted)
		wait *= chance();
	probed->spread = false;
	if (probe_queue_add(service->common->queue, &probed->job, wait) == -1)
		probed_service_tell(service, "probes: out of memory");
}

void
probed_service_done(void *argument, struct probe_job *job,
    const struct probe_answer *answer, const struct svc_error *error)
{
	/* The job is its first member. */
	struct probed_instance *probed = (struct probed_instance *)job;
	struct probed_service *service = probed->service;

	(void)argument;
	if (is_ours(answer, error)) {
		starved(service, answer, error);
	} else {
		count_answer(service, answer);
		take(service, probed, answer, error);
	}
	if (probed->awaited) {
		probed->awaited = false;
		service->awaited--;
	} else {
		schedule(service, probed);
	}
	if (is_once(service))
		service->common->progress(service->common->argument);
	if (service->dirty || service->review)
		arm(service);
}

bool
probed_service_busy(const struct probed_service *service)
{
	return !service->started || service->awaited > 0;
}
