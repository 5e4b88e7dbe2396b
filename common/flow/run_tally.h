/*
 * How far a run is, service by service, as its events tell it.
 *
 *	taken = waiting + running + done
 *
 * as long as no task has two requests at once (--hedge).  What no service has
 * to do with (lines that came finished, or that cannot be read; commands) is in
 * the total alone.  Memory is that of the services.
 */
#ifndef SVCKIT_FLOW_RUN_TALLY_H
#define SVCKIT_FLOW_RUN_TALLY_H

#include <stddef.h>

#include "flow/run_event.h"
#include "line/error.h"

struct run_tally;

struct run_tally_count {
	size_t taken; /* tasks */
	size_t done; /* that have ended, in whatever way */
	size_t failed; /* of those: neither skipped nor cancelled */
	size_t skipped;
	size_t cancelled;
	size_t restored; /* an earlier run did them */
	size_t running; /* requests, or commands */
	size_t waiting; /* tasks that have not ended, and do not run */
};

/* EX_OSERR. */
int run_tally_open(struct run_tally **tally, struct svc_error *error);
/* NULL is allowed. */
void run_tally_close(struct run_tally *tally);

/*
 * Counts an event.  -1: no memory (EX_OSERR) for a service that came first
 * with it: it is in the total alone.
 */
int run_tally_add(struct run_tally *tally, const struct run_event *event,
    struct svc_error *error);

void run_tally_total(
    const struct run_tally *tally, struct run_tally_count *count);

/* How many services there are; the i-th in order of their names. */
size_t run_tally_services(const struct run_tally *tally);
/* Fills count; returns the name, which lives as long as the tally. */
const char *run_tally_service(
    const struct run_tally *tally, size_t i, struct run_tally_count *count);

#endif
