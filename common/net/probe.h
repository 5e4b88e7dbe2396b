/*
 * Probes: is somebody there, over HTTP, TCP or a unix socket, and what load
 * does it tell; libevent alone, no libcurl, no TLS.
 */
#ifndef SVCKIT_NET_PROBE_H
#define SVCKIT_NET_PROBE_H

#include "line/error.h"
#include "line/instance.h"

struct event_base;
struct probe;

enum probe_result { PROBE_PASSING, PROBE_WARNING, PROBE_CRITICAL };

struct probe_answer {
	enum probe_result result;
	const char *reason; /* "" or one clause, no byte of the peer's in it */
	int failure; /* errno of the connection; ETIMEDOUT; 0 */
	int status; /* HTTP; 0: none came, or none was asked for */
	double busy; /* requests it works on, from the body; negative: unsaid */
	double utilization; /* the same */
	double ms; /* from the start of the probe */
};

/* answer is valid during the call. */
typedef void (*probe_done_fn)(
    void *argument, const struct probe_answer *answer);

/*
 * Probes address once, within timeout seconds in all: with path (not NULL) GET
 * path, 2xx passing, 429 warning, else critical; without, a connection is
 * enough.  Every address of a name is tried; the name is looked up at once,
 * which may block.  An answer's body may say "busy" and "utilization" as JSON.
 *
 * done is called once, not from within.  EX_USAGE: the path cannot stand in a
 * request; EX_UNAVAILABLE: a path, and the address wants TLS.
 */
int probe_start(struct probe **probe, struct event_base *base,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error);

/* Ends it without a call of done; after done the probe frees itself. */
void probe_cancel(struct probe *probe);

#endif
