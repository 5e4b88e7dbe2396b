/*
 * The registry in memory, kept level with the store: what svc-watch tells of,
 * and what waits for the registry waits on.
 *
 * Level-triggered: the store's watch says where to look, a listing says what is
 * true, and the listener is told the difference to what it was told before.
 * Looked at again are the record, the marker or the health that changed; a
 * whole service where much did; everything where the store says that changes
 * may have been missed, and each VIEW_RESCAN seconds.  A lock that something
 * was told of is looked at again 1, 10 and 100 ms later; leases and health that
 * end are told at their time, after another look, by a timer on the wall clock
 * that also wakes when somebody sets that clock.
 *
 * It has one descriptor for any event loop (inotify and the timer behind one
 * epoll(7)), and no thread:
 *
 *	if (view_open(&view, &options, &error) == -1 ||
 *	    view_update(view, NULL, &error) == -1)	the first listing
 *		...
 *	while (poll(view_descriptor(view), ...)) {
 *		if (view_update(view, &listener, &error) == -1)
 *			...
 *	}
 *	view_close(view);
 */
#ifndef SVCKIT_REGISTRY_VIEW_H
#define SVCKIT_REGISTRY_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/instance.h"
#include "registry/registry.h"

#define VIEW_RESCAN 60.0 /* seconds */

struct view;

struct view_options {
	struct registry *registry; /* must outlive the view */
	const char *const *services; /* sorted names, copied */
	size_t service_count; /* 0: all there are, and those that come */
	double rescan; /* seconds; 0: VIEW_RESCAN.  Where other hosts write
			  too (store_is_local()), all is listed each second */
};

/* Any may be NULL.  None may call view_update(). */
struct view_listener {
	/*
	 * Something may have come and gone unseen; the differences that are
	 * left follow.  reason: "events were lost", "a directory vanished",
	 * "a listing found what no event told of", "the registry could not be
	 * read", "the registry is another one".
	 */
	void (*resync)(void *argument, const char *reason);
	/*
	 * The wall clock was set, or the machine slept: the seconds by which
	 * it went ahead of the monotonic one (negative: back).
	 */
	void (*jumped)(void *argument, double seconds);
	/*
	 * One instance; before NULL: it was not there, after NULL: it is gone.
	 * Also for what registry/event.h calls no event: a heartbeat, a load.
	 * Both live until the call returns.
	 */
	void (*changed)(void *argument, const struct instance *before,
	    const struct instance *after);
	void *argument;
};

/* Nothing is listed yet: call view_update() at once. */
int view_open(struct view **view, const struct view_options *options,
    struct svc_error *error);
/* NULL is allowed. */
void view_close(struct view *view);

/* Readable when view_update() has something to do. */
int view_descriptor(const struct view *view);

/*
 * Looks again at what may have changed, and tells listener (NULL: nobody).
 * Does not block, but for reading the store.  -1: the store cannot be read or
 * watched, or nothing stands in its place any more (EX_NOINPUT: it was removed
 * or moved away).  What is in memory stays, the descriptor is readable again a
 * second later, and the next call tries everything anew: with what it was
 * opened with, or with another registry that stands there by then.
 */
int view_update(struct view *view, const struct view_listener *listener,
    struct svc_error *error);

/* The next view_update() lists everything, as it does when events were lost. */
void view_distrust(struct view *view);

/*
 * What is in memory, sorted by service and id; each until the next
 * view_update().  Ages are those of the time it was looked at; heartbeat tells
 * the present one.
 */
size_t view_service_count(const struct view *view);
const char *view_service(const struct view *view, size_t index);
/* The instances of a service; NULL and 0 where it has none. */
const struct instance *view_instances(
    const struct view *view, const char *service, size_t *count);
/* One of them, or NULL. */
const struct instance *view_find(
    const struct view *view, const char *service, const char *id);
/*
 * All of them in one array: list is emptied and filled with copies that share
 * what they point to; free list->items alone, never instance_list_release().
 */
int view_list(const struct view *view, struct instance_list *list,
    struct svc_error *error);
/*
 * The same, but they are list's from here on (instance_list_release()); the
 * view has none until the next view_update().
 */
int view_take(
    struct view *view, struct instance_list *list, struct svc_error *error);

#endif
