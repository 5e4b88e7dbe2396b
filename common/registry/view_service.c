#include "registry/view_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"
#include "registry/observe.h"
#include "registry/scan.h"
#include "registry/view_tell.h"

/* Reading this many records one by one costs less than listing, and so does
 * one in so many of a large service. */
#define MARKS_MIN  16
#define MARKS_PART 4

/*
 * The kernel tells that a lock's holder is gone an instant before it lets the
 * lock go, and on a busy machine that instant may be long: a lock that is held
 * after an event is looked at again after these milliseconds.  (Times are cut
 * to whole ones: 2 is more than 1.)
 */
static const int64_t pauses[] = {2, 10, 100};
#define PAUSES ((int)(sizeof(pauses) / sizeof(pauses[0])))
/* After a listing of all of them only once in all. */
#define LIST_PAUSE 100

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct view_service *
view_service_new(const char *name)
{
	struct view_service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	service->name = strdup(name);
	if (service->name == NULL) {
		free(service);
		return NULL;
	}
	service->list_again = service->health_again = true;
	service->due = INT64_MAX;
	return service;
}

static void
clear_marks(struct view_service *service)
{
	while (service->mark_count > 0)
		free(service->marks[--service->mark_count].id);
}

void
view_service_free(struct view_service *service)
{
	if (service == NULL)
		return;
	clear_marks(service);
	free(service->marks);
	instance_list_release(&service->list);
	health_file_release(&service->health);
	free(service->name);
	free(service);
}

bool
view_service_pending(const struct view_service *service, int64_t now)
{
	return service->list_again || service->health_again ||
	       service->due <= now;
}

static int
compare_id(const void *id, const void *instance)
{
	return strcmp(id, ((const struct instance *)instance)->id);
}

const struct instance *
view_service_find(const struct view_service *service, const char *id)
{
	if (service->list.count == 0)
		return NULL;
	return bsearch(id, service->list.items, service->list.count,
	    sizeof(*service->list.items), compare_id);
}

static int
add_mark(struct view_service *service, const char *id, size_t length,
    int64_t at, int looks)
{
	struct view_mark *marks;
	size_t capacity;

	if (service->mark_count == service->mark_capacity) {
		capacity = service->mark_capacity == 0
			       ? 4
			       : 2 * service->mark_capacity;
		marks = reallocarray(service->marks, capacity, sizeof(*marks));
		if (marks == NULL)
			return -1;
		service->marks = marks;
		service->mark_capacity = capacity;
	}
	marks = &service->marks[service->mark_count];
	marks->id = strndup(id, length);
	if (marks->id == NULL)
		return -1;
	marks->at = at;
	marks->looks = looks;
	service->mark_count++;
	service->due = earlier(service->due, at);
	return 0;
}

int
view_service_mark(struct view_service *service, const char *id, size_t length)
{
	const char *last;
	size_t limit = service->list.count / MARKS_PART;

	if (service->list_again)
		return 0;
	/* A write is several events in a row. */
	if (service->mark_count > 0) {
		last = service->marks[service->mark_count - 1].id;
		if (service->marks[service->mark_count - 1].at == 0 &&
		    strncmp(last, id, length) == 0 && last[length] == '\0')
			return 0;
	}
	if (limit < MARKS_MIN)
		limit = MARKS_MIN;
	if (service->mark_count >= limit) {
		clear_marks(service);
		service->list_again = true;
		return 0;
	}
	return add_mark(service, id, length, 0, 0);
}

static bool
holds_locks(const struct view_service *service)
{
	size_t i;

	for (i = 0; i < service->list.count; i++)
		if (service->list.items[i].held)
			return true;
	return false;
}

/* A list grows by doubling; these are kept for long. */
static void
shrink(struct instance_list *list)
{
	struct instance *items;

	if (list->count == 0) {
		instance_list_release(list);
		return;
	}
	items = reallocarray(list->items, list->count, sizeof(*items));
	if (items == NULL)
		return;
	list->items = items;
	list->capacity = list->count;
}

/* What nobody may look into, or what is no file or directory, is nothing to
 * us. */
static bool
is_hostile(const struct svc_error *error)
{
	return error->code == EX_DATAERR || error->code == EX_NOPERM;
}

/* As a listing warns, so that it is said once. */
static void
warn_skipped(struct registry *registry, const char *service, const char *id,
    const struct svc_error *error)
{
	const char *why = strstr(error->message, ": ");
	char key[REGISTRY_KEY_SIZE];

	if (id == NULL)
		snprintf(key, sizeof(key), "services/%s", service);
	else
		snprintf(key, sizeof(key), "services/%s/%s.json", service, id);
	registry_warn(registry, key, why == NULL ? error->message : why + 2);
}

static int
list_anew(struct view_service *service, struct registry *registry,
    const struct view_listener *listener, bool relook, struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list old = service->list;

	if (scan_service(registry, service->name, &service->health.health,
		&list, error) == -1) {
		if (!is_hostile(error)) {
			instance_list_release(&list);
			return -1;
		}
		warn_skipped(registry, service->name, NULL, error);
		instance_list_release(&list);
	}
	shrink(&list);
	service->list = list;
	clear_marks(service);
	service->list_again = false;
	service->list_at = 0;
	if (relook && holds_locks(service))
		service->list_at = time_now() + LIST_PAUSE;
	view_tell_lists(listener, &old, &service->list);
	instance_list_release(&old);
	return 0;
}

/* The health is another, or the time: the statuses follow, from memory. */
static int
apply_health(struct view_service *service, struct registry *registry,
    const struct view_listener *listener, struct svc_error *error)
{
	struct instance *instance;
	struct instance before;
	int64_t now = time_now();
	const char *reason;
	size_t i;

	for (i = 0; i < service->list.count; i++) {
		instance = &service->list.items[i];
		before = *instance;
		observe_status(
		    registry, &service->health.health, now, instance, &reason);
		if (view_same_text(reason, before.reason)) {
			view_tell(listener, &before, instance);
			continue;
		}
		/* What it had is before's, until that is told. */
		instance->observed_memory = NULL;
		if (instance_observe(instance, before.owner, reason) == -1) {
			*instance = before;
			return svc_error_errno(
			    error, "services/%s", service->name);
		}
		view_tell(listener, &before, instance);
		free(before.observed_memory);
	}
	return 0;
}

/* Where id stands, or would. */
static size_t
find_place(const struct instance_list *list, const char *id)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(list->items[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* after, which becomes the list's, stands for id from here on; NULL: nothing
 * does. */
static int
replace(struct view_service *service, const char *id,
    const struct instance *after, const struct view_listener *listener)
{
	struct instance_list *list = &service->list;
	size_t place = find_place(list, id);
	bool found =
	    place < list->count && strcmp(list->items[place].id, id) == 0;
	struct instance *at, before;

	if (!found && after == NULL)
		return 0;
	if (!found && instance_list_add(list) == NULL)
		return -1;
	at = &list->items[place];
	if (found)
		before = *at;
	if (found && after == NULL)
		memmove(
		    at, at + 1, (--list->count - place) * sizeof(*list->items));
	if (!found)
		memmove(at + 1, at,
		    (list->count - 1 - place) * sizeof(*list->items));
	if (after != NULL)
		*at = *after;
	view_tell(listener, found ? &before : NULL, after == NULL ? NULL : at);
	if (found)
		instance_release(&before);
	return 0;
}

/* Looks at the instance of a mark that is due. */
static int
look(struct view_service *service, struct registry *registry,
    const struct view_mark *mark, const struct view_listener *listener,
    struct svc_error *error)
{
	struct instance instance;
	bool held;
	int found;

	found = scan_instance(registry, service->name, mark->id,
	    &service->health.health, &instance, error);
	if (found == -1 && is_hostile(error)) {
		warn_skipped(registry, service->name, mark->id, error);
		found = 0;
	}
	if (found == -1)
		return -1;
	held = found == 1 && instance.held;
	if (replace(service, mark->id, found == 1 ? &instance : NULL,
		listener) == -1) {
		if (found == 1)
			instance_release(&instance);
		return svc_error_errno(error, "services/%s", service->name);
	}
	if (held && mark->looks < PAUSES &&
	    add_mark(service, mark->id, strlen(mark->id),
		time_now() + pauses[mark->looks], mark->looks + 1) == -1)
		return svc_error_errno(error, "services/%s", service->name);
	return 0;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct view_mark *left = a, *right = b;
	int order = strcmp(left->id, right->id);

	return order != 0 ? order
			  : (left->at > right->at) - (left->at < right->at);
}

/* Looks at each marked instance whose time has come, once. */
static int
look_at_marked(struct view_service *service, struct registry *registry,
    const struct view_listener *listener, struct svc_error *error)
{
	struct view_mark *marks = service->marks;
	size_t count = service->mark_count, i;
	int64_t now = time_now();
	int status = 0;

	if (count == 0)
		return 0;
	service->marks = NULL;
	service->mark_count = service->mark_capacity = 0;
	qsort(marks, count, sizeof(*marks), compare_marks);
	for (i = 0; i < count && status == 0; i++) {
		bool same = i > 0 && strcmp(marks[i - 1].id, marks[i].id) == 0;

		if (same)
			continue;
		if (marks[i].at <= now)
			status =
			    look(service, registry, &marks[i], listener, error);
		else if (add_mark(service, marks[i].id, strlen(marks[i].id),
			     marks[i].at, marks[i].looks) == -1)
			status = svc_error_errno(
			    error, "services/%s", service->name);
	}
	for (i = 0; i < count; i++)
		free(marks[i].id);
	free(marks);
	return status;
}

/* A lease is told to have ended only when its record says so once more. */
static int
mark_ended(struct view_service *service, int64_t now)
{
	const struct instance *instance;
	size_t i;

	for (i = 0; i < service->list.count && !service->list_again; i++) {
		instance = &service->list.items[i];
		if (instance->status != STATUS_EXPIRED &&
		    observe_end(instance) <= now &&
		    view_service_mark(
			service, instance->id, strlen(instance->id)) == -1)
			return -1;
	}
	return 0;
}

static int64_t
next_due(const struct view_service *service)
{
	int64_t due = health_file_end(&service->health);
	size_t i;

	for (i = 0; i < service->list.count; i++)
		if (service->list.items[i].status != STATUS_EXPIRED)
			due =
			    earlier(due, observe_end(&service->list.items[i]));
	for (i = 0; i < service->mark_count; i++)
		due = earlier(due, service->marks[i].at);
	if (service->list_at > 0)
		due = earlier(due, service->list_at);
	return due;
}

int
view_service_update(struct view_service *service, struct registry *registry,
    const struct view_listener *listener, struct svc_error *error)
{
	int64_t now = time_now();
	bool second = service->list_at > 0 && service->list_at <= now;
	bool relook = !second || service->list_again;
	int changed = 0, status;

	if (!view_service_pending(service, now))
		return 0;
	if (service->health_again || health_file_end(&service->health) <= now) {
		changed = health_file_read(
		    &service->health, registry, service->name, error);
		if (changed == -1)
			return -1;
		service->health_again = false;
	}
	if (mark_ended(service, now) == -1)
		return svc_error_errno(error, "services/%s", service->name);
	if (service->list_again || second) {
		service->list_again = true;
		status = list_anew(service, registry, listener, relook, error);
	} else {
		status = changed == 1
			     ? apply_health(service, registry, listener, error)
			     : 0;
		if (status == 0)
			status =
			    look_at_marked(service, registry, listener, error);
	}
	service->due = next_due(service);
	if (status == -1)
		service->list_again = true;
	return status;
}
