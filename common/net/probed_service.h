/*
 * One service as its prober sees it: its instances, the lock and the contents
 * of its health file, and its panic.
 *
 * Everything that takes time or writes happens in its timer, so that what many
 * results change is counted and written once.
 */
#ifndef SVCKIT_NET_PROBED_SERVICE_H
#define SVCKIT_NET_PROBED_SERVICE_H

#include <stdbool.h>

#include "line/error.h"
#include "line/instance.h"
#include "net/panic.h"
#include "net/probe_queue.h"
#include "net/probed_instance.h"
#include "net/prober.h"

struct health_book;

/* What all services of a prober share. */
struct probed_common {
	struct prober_options options;
	struct probe_queue *queue;
	/* A single pass: a service may have nothing more to wait for. */
	void (*progress)(void *argument);
	void *argument;
	bool starved; /* that we lack descriptors or memory was said */
};

struct probed_service {
	struct probed_common *common; /* must outlive it */
	char *name;
	struct probed_instance **instances; /* sorted by id */
	size_t count;
	size_t capacity;
	size_t wanting; /* of them: with a check */
	struct event *timer;
	struct health_book *book;
	struct health scratch; /* its lines are written; kept for its memory */
	bool started; /* the timer has run */
	bool dirty; /* the file says something else */
	bool empty; /* nothing is written under the lock yet */
	bool complained; /* and nothing was written since */
	bool refused; /* the last claim, or write */
	bool review; /* the panic is to be looked at */
	size_t awaited; /* a single pass: results still to come */
	/* on the monotonic clock */
	double claimed;
	double retry; /* no claim, and no write that failed, before this */
	double written;
	double touched;
	double doubt; /* until then expiries are mistrusted */
	double jumped; /* when the clock did; negative: never */
	double calm; /* a panic of expiry ends */
	struct panic panic;
	int64_t panic_since; /* ms since 1970 */
	struct prober_counts counts;
	double seconds; /* sum of durations */
	unsigned long answers;
};

int probed_service_open(struct probed_service **service,
    struct probed_common *common, const char *name, struct svc_error *error);
/* Writes what is not written yet, and lets go of the file. */
void probed_service_close(struct probed_service *service);

/* An instance is so now; before, if not NULL, is what it was told last. */
int probed_service_update(struct probed_service *service,
    const struct instance *before, const struct instance *after,
    struct svc_error *error);
/* It is gone. */
void probed_service_remove(struct probed_service *service, const char *id);
/* NULL: it was never told of, or is gone. */
struct probed_instance *probed_service_find(
    const struct probed_service *service, const char *id);

/* Something happened to the health file. */
void probed_service_look(struct probed_service *service);
void probed_service_jumped(struct probed_service *service);

/* What probe_queue tells. */
void probed_service_done(void *argument, struct probe_job *job,
    const struct probe_answer *answer, const struct svc_error *error);

/* Between this and net/probed_file.h: the file is ours, asks all; it is not any
 * more; a line for the user, unless one was told since the last write. */
void probed_service_start(struct probed_service *service);
void probed_service_lost(struct probed_service *service);
void probed_service_tell(struct probed_service *service, const char *message);

/* Whether a single pass must still wait for it. */
bool probed_service_busy(const struct probed_service *service);
/* Writes what is not written yet, if the file is ours. */
void probed_service_flush(struct probed_service *service);

#endif
