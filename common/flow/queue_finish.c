#include "flow/queue_finish.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "registry/claim.h"
#include "store/store.h"

/* Seconds until what is stuck is tried again. */
#define RETRY_SECONDS 1

struct queue_finish {
	struct store *store; /* the thread's */
	int told; /* eventfd(2): there is something to take */
	pthread_t thread;
	pthread_cond_t changed; /* for the thread */
	pthread_mutex_t mutex; /* of what follows */
	struct queue_jobs waiting; /* for the thread */
	struct queue_jobs gone;
	size_t lines; /* put, and not gone */
	size_t bytes; /* of those */
	enum queue_finish_state state;
	struct svc_error error; /* of that */
	bool closing;
};

void
queue_job_release(struct queue_job *job)
{
	free(job->line);
	job->line = NULL;
	job->length = 0;
}

static void
tell(const struct queue_finish *finish)
{
	const uint64_t one = 1;
	ssize_t count;

	/* It fails only where so many have not been read that it is readable
	 * as it is. */
	do
		count = write(finish->told, &one, sizeof(one));
	while (count == -1 && errno == EINTR);
}

/* All that has a line is completed with one call. */
static void
complete(
    struct queue_finish *finish, const struct queue_jobs *group, size_t count)
{
	struct claim_end *ends = calloc(count, sizeof(*ends));
	struct svc_error error;
	struct queue_job *job;
	size_t n = 0;

	STAILQ_FOREACH(job, group, link)
	{
		if (job->line == NULL)
			continue;
		job->moved = -1;
		svc_error_set(&job->error, EX_OSERR, "out of memory");
		if (ends == NULL)
			continue;
		ends[n].place = job->place;
		ends[n].line = job->line;
		ends[n].length = job->length;
		ends[n++].failed = job->failed;
	}
	/* What has failed each of them says. */
	if (n > 0)
		(void)claim_complete(finish->store, ends, n, &error);
	n = 0;
	STAILQ_FOREACH(job, group, link)
	{
		if (ends == NULL || job->line == NULL)
			continue;
		job->moved = ends[n].moved;
		job->unsynced = ends[n].unsynced;
		job->error = ends[n++].error;
	}
	free(ends);
}

static void
work(struct queue_finish *finish, const struct queue_jobs *group)
{
	struct queue_job *job;
	size_t lines = 0;

	STAILQ_FOREACH(job, group, link)
	{
		if (job->line != NULL)
			lines++;
		else
			job->moved = claim_give_back(
			    finish->store, &job->place, &job->error);
	}
	if (lines > 0)
		complete(finish, group, lines);
}

/* Whether what has failed so may go well in a while. */
static bool
may_pass(const struct svc_error *error)
{
	switch (error->code) {
	case EX_IOERR:
	case EX_OSERR:
	case EX_NOPERM:
	case EX_TEMPFAIL:
	case EX_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

static void
leave(struct queue_finish *finish, struct queue_job *job)
{
	STAILQ_INSERT_TAIL(&finish->gone, job, link);
	finish->lines--;
	finish->bytes -= job->length;
}

/* What a group has come to: all goes but what may go well later. */
static void
settle(struct queue_finish *finish, struct queue_jobs *group)
{
	struct queue_jobs again = STAILQ_HEAD_INITIALIZER(again);
	struct queue_job *job;

	while ((job = STAILQ_FIRST(group)) != NULL) {
		STAILQ_REMOVE_HEAD(group, link);
		if (job->moved == -1 && job->unsynced) {
			finish->state = QUEUE_FINISH_BROKEN;
			finish->error = job->error;
		}
		if (job->moved == -1 && may_pass(&job->error) &&
		    !finish->closing && finish->state != QUEUE_FINISH_BROKEN)
			STAILQ_INSERT_TAIL(&again, job, link);
		else
			leave(finish, job);
	}
	if (finish->state == QUEUE_FINISH_BROKEN)
		return;
	finish->state = QUEUE_FINISH_WELL;
	if (!STAILQ_EMPTY(&again)) {
		finish->state = QUEUE_FINISH_STUCK;
		finish->error = STAILQ_FIRST(&again)->error;
	}
	/* In front of what came meanwhile. */
	STAILQ_CONCAT(&again, &finish->waiting);
	STAILQ_CONCAT(&finish->waiting, &again);
}

/* No line goes to the disk any more; what is given back has none. */
static void
refuse_lines(struct queue_finish *finish, struct queue_jobs *group)
{
	struct queue_jobs rest = STAILQ_HEAD_INITIALIZER(rest);
	struct queue_job *job;

	while ((job = STAILQ_FIRST(group)) != NULL) {
		STAILQ_REMOVE_HEAD(group, link);
		if (job->line == NULL) {
			STAILQ_INSERT_TAIL(&rest, job, link);
			continue;
		}
		job->moved = -1;
		job->error = finish->error;
		leave(finish, job);
	}
	STAILQ_CONCAT(group, &rest);
}

/* true: there is something to do; false: there is not, and it closes. */
static bool
wait_for_work(struct queue_finish *finish)
{
	struct timespec until;
	int status = 0;

	if (finish->state == QUEUE_FINISH_STUCK) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += RETRY_SECONDS;
		while (!finish->closing && status == 0)
			status = pthread_cond_timedwait(
			    &finish->changed, &finish->mutex, &until);
	}
	while (!finish->closing && STAILQ_EMPTY(&finish->waiting))
		pthread_cond_wait(&finish->changed, &finish->mutex);
	return !STAILQ_EMPTY(&finish->waiting);
}

static void *
finish_groups(void *argument)
{
	struct queue_jobs group = STAILQ_HEAD_INITIALIZER(group);
	struct queue_finish *finish = argument;

	pthread_mutex_lock(&finish->mutex);
	while (wait_for_work(finish)) {
		STAILQ_CONCAT(&group, &finish->waiting);
		if (finish->state == QUEUE_FINISH_BROKEN)
			refuse_lines(finish, &group);
		pthread_mutex_unlock(&finish->mutex);
		work(finish, &group);
		pthread_mutex_lock(&finish->mutex);
		settle(finish, &group);
		tell(finish);
	}
	pthread_mutex_unlock(&finish->mutex);
	return NULL;
}

/* Signals are for the thread that has the event loop. */
static int
start(struct queue_finish *finish)
{
	sigset_t all, before;
	int failure;

	sigfillset(&all);
	failure = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (failure != 0)
		return failure;
	failure = pthread_create(&finish->thread, NULL, finish_groups, finish);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}

static int
init_condition(struct queue_finish *finish)
{
	pthread_condattr_t attributes;
	int failure = pthread_condattr_init(&attributes);

	if (failure != 0)
		return failure;
	failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (failure == 0)
		failure = pthread_cond_init(&finish->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return failure;
}

/* 0, or the number of the error, and then nothing is left. */
static int
prepare(struct queue_finish *finish)
{
	int failure = pthread_mutex_init(&finish->mutex, NULL);

	if (failure != 0)
		return failure;
	failure = init_condition(finish);
	if (failure != 0)
		goto out;
	finish->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	failure = finish->told == -1 ? errno : start(finish);
	if (failure == 0)
		return 0;
	if (finish->told != -1)
		close(finish->told);
	pthread_cond_destroy(&finish->changed);
out:
	pthread_mutex_destroy(&finish->mutex);
	return failure;
}

int
queue_finish_open(
    struct queue_finish **result, const char *place, struct svc_error *error)
{
	struct queue_finish *finish = calloc(1, sizeof(*finish));
	int failure;

	*result = NULL;
	if (finish == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	STAILQ_INIT(&finish->waiting);
	STAILQ_INIT(&finish->gone);
	if (store_open(&finish->store, place, error) == -1) {
		free(finish);
		return -1;
	}
	failure = prepare(finish);
	if (failure == 0) {
		*result = finish;
		return 0;
	}
	store_close(finish->store);
	free(finish);
	errno = failure;
	svc_error_errno(error, "cannot start a thread that completes tasks");
	if (error != NULL)
		error->code = EX_OSERR;
	return -1;
}

void
queue_finish_put(struct queue_finish *finish, struct queue_job *job)
{
	pthread_mutex_lock(&finish->mutex);
	STAILQ_INSERT_TAIL(&finish->waiting, job, link);
	finish->lines++;
	finish->bytes += job->length;
	pthread_cond_signal(&finish->changed);
	pthread_mutex_unlock(&finish->mutex);
}

bool
queue_finish_full(struct queue_finish *finish)
{
	bool full;

	pthread_mutex_lock(&finish->mutex);
	full = finish->lines >= QUEUE_FINISH_LINES ||
	       finish->bytes >= QUEUE_FINISH_BYTES;
	pthread_mutex_unlock(&finish->mutex);
	return full;
}

int
queue_finish_descriptor(const struct queue_finish *finish)
{
	return finish->told;
}

enum queue_finish_state
queue_finish_take(struct queue_finish *finish, struct queue_jobs *jobs,
    struct svc_error *error)
{
	enum queue_finish_state state;
	uint64_t count;

	/* Nothing to read is as good. */
	while (
	    read(finish->told, &count, sizeof(count)) == -1 && errno == EINTR)
		continue;
	pthread_mutex_lock(&finish->mutex);
	STAILQ_CONCAT(jobs, &finish->gone);
	state = finish->state;
	*error = finish->error;
	pthread_mutex_unlock(&finish->mutex);
	return state;
}

void
queue_finish_close(struct queue_finish *finish, struct queue_jobs *jobs)
{
	if (finish == NULL)
		return;
	pthread_mutex_lock(&finish->mutex);
	finish->closing = true;
	pthread_cond_signal(&finish->changed);
	pthread_mutex_unlock(&finish->mutex);
	pthread_join(finish->thread, NULL);
	STAILQ_CONCAT(jobs, &finish->gone);
	close(finish->told);
	pthread_cond_destroy(&finish->changed);
	pthread_mutex_destroy(&finish->mutex);
	store_close(finish->store);
	free(finish);
}
