#include "registry/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/handle.h"
#include "registry/view_clock.h"
#include "registry/view_compare.h"
#include "registry/view_roster.h"

/* After an error, and where the kernel tells nothing since others write from
 * other machines. */
#define RETRY_SECONDS 1.0
/* A rescan goes on for so long at a time, and rests as long: who waits for us
 * shall not wait for all of it. */
#define RESCAN_SLICE 0.020
/* An event that is on its way arrives within this time. */
#define SUSPECT_SECONDS 0.1

/* Why changes may have been missed, beside what view_roster_note() says. */
static const char lost_distrust[] = "events were lost";
static const char lost_untold[] = "a listing found what no event told of";
static const char lost_access[] = "the registry could not be read";
static const char lost_registry[] = "the registry is another one";

struct view {
	struct registry *registry;
	char **names; /* those asked for; sorted */
	size_t name_count; /* 0: all there are */
	double rescan;
	int epoll;
	struct view_clock clock;
	struct store_watch *watch; /* NULL: to be opened */
	struct view_roster roster;
	bool suspect; /* the rescan has found a name that no event told of */
	double rescan_at; /* monotonic; of the next turn or slice */
	double poll_at; /* the same, of a store that is not local; 0: it is */
};

static void
close_watch(struct view *view)
{
	if (view->watch == NULL)
		return;
	(void)epoll_ctl(view->epoll, EPOLL_CTL_DEL,
	    store_watch_descriptor(view->watch), NULL);
	store_watch_close(view->watch);
	view->watch = NULL;
}

static int
add_watches(struct view *view, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];
	size_t i;

	if (registry_watch_open(view->registry,
		view->name_count == 0 ? NULL : view->names[0], &view->watch,
		error) == -1) {
		view->watch = NULL;
		return -1;
	}
	for (i = 1; i < view->name_count; i++) {
		snprintf(key, sizeof(key), "services/%s", view->names[i]);
		if (store_watch_add(view->watch, key, error) == -1)
			return -1;
	}
	return 0;
}

static int
add_descriptor(struct view *view, int descriptor, struct svc_error *error)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (epoll_ctl(view->epoll, EPOLL_CTL_ADD, descriptor, &event) == -1)
		return svc_error_errno(error, "cannot watch");
	return 0;
}

static int
read_watch(struct view *view, struct svc_error *error)
{
	if (store_watch_read(
		view->watch, view_roster_note, &view->roster, error) == -1)
		return -1;
	if (view->roster.failed) {
		view->roster.failed = false;
		view->roster.all_again = true;
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	return 0;
}

static int
open_watch(struct view *view, struct svc_error *error)
{
	if (add_watches(view, error) == 0 &&
	    add_descriptor(view, store_watch_descriptor(view->watch), error) ==
		0)
		return 0;
	close_watch(view);
	return -1;
}

static int
copy_names(struct view *view, const struct view_options *options)
{
	size_t i;

	if (options->service_count == 0)
		return 0;
	view->names = calloc(options->service_count, sizeof(*view->names));
	if (view->names == NULL)
		return -1;
	for (i = 0; i < options->service_count; i++) {
		view->names[i] = strdup(options->services[i]);
		if (view->names[i] == NULL)
			return -1;
		view->name_count++;
		if (view_roster_add(&view->roster, view->names[i]) == NULL)
			return -1;
	}
	return 0;
}

static int
check_names(const struct view_options *options, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < options->service_count; i++)
		if (name_check("service", options->services[i], error) == -1)
			return -1;
	return 0;
}

int
view_open(struct view **result, const struct view_options *options,
    struct svc_error *error)
{
	struct view *view;

	*result = NULL;
	if (check_names(options, error) == -1)
		return -1;
	view = calloc(1, sizeof(*view));
	if (view == NULL)
		return svc_error_errno(error, "view");
	view->registry = options->registry;
	view->rescan = options->rescan > 0 ? options->rescan : VIEW_RESCAN;
	view->clock.timer = -1;
	view->roster.fixed = options->service_count > 0;
	view->roster.all_again = true;
	view->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (view->epoll == -1 || copy_names(view, options) == -1) {
		svc_error_errno(error, "view");
		goto fail;
	}
	if (view_clock_open(&view->clock, error) == -1 ||
	    add_descriptor(view, view->clock.timer, error) == -1 ||
	    open_watch(view, error) == -1)
		goto fail;
	*result = view;
	return 0;
fail:
	view_close(view);
	return -1;
}

void
view_close(struct view *view)
{
	size_t i;

	if (view == NULL)
		return;
	close_watch(view);
	view_clock_close(&view->clock);
	if (view->epoll != -1)
		close(view->epoll);
	view_roster_release(&view->roster);
	for (i = 0; i < view->name_count; i++)
		free(view->names[i]);
	free(view->names);
	free(view);
}

int
view_descriptor(const struct view *view)
{
	return view->epoll;
}

void
view_distrust(struct view *view)
{
	view->roster.all_again = true;
	view->roster.lost = lost_distrust;
}

/* Where the place leads may have changed: after it, the watch tells all
 * anew. */
static int
check_place(struct view *view, struct svc_error *error)
{
	struct store *store = registry_store(view->registry);
	int status = store_reopen(store, error);

	if (status == -1)
		return -1;
	if (status == 1) {
		if (store_directory_owner(
			store, "", &view->registry->owner, error) == -1)
			return -1;
		view->roster.lost = lost_registry;
		close_watch(view);
	}
	if (view->watch == NULL) {
		view->roster.all_again = true;
		return open_watch(view, error);
	}
	return 0;
}

/* Does what the events, the time or an error have left to do. */
static int
do_pending(struct view *view, const struct view_listener *listener,
    struct svc_error *error)
{
	int64_t now = time_now();
	size_t i;

	if (view->roster.all_again) {
		view_roster_doubt(&view->roster);
		if (view_roster_list(&view->roster, view->registry, error) ==
		    -1)
			return -1;
		view->roster.all_again = false;
	}
	for (i = 0; i < view->roster.count; i++)
		if (view_service_pending(view->roster.services[i], now) &&
		    view_service_update(view->roster.services[i],
			view->registry, listener, error) == -1)
			return -1;
	return view_roster_drop_gone(&view->roster, view->registry, error);
}

/* 1: a listing finds other than what is in memory, and no event tells of it; 0;
 * -1. */
static int
find_untold(struct view *view, struct view_service *service, double now,
    struct svc_error *error)
{
	int differs = view_compare(service, view->registry, error);

	service->rescan = false;
	if (differs != 1) {
		service->suspect = false;
		return differs;
	}
	if (read_watch(view, error) == -1)
		return -1;
	if (service->suspect && !view->roster.all_again &&
	    !view_service_pending(service, time_now())) {
		service->suspect = false;
		return 1;
	}
	/* The event may be on its way, or there: look once more. */
	service->suspect = service->rescan = true;
	view->rescan_at = now + SUSPECT_SECONDS;
	return 0;
}

/* Services that came untold; each is listed like any other from then on. */
static int
find_names(struct view *view, struct svc_error *error)
{
	int missed = view_roster_misses(&view->roster, view->registry, error);

	if (missed == 1 && view->suspect) {
		view->roster.lost = lost_untold;
		missed = 0;
		if (view_roster_list(&view->roster, view->registry, error) ==
		    -1)
			return -1;
	}
	view->suspect = missed == 1;
	return missed == -1 ? -1 : 0;
}

static int
start_rescan(struct view *view, struct svc_error *error)
{
	struct view_service *service;
	size_t i;

	if (check_place(view, error) == -1 || read_watch(view, error) == -1 ||
	    find_names(view, error) == -1)
		return -1;
	for (i = 0; i < view->roster.count; i++) {
		service = view->roster.services[i];
		service->rescan = true;
		service->gone = view->roster.gone = !view->roster.fixed;
	}
	return 0;
}

/* One slice of a rescan, which begins when none is under way. */
static int
rescan(struct view *view, struct svc_error *error)
{
	double start = time_monotonic(), now = start;
	bool under_way = false;
	size_t i;
	int untold;

	if (start < view->rescan_at)
		return 0;
	for (i = 0; i < view->roster.count && !under_way; i++)
		under_way = view->roster.services[i]->rescan;
	if (!under_way && start_rescan(view, error) == -1)
		return -1;
	view->rescan_at =
	    start + (view->suspect ? SUSPECT_SECONDS : view->rescan);
	for (i = 0; i < view->roster.count; i++) {
		if (!view->roster.services[i]->rescan)
			continue;
		if (now - start > RESCAN_SLICE) {
			view->rescan_at = now + RESCAN_SLICE;
			break;
		}
		untold =
		    find_untold(view, view->roster.services[i], now, error);
		if (untold == -1)
			return -1;
		if (untold == 1) {
			view->roster.services[i]->list_again = true;
			view->roster.services[i]->health_again = true;
			view->roster.lost = lost_untold;
		}
		now = time_monotonic();
	}
	return 0;
}

static int
arm(struct view *view, struct svc_error *error)
{
	int64_t now = time_now(), due = INT64_MAX;
	double wait = view->rescan_at, wake;
	size_t i;

	if (view->poll_at > 0)
		wait = fmin(wait, view->poll_at);
	wake = (double)now + (wait - time_monotonic()) * 1000;
	for (i = 0; i < view->roster.count; i++) {
		if (view_service_pending(view->roster.services[i], now))
			due = now;
		else if (view->roster.services[i]->due < due)
			due = view->roster.services[i]->due;
	}
	if (view->roster.all_again)
		due = now;
	/* Cut to whole milliseconds it would be too early, again and again. */
	if (wake < (double)due)
		due = (int64_t)wake + 1;
	return view_clock_arm(&view->clock, due, error);
}

/* Where the kernel does not tell what other hosts write, all is listed. */
static void
poll_remote(struct view *view)
{
	double now = time_monotonic();

	if (store_is_local(registry_store(view->registry))) {
		view->poll_at = 0;
		return;
	}
	if (now < view->poll_at)
		return;
	view->roster.all_again = true;
	view->poll_at = now + RETRY_SECONDS;
}

static int
update(struct view *view, const struct view_listener *listener,
    struct svc_error *error)
{
	double seconds;

	if (view_clock_jumped(&view->clock, &seconds)) {
		if (listener != NULL && listener->jumped != NULL)
			listener->jumped(listener->argument, seconds);
		view->roster.all_again = true;
	}
	if (view->watch == NULL && check_place(view, error) == -1)
		return -1;
	if (read_watch(view, error) == -1)
		return -1;
	/* A directory on the way vanished: it may be the registry itself. */
	if (view->roster.lost != NULL && check_place(view, error) == -1)
		return -1;
	poll_remote(view);
	if (rescan(view, error) == -1)
		return -1;
	if (view->roster.lost != NULL) {
		if (listener != NULL && listener->resync != NULL)
			listener->resync(listener->argument, view->roster.lost);
		view->roster.lost = NULL;
	}
	return do_pending(view, listener, error);
}

int
view_update(struct view *view, const struct view_listener *listener,
    struct svc_error *error)
{
	struct svc_error ignored;
	struct svc_error *why = error == NULL ? &ignored : error;

	if (view->rescan_at == 0)
		view->rescan_at = time_monotonic() + view->rescan;
	if (update(view, listener, why) == 0)
		return arm(view, why);
	/* What was told until now stands; all else is to be found anew. */
	close_watch(view);
	view->roster.all_again = true;
	view->roster.lost = lost_access;
	(void)view_clock_arm(&view->clock,
	    time_now() + (int64_t)(RETRY_SECONDS * 1000), &ignored);
	return -1;
}

size_t
view_service_count(const struct view *view)
{
	return view->roster.count;
}

const char *
view_service(const struct view *view, size_t index)
{
	return view->roster.services[index]->name;
}

const struct instance *
view_instances(const struct view *view, const char *service, size_t *count)
{
	const struct view_service *found =
	    view_roster_find(&view->roster, service);

	*count = found == NULL ? 0 : found->list.count;
	return *count == 0 ? NULL : found->list.items;
}

const struct instance *
view_find(const struct view *view, const char *service, const char *id)
{
	const struct view_service *found =
	    view_roster_find(&view->roster, service);

	return found == NULL ? NULL : view_service_find(found, id);
}

int
view_list(const struct view *view, struct instance_list *list,
    struct svc_error *error)
{
	const struct instance_list *part;
	size_t count = 0, i;

	free(list->items);
	list->items = NULL;
	list->count = list->capacity = 0;
	for (i = 0; i < view->roster.count; i++)
		count += view->roster.services[i]->list.count;
	if (count == 0)
		return 0;
	list->items = calloc(count, sizeof(*list->items));
	if (list->items == NULL)
		return svc_error_errno(error, "view");
	list->capacity = count;
	for (i = 0; i < view->roster.count; i++) {
		part = &view->roster.services[i]->list;
		if (part->count > 0)
			memcpy(list->items + list->count, part->items,
			    part->count * sizeof(*list->items));
		list->count += part->count;
	}
	return 0;
}

int
view_take(
    struct view *view, struct instance_list *list, struct svc_error *error)
{
	size_t i;

	if (view_list(view, list, error) == -1)
		return -1;
	for (i = 0; i < view->roster.count; i++)
		view->roster.services[i]->list.count = 0;
	view->roster.all_again = true;
	return 0;
}
