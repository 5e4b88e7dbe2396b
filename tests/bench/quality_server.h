/*
 * An instance as bench-quality simulates it: one slot, and a line of tasks in
 * front of it, served in the order in which they came.  As nothing is taken
 * back, a task's end is known when it comes.
 */
#ifndef SVCKIT_TESTS_QUALITY_SERVER_H
#define SVCKIT_TESTS_QUALITY_SERVER_H

#include <math.h>
#include <stdint.h>

#include "quality.h"

#define EPOCH INT64_C(1800000000000) /* when runs start, ms since 1970 */

struct server {
	double speed;
	double free_at;
	double *ends; /* of what is busy or queued: a queue from first on */
	size_t first;
	size_t count;
	size_t capacity;
	double phase; /* when it reports first */
	double reported; /* when it did last */
};

static inline void
server_push(struct server *server, double end)
{
	if (server->first + server->count == server->capacity) {
		if (server->first > server->capacity / 2) {
			memmove(server->ends, server->ends + server->first,
			    server->count * sizeof(double));
			server->first = 0;
		} else {
			server->capacity = 2 * server->capacity + 64;
			server->ends = reallocarray(
			    server->ends, server->capacity, sizeof(double));
			if (server->ends == NULL)
				err(EX_OSERR, NULL);
		}
	}
	server->ends[server->first + server->count++] = end;
}

/* Takes away what has ended by then: those are in the order of their ends. */
static inline void
server_advance(struct server *server, double then)
{
	while (server->count > 0 && server->ends[server->first] <= then) {
		server->first++;
		server->count--;
	}
}

/* The latest report that was due; whether it is another than the last. */
static inline bool
server_report(
    struct server *server, struct instance *instance, double age, double now)
{
	double due = now;

	if (age > 0) {
		if (now < server->phase)
			return false;
		due = server->phase + floor((now - server->phase) / age) * age;
		if (due <= server->reported)
			return false;
	}
	server->reported = due;
	server_advance(server, due);
	instance->utilization = (double)server->count;
	instance->reported = EPOCH + (int64_t)(due * 1000);
	return true;
}

/* Takes a task of so many seconds at speed 1; returns how long it waits. */
static inline double
server_take(struct server *server, double duration, double now)
{
	double start = fmax(now, server->free_at);

	server_advance(server, now);
	server->free_at = start + duration / server->speed;
	server_push(server, server->free_at);
	return start - now;
}

#endif
