/*
 * One instance as its prober sees it: what is to be asked, and what was found.
 */
#ifndef SVCKIT_NET_PROBED_INSTANCE_H
#define SVCKIT_NET_PROBED_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "line/error.h"
#include "line/instance.h"
#include "net/probe_queue.h"
#include "net/verdict.h"
#include "registry/health.h"

struct probed_service;

enum probed_kind {
	PROBED_NOT, /* it has no check */
	PROBED_MALFORMED, /* a warning, and no probe */
	PROBED
};

struct probed_instance {
	struct probe_job job; /* its texts are in memory */
	struct probed_service *service;
	char *id;
	char *memory;
	enum probed_kind kind;
	double interval; /* seconds; below: as in struct check */
	struct verdict_rule rule;
	double slots; /* 0: not said */
	double ttl; /* seconds; 0: its lease is none, or a lock */
	bool expired;
	bool draining;
	/* found */
	struct verdict verdict;
	char *reason; /* or NULL */
	double utilization; /* means; negative: not measured */
	double latency_ms;
	int64_t checked; /* ms since 1970; 0: never */
	double
	    turned; /* monotonic: when it last turned critical; or negative */
	double lapsed; /* monotonic: when its ttl ran out; or negative */
	double told_utilization; /* as they stand in the file */
	double told_latency;
	bool spread; /* after this result it takes a phase of its own */
	bool awaited; /* a single pass: its result is still to come */
};

/* NULL without memory. */
struct probed_instance *probed_instance_new(
    struct probed_service *service, const char *id);
void probed_instance_free(struct probed_instance *probed);

/*
 * Takes in how the instance is now; default_interval is of a check that does
 * not say.  1: it is to be asked something else, and what was found is
 * forgotten; 0: the same as before; -1: no memory.
 */
int probed_instance_read(struct probed_instance *probed,
    const struct instance *instance, double default_interval,
    struct svc_error *error);

/* Whether a probe of it makes sense now. */
bool probed_instance_due(const struct probed_instance *probed);

/* Goes on from what stood in the health file; fresh: it is still believed. */
int probed_instance_resume(
    struct probed_instance *probed, const struct health_line *line, bool fresh);

enum probed_change {
	PROBED_SAME, /* nothing that must be told */
	PROBED_TOLD, /* the file has something else */
	PROBED_STATUS, /* the same, and the status is another one */
	PROBED_NO_MEMORY
};

/*
 * Takes a result, of a probe or, answer NULL, why there could be none; now in
 * ms since 1970, clock on the monotonic one.
 */
enum probed_change probed_instance_take(struct probed_instance *probed,
    const struct probe_answer *answer, const struct svc_error *error,
    int64_t now, double clock);

/* Its line for the health file, which points into probed; false: none yet. */
bool probed_instance_line(
    const struct probed_instance *probed, struct health_line *line);

/* It was written: what is told from here on is compared to this. */
void probed_instance_told(struct probed_instance *probed);

#endif
