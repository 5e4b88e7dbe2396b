#include "flow/journal_sync.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "flow/journal.h"

#define GROUP_NANOSECONDS (JOURNAL_SECONDS / 2 * 1e9)
#define GROUP_LINES	  ((uint64_t)JOURNAL_LINES / 2)

struct journal_sync {
	int descriptor; /* of the file */
	int told; /* eventfd(2): something has changed */
	bool each;
	pthread_t thread;
	pthread_cond_t changed; /* for the thread */
	pthread_mutex_t mutex; /* of what follows */
	uint64_t written; /* lines */
	uint64_t synced; /* of those */
	struct timespec since; /* the oldest of the others was written */
	int failure; /* errno, or 0 */
	bool closing;
};

static bool
is_behind(const struct journal_sync *sync)
{
	return sync->written - sync->synced > JOURNAL_LINES;
}

static void
tell(const struct journal_sync *sync)
{
	const uint64_t one = 1;
	ssize_t count;

	/* It fails only where so many have not been read that it is readable
	 * as it is. */
	do
		count = write(sync->told, &one, sizeof(one));
	while (count == -1 && errno == EINTR);
}

static int
sync_file(int descriptor)
{
	int status;

	do
		status = fdatasync(descriptor);
	while (status == -1 && errno == EINTR);
	return status == -1 ? errno : 0;
}

/* Waits until a group is complete: true; false: there is none, and no more
 * will come. */
static bool
wait_for_group(struct journal_sync *sync)
{
	struct timespec until;
	int status = 0;

	while (!sync->closing && sync->written == sync->synced)
		pthread_cond_wait(&sync->changed, &sync->mutex);
	until = sync->since;
	until.tv_nsec += (long)GROUP_NANOSECONDS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!sync->closing && status == 0 &&
	       sync->written - sync->synced < GROUP_LINES)
		status = pthread_cond_timedwait(
		    &sync->changed, &sync->mutex, &until);
	return sync->written != sync->synced;
}

static void *
sync_groups(void *argument)
{
	struct journal_sync *sync = argument;
	uint64_t written;
	int failure;
	bool behind;

	pthread_mutex_lock(&sync->mutex);
	while (sync->failure == 0 && wait_for_group(sync)) {
		written = sync->written;
		/* What is written from here on waits for the next one. */
		clock_gettime(CLOCK_MONOTONIC, &sync->since);
		pthread_mutex_unlock(&sync->mutex);
		failure = sync_file(sync->descriptor);
		pthread_mutex_lock(&sync->mutex);
		behind = is_behind(sync);
		sync->failure = failure;
		if (failure == 0)
			sync->synced = written;
		if (behind != is_behind(sync) || failure != 0)
			tell(sync);
	}
	pthread_mutex_unlock(&sync->mutex);
	return NULL;
}

/* Signals are for the thread that has the event loop. */
static int
start(struct journal_sync *sync)
{
	sigset_t all, before;
	int failure;

	sigfillset(&all);
	failure = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (failure != 0)
		return failure;
	failure = pthread_create(&sync->thread, NULL, sync_groups, sync);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}

static int
init_condition(struct journal_sync *sync)
{
	pthread_condattr_t attributes;
	int failure = pthread_condattr_init(&attributes);

	if (failure != 0)
		return failure;
	failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (failure == 0)
		failure = pthread_cond_init(&sync->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return failure;
}

/* 0, or the number of the error, and then nothing is left. */
static int
prepare(struct journal_sync *sync)
{
	int failure = pthread_mutex_init(&sync->mutex, NULL);

	if (failure != 0)
		return failure;
	failure = init_condition(sync);
	if (failure != 0)
		goto out;
	sync->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	failure = sync->told == -1 ? errno : 0;
	if (failure == 0 && !sync->each)
		failure = start(sync);
	if (failure == 0)
		return 0;
	if (sync->told != -1)
		close(sync->told);
	pthread_cond_destroy(&sync->changed);
out:
	pthread_mutex_destroy(&sync->mutex);
	return failure;
}

int
journal_sync_open(struct journal_sync **result, int descriptor, bool each,
    struct svc_error *error)
{
	struct journal_sync *sync = calloc(1, sizeof(*sync));
	int failure;

	*result = NULL;
	if (sync == NULL)
		return svc_error_errno(error, "cannot sync");
	sync->descriptor = descriptor;
	sync->each = each;
	failure = prepare(sync);
	if (failure != 0) {
		free(sync);
		errno = failure;
		svc_error_errno(error, "cannot start a thread that syncs");
		if (error != NULL)
			error->code = EX_OSERR;
		return -1;
	}
	*result = sync;
	return 0;
}

int
journal_sync_close(struct journal_sync *sync)
{
	int failure;

	if (sync == NULL)
		return 0;
	if (!sync->each) {
		pthread_mutex_lock(&sync->mutex);
		sync->closing = true;
		pthread_cond_signal(&sync->changed);
		pthread_mutex_unlock(&sync->mutex);
		pthread_join(sync->thread, NULL);
	}
	failure = sync->failure;
	close(sync->told);
	pthread_cond_destroy(&sync->changed);
	pthread_mutex_destroy(&sync->mutex);
	free(sync);
	return failure;
}

int
journal_sync_wrote(struct journal_sync *sync, size_t lines)
{
	uint64_t waited;
	int failure;

	if (sync->each) {
		if (sync->failure == 0)
			sync->failure = sync_file(sync->descriptor);
		return sync->failure;
	}
	pthread_mutex_lock(&sync->mutex);
	waited = sync->written - sync->synced;
	sync->written += lines;
	if (waited == 0)
		clock_gettime(CLOCK_MONOTONIC, &sync->since);
	/* It sleeps until there is a first one, and then until a group is
	 * full. */
	if (waited == 0 ||
	    (waited < GROUP_LINES && waited + lines >= GROUP_LINES))
		pthread_cond_signal(&sync->changed);
	failure = sync->failure;
	pthread_mutex_unlock(&sync->mutex);
	return failure;
}

bool
journal_sync_behind(struct journal_sync *sync)
{
	bool behind;

	pthread_mutex_lock(&sync->mutex);
	behind = is_behind(sync);
	pthread_mutex_unlock(&sync->mutex);
	return behind;
}

int
journal_sync_descriptor(const struct journal_sync *sync)
{
	return sync->told;
}

int
journal_sync_failure(struct journal_sync *sync)
{
	int failure;

	pthread_mutex_lock(&sync->mutex);
	failure = sync->failure;
	pthread_mutex_unlock(&sync->mutex);
	return failure;
}

int
journal_sync_check(struct journal_sync *sync)
{
	uint64_t count;

	/* Nothing to read is as good. */
	while (read(sync->told, &count, sizeof(count)) == -1 && errno == EINTR)
		continue;
	return journal_sync_failure(sync);
}
