/*
 * How busy slots are over a time: the mean of those that are taken, weighted
 * with how long.  Times are the monotonic clock's, in seconds.
 */
#ifndef SVCKIT_NET_WORKER_LOAD_H
#define SVCKIT_NET_WORKER_LOAD_H

struct worker_load {
	int busy;
	double since; /* when busy was set */
	double began; /* when the mean was taken last */
	double seconds; /* that slots were busy from then until since */
};

/* Nothing is busy, from now on. */
void worker_load_init(struct worker_load *load, double now);

/* So many are busy from now on. */
void worker_load_set(struct worker_load *load, int busy, double now);

/*
 * The part of slots that was busy since it was asked before: from 0, and to 1
 * where no more than slots are ever busy.  Negative: no time has passed.
 */
double worker_load_take(struct worker_load *load, int slots, double now);

#endif
