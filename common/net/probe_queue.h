/*
 * The probes that are due: at most so many at a time, whoever waits longest
 * first.
 *
 * A probe costs at most its timeout, and those that hang delay nobody but each
 * other: who used more than half of it waits in a line of its own, who was
 * never asked in a second one.  While anybody is known to be prompt, a quarter
 * of the places is for these alone, and the others are taken in turn.
 */
#ifndef SVCKIT_NET_PROBE_QUEUE_H
#define SVCKIT_NET_PROBE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "net/probe.h"

struct event_base;
struct probe_queue;

enum probe_pace {
	PROBE_UNTRIED,
	PROBE_PROMPT, /* its last probe took at most half of its timeout */
	PROBE_SLOW,
	PROBE_PACES
};

/* What is to be probed; the caller's, and still until it is removed. */
struct probe_job {
	const char *url; /* a whole address */
	const char *path; /* NULL: a connection is enough */
	double timeout; /* seconds */
	/* private */
	enum probe_pace pace; /* whose line it stands in */
	double due; /* on the monotonic clock */
	size_t place; /* in that line, counted from 1; 0: it is not there */
	struct probe *probe; /* while it runs */
	struct probe_queue *queue;
};

struct probe_queue_options {
	struct event_base *base;
	int jobs; /* at most so many at a time */
	/*
	 * One has ended; it is not queued any more.  answer NULL: it could not
	 * even be started, and error says why (EX_OSERR: nothing of the
	 * peer's).
	 */
	void (*done)(void *argument, struct probe_job *job,
	    const struct probe_answer *answer, const struct svc_error *error);
	void *argument;
};

int probe_queue_open(struct probe_queue **queue,
    const struct probe_queue_options *options, struct svc_error *error);
/* All jobs must have been removed.  NULL is allowed. */
void probe_queue_close(struct probe_queue *queue);

/* Queues job (zeroed before the first time), due in wait seconds, or moves it;
 * a probe that runs is left alone.  -1: no memory. */
int probe_queue_add(
    struct probe_queue *queue, struct probe_job *job, double wait);
/* Takes job out and ends its probe, without a call of done. */
void probe_queue_remove(struct probe_queue *queue, struct probe_job *job);
bool probe_queue_has(const struct probe_job *job);

/* Seconds that probes wait for their turn, in the line where it is longest. */
double probe_queue_lag(const struct probe_queue *queue);

#endif
