/*
 * A registry that is followed on an event loop: the view that is kept level,
 * the stream of events that it makes, the prober and the reaper that it feeds.
 *
 *	watcher_open(&watcher, &options, &error);	lists everything
 *	watcher_begin(watcher, NULL, &error);		tells the sync
 *	event_base_dispatch(base);			tells events
 *	watcher_close(watcher);
 */
#ifndef SVCKIT_NET_WATCHER_H
#define SVCKIT_NET_WATCHER_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "net/prober.h"
#include "registry/list.h"
#include "registry/reaper.h"
#include "registry/stream.h"

struct event_base;
struct watcher;

struct watcher_options {
	struct event_base *base;
	struct registry *registry; /* must outlive the watcher */
	const char *const *services; /* sorted names */
	size_t service_count; /* 0: all */
	struct stream *stream; /* what tells; borrowed */
	const struct prober_options *prober; /* NULL: nothing is probed */
	struct reaper *reaper; /* NULL: nothing is removed; borrowed */
	bool dry_run; /* the reaper only says what it would remove */
	/* After each look at the registry, when all has been told. */
	void (*looked)(void *argument);
	/* The registry cannot be read, and is tried again; said once. */
	void (*failed)(void *argument, const struct svc_error *error);
	/* What the reaper did, or could not do. */
	void (*removed)(void *argument, const char *service, const char *id);
	void (*kept)(void *argument, const struct svc_error *error);
	void *argument;
};

/* Lists the registry; tells nothing yet. */
int watcher_open(struct watcher **watcher,
    const struct watcher_options *options, struct svc_error *error);
/* Ends the probes, too.  NULL is allowed. */
void watcher_close(struct watcher *watcher);

/* Tells the state, or how it differs from told (not NULL), and goes on. */
int watcher_begin(struct watcher *watcher, const struct instance_list *told,
    struct svc_error *error);

/* Looks at the registry no more; what is known is probed until the close. */
void watcher_stop(struct watcher *watcher);

/*
 * While it is held the stream tells nothing: for a reader that does not read.
 * The registry is followed, and probed and reaped, as ever; let go, it tells
 * how things are different by then.  0, -1.
 */
int watcher_hold(struct watcher *watcher, bool hold, struct svc_error *error);

/* The instances as the stream told of them last; see view_list(). */
int watcher_told(const struct watcher *watcher, struct instance_list *list,
    struct svc_error *error);

/* The instances as they were last looked at; see view_list(). */
int watcher_list(const struct watcher *watcher, struct instance_list *list,
    struct svc_error *error);

const struct prober *watcher_prober(const struct watcher *watcher);

#endif
