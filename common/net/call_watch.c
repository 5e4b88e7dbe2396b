#include "net/call_watch.h"

#include <bsd/sys/queue.h>
#include <event2/event.h>
#include <math.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_why.h"

/* Listing may take at most one part in so many of the time. */
#define SHARE 10
/* Names that the registry does not have are forgotten beyond so many. */
#define ABSENT_MAX 1024
/* Why there is nobody holds for so many seconds. */
#define EXPLAINED_FOR 1.0
/* Without inotify the registry is looked at this often, in seconds. */
#define POLL_INTERVAL 1.0

struct followed {
	char *service;
	bool dirty;
	bool told;
	bool warned; /* that nobody is there */
	bool warned_unmet; /* that nobody there is right */
	size_t available; /* when it was listed last */
	double expiry; /* monotonic; 0: nothing expires */
	struct buffer why; /* nobody is to be called, as it was found then: */
	double explained; /* monotonic; 0: not since it was listed */
	TAILQ_ENTRY(followed) link;
};

struct call_watch {
	struct event_base *base;
	struct call_engine *engine;
	struct call_watch_options options;
	struct registry *registry; /* NULL: none, or not opened yet */
	bool opened;
	bool wide; /* follows all services, not the first alone */
	struct store_watch *changes; /* NULL: the timer must do */
	struct event *readable;
	struct event *timer;
	double rested; /* not listed again before */
	void *tree; /* of followed */
	TAILQ_HEAD(, followed) services;
	size_t count;
	size_t limit; /* of count: then those are looked for */
};

static int
compare(const void *a, const void *b)
{
	const struct followed *x = a, *y = b;

	return strcmp(x->service, y->service);
}

/* Those that the selector leaves out are moved behind the others. */
static size_t
select_instances(const struct selector *selector, struct instance_list *list)
{
	struct instance swap;
	size_t i, kept = 0;

	for (i = 0; i < list->count; i++) {
		if (!selector_match(selector, &list->items[i]))
			continue;
		swap = list->items[kept];
		list->items[kept++] = list->items[i];
		list->items[i] = swap;
	}
	return kept;
}

static void
complain(struct call_watch *watch, const struct svc_error *error)
{
	if (watch->options.warn != NULL)
		watch->options.warn(watch->options.argument, error->message);
}

/* Waiting in silence would look like hanging. */
static void
warn_nobody(struct call_watch *watch, struct followed *followed)
{
	struct buffer why = BUFFER_INIT;
	struct svc_error error;
	const char *text;

	followed->warned = true;
	if (call_why(
		watch->registry, &watch->options, followed->service, &why) &&
	    (text = buffer_string(&why)) != NULL) {
		svc_error_set(&error, EX_UNAVAILABLE, "%s; waiting", text);
		complain(watch, &error);
	}
	buffer_release(&why);
}

static int
refresh(struct call_watch *watch, struct followed *followed,
    struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	double now = time_monotonic(), expiry;
	size_t count;
	int result = 0;

	followed->dirty = false;
	followed->explained = 0;
	if (registry_list(watch->registry, followed->service, &list, error) ==
	    -1) {
		instance_list_release(&list);
		return -1;
	}
	followed->available = call_available(watch->options.selector, &list);
	expiry = instance_list_next_expiry(&list);
	followed->expiry = expiry < 0 ? 0 : now + expiry;
	/* A service that was never there is not told of: a planned instance
	 * of it is used as it stands on the line. */
	if (list.count > 0 || followed->told) {
		followed->told = true;
		count = select_instances(watch->options.selector, &list);
		result = call_tell(
		    watch->engine, followed->service, list.items, count, error);
	}
	instance_list_release(&list);
	if (followed->available > 0)
		followed->warned = false;
	else if (!followed->warned &&
		 call_needs(watch->engine, followed->service))
		warn_nobody(watch, followed);
	watch->rested = time_monotonic();
	watch->rested += SHARE * (watch->rested - now);
	return result;
}

static void
arm(struct call_watch *watch)
{
	double now = time_monotonic(), at = HUGE_VAL;
	struct followed *followed;
	struct timeval wait;

	TAILQ_FOREACH(followed, &watch->services, link)
	{
		if (followed->dirty)
			at = fmin(at, watch->rested);
		if (followed->expiry > 0)
			at = fmin(at, fmax(followed->expiry, watch->rested));
	}
	if (watch->changes == NULL)
		at = fmin(at, fmax(now + POLL_INTERVAL, watch->rested));
	if (!isfinite(at)) {
		evtimer_del(watch->timer);
		return;
	}
	wait = duration_timeval(at - now);
	evtimer_add(watch->timer, &wait);
}

static void
refresh_due(struct call_watch *watch)
{
	struct followed *followed;
	struct svc_error error;
	double now = time_monotonic();

	TAILQ_FOREACH(followed, &watch->services, link)
	{
		if (now < watch->rested)
			break;
		if ((followed->dirty || watch->changes == NULL ||
			(followed->expiry > 0 && followed->expiry <= now)) &&
		    refresh(watch, followed, &error) == -1)
			complain(watch, &error);
	}
	arm(watch);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	refresh_due(argument);
}

/* "services/NAME/ID.json" and "services/NAME" concern NAME; all else may
 * concern everybody. */
static void
on_change(void *argument, const struct store_change *change)
{
	static const char prefix[] = "services/";
	struct call_watch *watch = argument;
	struct followed *followed;
	const char *name = NULL;
	size_t length = 0;

	if (change->key != NULL &&
	    strncmp(change->key, prefix, strlen(prefix)) == 0) {
		name = change->key + strlen(prefix);
		length = strcspn(name, "/");
	}
	TAILQ_FOREACH(followed, &watch->services, link)
	if (name == NULL || (strncmp(followed->service, name, length) == 0 &&
				followed->service[length] == '\0'))
		followed->dirty = true;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct call_watch *watch = argument;
	struct svc_error error;

	(void)fd;
	(void)what;
	if (store_watch_read(watch->changes, on_change, watch, &error) == -1) {
		complain(watch, &error);
		event_del(watch->readable);
		return;
	}
	refresh_due(watch);
}

static void
unfollow(struct call_watch *watch)
{
	if (watch->readable != NULL)
		event_free(watch->readable);
	watch->readable = NULL;
	store_watch_close(watch->changes);
	watch->changes = NULL;
}

/* Follows service, or (NULL) all of them.  Where the kernel has no watch left
 * for us the timer does it. */
static void
follow(struct call_watch *watch, const char *service)
{
	struct svc_error error;

	unfollow(watch);
	if (registry_watch_open(
		watch->registry, service, &watch->changes, &error) == -1) {
		watch->changes = NULL;
		complain(watch, &error);
		return;
	}
	watch->readable =
	    event_new(watch->base, store_watch_descriptor(watch->changes),
		EV_READ | EV_PERSIST, on_readable, watch);
	if (watch->readable == NULL || event_add(watch->readable, NULL) == -1 ||
	    store_watch_read(watch->changes, on_change, watch, &error) == -1)
		unfollow(watch);
}

static struct followed *
find(struct call_watch *watch, const char *service)
{
	struct followed wanted;
	void *found;

	wanted.service = (char *)(uintptr_t)service;
	found = tfind(&wanted, &watch->tree, compare);
	return found == NULL ? NULL : *(struct followed **)found;
}

static struct followed *
insert(struct call_watch *watch, const char *service)
{
	struct followed *followed = calloc(1, sizeof(*followed));

	if (followed == NULL || (followed->service = strdup(service)) == NULL ||
	    tsearch(followed, &watch->tree, compare) == NULL) {
		if (followed != NULL)
			free(followed->service);
		free(followed);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&watch->services, followed, link);
	watch->count++;
	return followed;
}

static void
drop(struct call_watch *watch, struct followed *followed)
{
	tdelete(followed, &watch->tree, compare);
	TAILQ_REMOVE(&watch->services, followed, link);
	watch->count--;
	buffer_release(&followed->why);
	free(followed->service);
	free(followed);
}

/* Lines may name any number of services that do not exist. */
static void
drop_absent(struct call_watch *watch)
{
	struct followed *followed, *next;

	TAILQ_FOREACH_SAFE(followed, &watch->services, link, next)
	if (!followed->told && !call_needs(watch->engine, followed->service))
		drop(watch, followed);
	watch->limit = 2 * watch->count;
	if (watch->limit < ABSENT_MAX)
		watch->limit = ABSENT_MAX;
}

static int
add(struct call_watch *watch, const char *service, struct followed **followed,
    struct svc_error *error)
{
	bool first = watch->count == 0 && !watch->wide;

	if (watch->count >= watch->limit)
		drop_absent(watch);
	*followed = insert(watch, service);
	if (*followed == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	/* First follow, then list: nothing falls between. */
	if (first) {
		follow(watch, service);
	} else if (!watch->wide) {
		watch->wide = true;
		follow(watch, NULL);
	}
	if (refresh(watch, *followed, error) == -1)
		return -1;
	arm(watch);
	return 0;
}

int
call_watch_add(struct call_watch *watch, const char *service, bool needed,
    struct svc_error *error)
{
	struct followed *followed;

	if (!watch->opened) {
		watch->registry = watch->options.open(watch->options.argument);
		watch->opened = true;
	}
	if (watch->registry == NULL)
		return 0;
	followed = find(watch, service);
	if (followed == NULL && add(watch, service, &followed, error) == -1)
		return -1;
	if (needed && followed->available == 0 && !followed->warned)
		warn_nobody(watch, followed);
	return 1;
}

void
call_watch_need(struct call_watch *watch, const struct call_task *task)
{
	struct task_failure failure;
	struct followed *followed;
	struct svc_error error;

	if (!call_unmet(watch->engine, task))
		return;
	followed = find(watch, task->service);
	if (followed == NULL || followed->warned_unmet)
		return;
	followed->warned_unmet = true;
	call_nobody(watch->engine, task, &failure);
	svc_error_set(&error, EX_UNAVAILABLE, "%s; waiting", failure.message);
	complain(watch, &error);
}

/*
 * To look takes as long as there are instances, and tasks that find nobody come
 * by the thousand: what was found is right until the service is listed again,
 * but for what the clock alone changes.
 */
static const char *
find_why(struct call_watch *watch, struct followed *followed)
{
	double now = time_monotonic();

	if (followed->explained == 0 ||
	    now - followed->explained >= EXPLAINED_FOR) {
		buffer_clear(&followed->why);
		(void)call_why(watch->registry, &watch->options,
		    followed->service, &followed->why);
		followed->explained = now;
	}
	return followed->why.length == 0 ? NULL : buffer_string(&followed->why);
}

void
call_watch_explain(
    struct call_watch *watch, const char *service, struct task_failure *failure)
{
	struct buffer why = BUFFER_INIT;
	struct followed *followed;
	const char *text = NULL;

	if (watch == NULL || (failure->code != CODE_NO_INSTANCES &&
				 failure->code != CODE_UNPLACEABLE))
		return;
	followed = find(watch, service);
	if (followed != NULL)
		text = find_why(watch, followed);
	else if (call_why(watch->registry, &watch->options, service, &why))
		text = buffer_string(&why);
	if (text != NULL)
		snprintf(
		    failure->message, sizeof(failure->message), "%s", text);
	buffer_release(&why);
}

int
call_watch_open(struct call_watch **watch, struct event_base *base,
    struct call_engine *engine, const struct call_watch_options *options,
    struct svc_error *error)
{
	struct call_watch *made = calloc(1, sizeof(*made));

	*watch = NULL;
	if (made != NULL)
		made->timer = evtimer_new(base, on_timer, made);
	if (made == NULL || made->timer == NULL) {
		free(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	made->base = base;
	made->engine = engine;
	made->options = *options;
	TAILQ_INIT(&made->services);
	*watch = made;
	return 0;
}

void
call_watch_close(struct call_watch *watch)
{
	struct followed *followed;

	if (watch == NULL)
		return;
	unfollow(watch);
	event_free(watch->timer);
	while ((followed = TAILQ_FIRST(&watch->services)) != NULL)
		drop(watch, followed);
	registry_close(watch->registry);
	free(watch);
}
