#include "flow/queue_source.h"

#include <event2/event.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "flow/queue_state.h"
#include "line/units.h"
#include "store/store.h"

/* What sleeps no longer than that is waited for before the queue is empty: it
 * rests; in seconds. */
#define REST_MAX (QUEUE_REST_MS / 1000.0 * (1 << QUEUE_CLAIMS_MAX))
/* Nobody takes what is ready when that has been so for so many seconds. */
#define LINGER 1.0

void
queue_complain(void *argument, const char *message)
{
	const struct queue_source *source = argument;

	if (source->options.warn != NULL)
		source->options.warn(source->options.argument, message);
}

static void tell(const struct queue_source *source,
    void (*fn)(void *argument, const char *message), const char *format,
    va_list arguments) __attribute__((format(printf, 3, 0)));

static void
tell(const struct queue_source *source,
    void (*fn)(void *argument, const char *message), const char *format,
    va_list arguments)
{
	char message[sizeof(((struct svc_error *)0)->message) + 256];

	if (fn == NULL)
		return;
	(void)vsnprintf(message, sizeof(message), format, arguments);
	fn(source->options.argument, message);
}

void
queue_note(struct queue_source *source, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(source, source->options.note, format, arguments);
	va_end(arguments);
}

void
queue_warn(struct queue_source *source, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(source, source->options.warn, format, arguments);
	va_end(arguments);
}

void
queue_break(struct queue_source *source, const struct svc_error *error)
{
	if (source->broken)
		return;
	source->broken = true;
	source->options.broken(source->options.argument, error);
}

void
queue_turn(struct queue_source *source)
{
	static const struct timeval now = {0, 0};

	(void)evtimer_add(source->turn, &now);
}

static size_t
ask_vacant(void *argument, const char *service)
{
	const struct queue_source *source = argument;

	return source->options.vacant(source->options.argument, service);
}

/* next: ms since 1970 when somebody of the book wakes; 0: nobody. */
static void
plan_alarm(struct queue_source *source, int64_t next)
{
	const double now = time_monotonic();
	double wait = HUGE_VAL;
	struct timeval interval;

	if (next != 0)
		wait = fmax(0, (double)(next - time_now()) / 1000);
	wait = fmin(
	    wait, queue_lanes_rested(&source->lanes, source->book, now) - now);
	if (source->paused > now)
		wait = fmin(wait, source->paused - now);
	if (source->idle > 0)
		wait = fmin(wait, LINGER);
	if (!isfinite(wait)) {
		evtimer_del(source->alarm);
		return;
	}
	interval = duration_timeval(wait);
	(void)evtimer_add(source->alarm, &interval);
}

static size_t
count_ready(const struct queue_source *source)
{
	struct queue_book_counts counts;

	queue_book_counts(source->book, &counts);
	return counts.ready;
}

/*
 * Whether nothing is left that could be done here: what there is waits for
 * others, for a time, or for an instance.  What is ready, and is not taken, may
 * just have to wait for a moment.
 */
static bool
is_done(struct queue_source *source, int64_t next)
{
	const double now = time_monotonic();
	const double idle = source->idle;

	source->idle = 0;
	if (!queue_news_whole(source->news) || source->claims.count > 0 ||
	    source->stuck || source->paused > now || queue_can_take(source) ||
	    (next != 0 && (double)(next - time_now()) / 1000 <= REST_MAX))
		return false;
	if (count_ready(source) == 0)
		return true;
	source->idle = idle > 0 ? idle : now;
	/* Commands have no service that could be missing. */
	return !source->options.local && now - source->idle >= LINGER;
}

static void
look_whether_done(struct queue_source *source, int64_t next)
{
	if (!source->options.until_empty || source->stopped || source->broken ||
	    source->emptied || !is_done(source, next))
		return;
	source->emptied = true;
	source->options.empty(source->options.argument);
}

static void
on_turn(evutil_socket_t fd, short what, void *argument)
{
	struct queue_source *source = argument;
	int64_t next;

	(void)fd;
	(void)what;
	/* What has just ended here may be what others wait for. */
	if (source->options.until_empty && source->claims.count == 0)
		queue_news_read(source->news);
	next = queue_book_wake(source->book, time_now());
	if (queue_take_ruled_out(source))
		queue_turn(source);
	if (queue_may_take(source) && queue_can_take(source))
		source->options.feed(source->options.argument);
	else
		look_whether_done(source, next);
	plan_alarm(source, next);
}

static void
on_finished(evutil_socket_t fd, short what, void *argument)
{
	struct queue_source *source = argument;

	(void)fd;
	(void)what;
	queue_claims_settle(source);
	queue_turn(source);
}

static int
open_events(struct queue_source *source, struct svc_error *error)
{
	source->turn = evtimer_new(source->base, on_turn, source);
	source->alarm = evtimer_new(source->base, on_turn, source);
	source->finished =
	    event_new(source->base, queue_finish_descriptor(source->finish),
		EV_READ | EV_PERSIST, on_finished, source);
	if (source->turn == NULL || source->alarm == NULL ||
	    source->finished == NULL || event_add(source->finished, NULL) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

static void
close_events(struct queue_source *source)
{
	if (source->turn != NULL)
		event_free(source->turn);
	if (source->alarm != NULL)
		event_free(source->alarm);
	if (source->finished != NULL)
		event_free(source->finished);
}

static void
release(struct queue_source *source)
{
	queue_news_close(source->news);
	queue_peers_close(source->peers);
	queue_lanes_release(&source->lanes);
	queue_claims_release(&source->claims);
	if (source->book != NULL)
		queue_book_close(source->book);
	if (source->store != NULL)
		store_close(source->store);
	envelope_release(&source->envelope);
	json_document_release(&source->document);
	buffer_release(&source->line);
	buffer_release(&source->value);
	free(source);
}

static int
open_parts(struct queue_source *source, struct svc_error *error)
{
	const struct queue_source_options *options = &source->options;

	if (store_open(&source->store, options->place, error) == -1 ||
	    queue_create(source->store, error) == -1 ||
	    queue_finish_open(&source->finish, options->place, error) == -1 ||
	    open_events(source, error) == -1)
		return -1;
	return queue_hear_open(source, error);
}

int
queue_source_open(struct queue_source **result, struct event_base *base,
    const struct queue_source_options *options, struct svc_error *error)
{
	struct queue_source *source = calloc(1, sizeof(*source));
	const struct queue_lanes_options lanes = {
	    .local = options->local, .vacant = ask_vacant, .argument = source};
	struct queue_jobs none = STAILQ_HEAD_INITIALIZER(none);

	*result = NULL;
	if (source == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	source->options = *options;
	source->base = base;
	queue_lanes_init(&source->lanes, &lanes);
	queue_claims_init(&source->claims);
	envelope_init(&source->envelope);
	if (open_parts(source, error) == -1) {
		close_events(source);
		queue_finish_close(source->finish, &none);
		release(source);
		return -1;
	}
	*result = source;
	return 0;
}

void
queue_source_stop(struct queue_source *source)
{
	source->stopped = true;
}

void
queue_source_wake(struct queue_source *source)
{
	/* Who is asked may say so before he answers. */
	if (!source->asking)
		queue_turn(source);
}

/* What the run has dropped; some of it may have been begun. */
static void
give_rest_back(struct queue_source *source)
{
	struct queue_claim *claim;

	TAILQ_FOREACH(claim, &source->claims.all, link)
	if (!claim->ending && !claim->lost)
		queue_claim_finish(source, claim, NULL, 0, false);
}

int
queue_source_close(struct queue_source *source, struct svc_error *error)
{
	struct queue_jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
	struct queue_job *job;
	int result = 0;

	if (source == NULL)
		return 0;
	source->stopped = true;
	give_rest_back(source);
	close_events(source);
	queue_finish_close(source->finish, &jobs);
	STAILQ_FOREACH(job, &jobs, link)
	if (job->moved == -1 && result == 0)
		result = svc_error_set(error, job->error.code,
		    "%s: not completed, and will be done again: %s",
		    job->place.id, job->error.message);
	release(source);
	return result;
}

int
queue_source_descriptor(const struct queue_source *source)
{
	return queue_peers_descriptor(source->peers);
}

void
queue_source_counts(
    const struct queue_source *source, struct queue_source_counts *counts)
{
	struct queue_book_counts book;

	queue_book_counts(source->book, &book);
	*counts = source->counts;
	counts->waiting = book.ready;
	counts->blocked = book.blocked;
	counts->asleep = book.asleep;
	counts->claimed = source->claims.active;
	counts->claimants = queue_peers_count(source->peers);
}
