#include "net/watcher.h"

#include <event2/event.h>

#include <stdlib.h>
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
	bool paused;
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
	struct watcher *watcher = argument;

	(void)descriptor;
	(void)what;
	if (watcher->paused)
		after(watcher->retry, RETRY_INTERVAL);
	else
		look(watcher);
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
	watcher_pause(watcher, false);
	return result;
}

void
watcher_pause(struct watcher *watcher, bool pause)
{
	watcher->paused = pause;
	if (pause)
		(void)event_del(watcher->readable);
	else if (!watcher->failing)
		(void)event_add(watcher->readable, NULL);
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
