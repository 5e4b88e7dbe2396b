/*
 * The stream of svc-watch: what a view sees, told as events, and kept count of.
 *
 * A view tells of everything; the stream leaves out what the selector does not
 * match and what is no event, begins with a sync or with the differences to a
 * state that was told before, and watches over what concerns a whole service
 * (panic).
 *
 *	stream_open(&stream, &options, &error);
 *	view_update(view, NULL, &error);
 *	stream_sync(stream, &list, &error);	or stream_catch_up()
 *	...
 *	view_update(view, &listener, &error);	listener calls stream_changed()
 *	stream_settle(stream, view);
 */
#ifndef SVCKIT_REGISTRY_STREAM_H
#define SVCKIT_REGISTRY_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/selector.h"
#include "registry/event.h"
#include "registry/list.h"
#include "registry/view.h"

struct stream;

struct stream_options {
	const struct selector *selector; /* NULL: any; borrowed */
	const char *const *services; /* sorted names, borrowed */
	size_t service_count; /* 0: all */
	bool all; /* heartbeats and loads, too */
	/*
	 * One event and its line of JSON, without LF; more: the next one
	 * continues it.  Must not call the stream.
	 */
	void (*tell)(void *argument, const struct event *event,
	    const struct buffer *line, bool more);
	void *argument;
};

struct stream_counts {
	unsigned long events; /* told */
	unsigned long resyncs; /* of them */
	double lag; /* seconds from the last write to its event; negative: none
		     */
	double lag_max; /* the greatest since stream_forget_lag() */
};

int stream_open(struct stream **stream, const struct stream_options *options,
    struct svc_error *error);
/* NULL is allowed. */
void stream_close(struct stream *stream);

/*
 * Begins: tells the whole state, which is instances (all that there are,
 * sorted by service and id); or how it differs from told (sorted, too), which
 * an earlier stream told, perhaps with another selector and other services:
 * what only that one was about is not gone, and nothing is told of it.
 */
int stream_sync(struct stream *stream, const struct instance_list *instances,
    struct svc_error *error);
void stream_catch_up(struct stream *stream, const struct instance_list *told,
    const struct instance_list *instances);

/* What a listener of the view is told. */
void stream_resync(struct stream *stream, const char *reason);
void stream_changed(struct stream *stream, const struct instance *before,
    const struct instance *after);

/* After view_update(): tells of services that came into panic, or are calm. */
void stream_settle(struct stream *stream, const struct view *view);

/* An event that comes from elsewhere: a handler that failed. */
void stream_say(
    struct stream *stream, enum event_kind kind, const char *reason);

/*
 * Leaves in list only what the selector matches.  The list's items must be
 * shared ones, as view_list() makes them.
 */
void stream_narrow(const struct stream *stream, struct instance_list *list);

/* Whether memory ran out, and something could not be told. */
bool stream_failed(const struct stream *stream);

struct stream_counts stream_counts(const struct stream *stream);
void stream_forget_lag(struct stream *stream);
/* How many expiries of service were told. */
unsigned long stream_expiries(const struct stream *stream, const char *service);

#endif
