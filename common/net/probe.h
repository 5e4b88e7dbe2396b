/*
 * Probes: is somebody there, over HTTP, TCP or a unix socket, and what load
 * does it tell; libevent alone, no libcurl, no TLS.
 */
#ifndef SVCKIT_NET_PROBE_H
#define SVCKIT_NET_PROBE_H

#include <stdbool.h>

#include "line/error.h"
#include "line/instance.h"

struct event_base;
struct probe;
struct resolver;

enum probe_result { PROBE_PASSING, PROBE_WARNING, PROBE_CRITICAL };

/* What an answer may claim of a load; more counts as so much. */
#define PROBE_UTILIZATION_MAX 1000.0
#define PROBE_COUNT_MAX	      1e6

struct probe_answer {
	enum probe_result result;
	const char *reason; /* "" or one clause, no byte of the peer's in it */
	int failure; /* errno of the connection; ETIMEDOUT; 0 */
	bool ours; /* descriptors or memory ran out here: nothing of the peer */
	int status; /* HTTP, of an answer that counts; 0: there was none */
	/* From the body; negative: unsaid. */
	double busy; /* requests it works on */
	double slots; /* how many it can */
	double utilization; /* said, else busy / slots */
	double ms; /* from the start of the probe */
};

/* answer is valid during the call. */
typedef void (*probe_done_fn)(
    void *argument, const struct probe_answer *answer);

/*
 * Probes address once, within timeout seconds in all, the look-up of its name
 * included (net/resolver.h).  Every address of a name is tried.  Without path
 * (NULL) a connection is enough.  With it, GET path: 2xx is passing, 429
 * warning, all else critical, redirects too.  A JSON body may say "busy",
 * "slots" and "utilization", and a "status" that makes the result worse, never
 * better: passing ok pass up, warning warn, critical fail error down, in any
 * case of letters (draft-inadarei-api-health-check-06, section 3.1).
 *
 * An answer that has not come whole within the timeout, ends early or is no
 * HTTP is critical.  Of one over 64 KiB (http_answer.h) the status alone
 * counts, and no more is read: that and the timeout is all that a peer can
 * cost.
 *
 * done is called once, not from within.  EX_USAGE: the path cannot stand in a
 * request; EX_UNAVAILABLE: a path, and the address wants TLS.
 */
int probe_start(struct probe **probe, struct event_base *base,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error);

/*
 * The same on the loop of a resolver that many probes share; the probe must end
 * before it does.
 */
int probe_start_shared(struct probe **probe, struct resolver *resolver,
    const struct address *address, const char *path, double timeout,
    probe_done_fn done, void *argument, struct svc_error *error);

/* Ends it without a call of done; after done the probe frees itself. */
void probe_cancel(struct probe *probe);

#endif
