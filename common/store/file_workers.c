#include "store/file_workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define WORKERS_MAX   8 /* with the caller; more gain nothing on a disk */
#define WORKERS_SHARE 4 /* for less, a thread costs more than it saves */

struct job {
	size_t count;
	void (*work)(void *argument, size_t i);
	void *argument;
	atomic_size_t next;
};

static void *
take_part(void *argument)
{
	struct job *job = argument;
	size_t i;

	while ((i = atomic_fetch_add(&job->next, 1)) < job->count)
		job->work(job->argument, i);
	return NULL;
}

/* Signals are for the threads that the program knows of. */
static size_t
start(pthread_t *threads, size_t wanted, struct job *job)
{
	sigset_t all, before;
	size_t started = 0;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return 0;
	while (started < wanted &&
	       pthread_create(&threads[started], NULL, take_part, job) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void
file_workers_run(
    size_t count, void (*work)(void *argument, size_t i), void *argument)
{
	struct job job = {.count = count, .work = work, .argument = argument};
	size_t workers = count / WORKERS_SHARE;
	pthread_t threads[WORKERS_MAX - 1];
	size_t started = 0;

	if (workers > WORKERS_MAX)
		workers = WORKERS_MAX;
	if (workers > 1)
		started = start(threads, workers - 1, &job);
	take_part(&job);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
