#include "net/watcher.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "registry/view.h"

/* After the registry could not be read, in seconds. */
#define RETRY_INTERVAL 1.0

struct watcher {
	struct watcher_options options;
	struct view *view;
	struct prober *prober;
	struct event *readable; /* the view's */
	struct event *retry;
	struct event *reap;
	bool failing; /* the registry cannot be read, and that was said */
	bool stopped;
	bool held;
	struct instance_list told; /* while it is held: what was told last */
	const char *missed; /* why there will be a resync then, or NULL */
};

static void
after(struct event *event, double seconds)
{
	struct timeval time = duration_timeval(seconds);

	(void)event_add(event, &time);
}

static void
on_resync(void *argument, const char *reason)
{
	struct watcher *watcher = argument;

	if (watcher->held)
		watcher->missed = reason;
	else
		stream_resync(watcher->options.stream, reason);
}

static void
on_jumped(void *argument, double seconds)
{
	struct watcher *watcher = argument;

	if (watcher->prober != NULL)
		prober_jumped(watcher->prober, seconds);
}

/* Those who follow instances, told or not. */
static void
feed(struct watcher *watcher, const struct instance *before,
    const struct instance *after)
{
	if (watcher->prober != NULL)
		prober_update(watcher->prober, before, after);
	if (watcher->options.reaper != NULL)
		reaper_sight(watcher->options.reaper, before, after);
}

static void
on_changed(
    void *argument, const struct instance *before, const struct instance *after)
{
	struct watcher *watcher = argument;

	if (!watcher->held)
		stream_changed(watcher->options.stream, before, after);
	feed(watcher, before, after);
}

/* The reaper's next round, if there is one to come. */
static void
schedule_reaper(struct watcher *watcher)
{
	double due;

	if (watcher->options.reaper == NULL)
		return;
	due = reaper_due(watcher->options.reaper);
	if (due < 0)
		(void)event_del(watcher->reap);
	else
		after(watcher->reap, due);
}

static void
look(struct watcher *watcher)
{
	struct view_listener listener = {.resync = on_resync,
	    .jumped = on_jumped,
	    .changed = on_changed,
	    .argument = watcher};
	struct svc_error error;

	if (watcher->stopped)
		return;
	if (view_update(watcher->view, &listener, &error) == -1) {
		if (!watcher->failing)
			watcher->options.failed(
			    watcher->options.argument, &error);
		watcher->failing = true;
		(void)event_del(watcher->readable);
		after(watcher->retry, RETRY_INTERVAL);
	} else if (watcher->failing) {
		watcher->failing = false;
		(void)event_add(watcher->readable, NULL);
	}
	if (!watcher->held)
		stream_settle(watcher->options.stream, watcher->view);
	schedule_reaper(watcher);
	watcher->options.looked(watcher->options.argument);
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	look(argument);
}

static void
on_retry(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	look(argument);
}

static void
on_reap(evutil_socket_t descriptor, short what, void *argument)
{
	struct watcher *watcher = argument;
	const struct watcher_options *options = &watcher->options;

	(void)descriptor;
	(void)what;
	(void)reaper_run(options->reaper, options->dry_run, options->removed,
	    options->kept, options->argument);
	schedule_reaper(watcher);
}

static int
open_events(struct watcher *watcher)
{
	struct event_base *base = watcher->options.base;

	watcher->readable = event_new(base, view_descriptor(watcher->view),
	    EV_READ | EV_PERSIST, on_readable, watcher);
	watcher->retry = evtimer_new(base, on_retry, watcher);
	watcher->reap = evtimer_new(base, on_reap, watcher);
	return watcher->readable == NULL || watcher->retry == NULL ||
		       watcher->reap == NULL
		   ? -1
		   : 0;
}

int
watcher_open(struct watcher **watcher, const struct watcher_options *options,
    struct svc_error *error)
{
	struct view_options view = {.registry = options->registry,
	    .services = options->services,
	    .service_count = options->service_count};
	struct watcher *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "watcher");
	made->options = *options;
	if (view_open(&made->view, &view, error) == -1 ||
	    view_update(made->view, NULL, error) == -1)
		goto out;
	if (options->prober != NULL &&
	    prober_open(&made->prober, options->prober, error) == -1)
		goto out;
	if (open_events(made) == -1) {
		(void)svc_error_set(error, EX_OSERR, "watcher: no event");
		goto out;
	}
	*watcher = made;
	return 0;
out:
	watcher_close(made);
	return -1;
}

void
watcher_close(struct watcher *watcher)
{
	if (watcher == NULL)
		return;
	if (watcher->readable != NULL)
		event_free(watcher->readable);
	if (watcher->retry != NULL)
		event_free(watcher->retry);
	if (watcher->reap != NULL)
		event_free(watcher->reap);
	prober_close(watcher->prober);
	view_close(watcher->view);
	instance_list_release(&watcher->told);
	free(watcher);
}

int
watcher_begin(struct watcher *watcher, const struct instance_list *told,
    struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t i;
	int result = 0;

	if (view_list(watcher->view, &list, error) == -1)
		return -1;
	if (told != NULL)
		stream_catch_up(watcher->options.stream, told, &list);
	else
		result = stream_sync(watcher->options.stream, &list, error);
	for (i = 0; i < list.count; i++)
		feed(watcher, NULL, &list.items[i]);
	free(list.items);
	schedule_reaper(watcher);
	(void)event_add(watcher->readable, NULL);
	return result;
}

void
watcher_stop(struct watcher *watcher)
{
	watcher->stopped = true;
	(void)event_del(watcher->readable);
	(void)event_del(watcher->retry);
}

/* Copies the view, whose instances live no longer than to its next update. */
static int
keep_told(struct watcher *watcher, struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct buffer line = BUFFER_INIT;
	struct instance *copy;
	int result = 0;
	size_t i;

	if (view_list(watcher->view, &list, error) == -1)
		return -1;
	for (i = 0; i < list.count && result == 0; i++) {
		buffer_clear(&line);
		instance_print(&list.items[i], &line);
		copy = instance_list_add(&watcher->told);
		if (copy == NULL || buffer_failed(&line)) {
			result =
			    svc_error_set(error, EX_OSERR, "out of memory");
		} else if (instance_parse(
			       copy, line.data, line.length, error) == -1) {
			watcher->told.count--;
			result = -1;
		}
	}
	buffer_release(&line);
	free(list.items);
	return result;
}

static int
tell_kept(struct watcher *watcher, struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct stream *stream = watcher->options.stream;

	if (view_list(watcher->view, &list, error) == -1)
		return -1;
	if (watcher->missed != NULL)
		stream_resync(stream, watcher->missed);
	watcher->missed = NULL;
	stream_catch_up(stream, &watcher->told, &list);
	free(list.items);
	instance_list_release(&watcher->told);
	return 0;
}

int
watcher_hold(struct watcher *watcher, bool hold, struct svc_error *error)
{
	int result;

	if (hold == watcher->held)
		return 0;
	result = hold ? keep_told(watcher, error) : tell_kept(watcher, error);
	if (result == 0)
		watcher->held = hold;
	return result;
}

int
watcher_told(const struct watcher *watcher, struct instance_list *list,
    struct svc_error *error)
{
	size_t size = watcher->told.count * sizeof(*list->items);

	if (!watcher->held)
		return view_list(watcher->view, list, error);
	free(list->items);
	list->count = watcher->told.count;
	list->items = malloc(size + 1);
	if (list->items == NULL)
		return svc_error_errno(error, "watcher");
	if (size > 0)
		memcpy(list->items, watcher->told.items, size);
	return 0;
}

int
watcher_list(const struct watcher *watcher, struct instance_list *list,
    struct svc_error *error)
{
	return view_list(watcher->view, list, error);
}

const struct prober *
watcher_prober(const struct watcher *watcher)
{
	return watcher->prober;
}
