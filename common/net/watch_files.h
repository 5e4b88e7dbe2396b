/*
 * The files that a watch keeps: the state that was told last, and the metrics.
 *
 * Each is replaced as a whole.  The state is written within a second of what
 * was told, once that has been read; the metrics every WATCH_METRICS_SECONDS.
 */
#ifndef SVCKIT_NET_WATCH_FILES_H
#define SVCKIT_NET_WATCH_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "net/prober.h"
#include "registry/list.h"
#include "registry/reaper.h"
#include "registry/stream.h"

#define WATCH_METRICS_SECONDS 15.0

struct event_base;
struct watch_files;

struct watch_files_options {
	struct event_base *base;
	const char *state; /* paths, borrowed; NULL: not kept */
	const char *metrics;
	/* Those that the metrics have also without instances; sorted. */
	const char *const *services;
	size_t service_count;
	struct stream *stream; /* says what was told of */
	struct reaper *reaper; /* whose sightings belong to the state; or NULL
				*/
	/*
	 * Fills list with all instances as they are (the array is freed, what
	 * it points to stays the callee's), and returns the prober or NULL.
	 * Called by the timers only.
	 */
	const struct prober *(*collect)(
	    void *argument, struct instance_list *list);
	/* Whether all that was told has been read; NULL: it has. */
	bool (*settled)(void *argument);
	void (*failed)(void *argument, const struct svc_error *error);
	void *argument;
};

/* Fails at once where a path cannot be written: EX_CANTCREAT, EX_NOPERM. */
int watch_files_open(struct watch_files **files,
    const struct watch_files_options *options, struct svc_error *error);
/* NULL is allowed. */
void watch_files_close(struct watch_files *files);

/* The state of the last run, as state_read(): 1; 0: there is none; -1. */
int watch_files_read(struct watch_files *files, struct instance_list *told,
    struct svc_error *error);

/* Starts the timers. */
void watch_files_start(struct watch_files *files);
/* Something was told. */
void watch_files_stir(struct watch_files *files);

/* Writes each at once. */
void watch_files_write_state(
    struct watch_files *files, const struct instance_list *list);
void watch_files_write_metrics(struct watch_files *files,
    const struct instance_list *list, const struct prober *prober);

#endif
