/* A view of a registry of the test's own, and a log of what it tells. */
#ifndef SVCKIT_TESTS_VIEW_FIXTURE_H
#define SVCKIT_TESTS_VIEW_FIXTURE_H

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include "line/units.h"
#include "registry/view.h"
#include "spool_fixture.h"

#define DEADLINE 20.0 /* seconds */

static struct registry *registry;
static struct view *view;
static struct {
	char log[4096]; /* "+a passing;a passing>expired;-a;" */
	int changes;
	int resyncs;
	int jumps;
	char reason[128];
} seen;

/* The wall clock of this program alone can be set. */
static time_t clock_shift;

int clock_gettime(clockid_t clock, struct timespec *time);
int
clock_gettime(clockid_t clock, struct timespec *time)
{
	long status = syscall(SYS_clock_gettime, clock, time);

	if (clock == CLOCK_REALTIME)
		time->tv_sec += clock_shift;
	return (int)status;
}

static inline void
view_changed(
    void *argument, const struct instance *before, const struct instance *after)
{
	size_t length = strlen(seen.log);
	char *to = seen.log + length;
	size_t room = sizeof(seen.log) - length;

	(void)argument;
	seen.changes++;
	if (before == NULL)
		snprintf(
		    to, room, "+%s %s;", after->id, status_name(after->status));
	else if (after == NULL)
		snprintf(to, room, "-%s;", before->id);
	else if (before->status == after->status)
		snprintf(
		    to, room, "%s %s;", after->id, status_name(after->status));
	else
		snprintf(to, room, "%s %s>%s;", after->id,
		    status_name(before->status), status_name(after->status));
}

static inline void
view_resync(void *argument, const char *reason)
{
	(void)argument;
	seen.resyncs++;
	snprintf(seen.reason, sizeof(seen.reason), "%s", reason);
}

static inline void
view_jumped(void *argument, double seconds)
{
	(void)argument;
	(void)seconds;
	seen.jumps++;
}

static const struct view_listener listener = {.resync = view_resync,
    .jumped = view_jumped,
    .changed = view_changed};

static inline void
view_forget(void)
{
	memset(&seen, 0, sizeof(seen));
}

/* Opens a view of all (names NULL) or of some services, and lists. */
static inline void
view_begin(const char *const *names, size_t count, double rescan)
{
	struct view_options options = {.registry = registry,
	    .services = names,
	    .service_count = count,
	    .rescan = rescan};
	struct svc_error error;

	view_forget();
	if (!CHECK(view_open(&view, &options, &error) == 0)) {
		printf("# %s\n", error.message);
		exit(1);
	}
	CHECK(view_update(view, &listener, &error) == 0);
}

static inline void
registry_begin(void)
{
	spool_begin();
	registry = spool_open();
}

static inline void
view_end(void)
{
	view_close(view);
	view = NULL;
	registry_close(registry);
	spool_end();
}

/* Updates the view whenever it is readable, until holds() or the deadline. */
static inline bool
view_wait(bool (*holds)(const void *argument), const void *argument)
{
	struct pollfd poller = {.fd = view_descriptor(view), .events = POLLIN};
	double end = time_monotonic() + DEADLINE;
	struct svc_error error;

	while (!holds(argument) && time_monotonic() < end) {
		if (poll(&poller, 1, 1000) != 1)
			continue;
		if (view_update(view, &listener, &error) == -1)
			printf("# %s\n", error.message);
	}
	return holds(argument);
}

static inline bool
view_logged(const void *text)
{
	return strstr(seen.log, text) != NULL;
}

/* Whether the view tells text; shows what it told instead. */
static inline bool
view_tells(const char *text)
{
	bool told = view_wait(view_logged, text);

	if (!told)
		printf("# told %s\n", seen.log);
	return told;
}

static inline int
put_instance(const char *service, const char *id, const char *more)
{
	char record[512];

	snprintf(record, sizeof(record),
	    "{\"service\":\"%s\",\"id\":\"%s\",\"address\":\"h:1\"%s}", service,
	    id, more);
	return spool_register(registry, record);
}

static inline void
remove_file(const char *key)
{
	CHECK(unlink(spool_path(key)) == 0);
}

static inline bool
same_instance(const struct instance *a, const struct instance *b)
{
	return strcmp(a->service, b->service) == 0 &&
	       strcmp(a->id, b->id) == 0 && a->status == b->status &&
	       a->heartbeat == b->heartbeat && a->draining == b->draining &&
	       a->record.length == b->record.length &&
	       memcmp(a->record.data, b->record.data, a->record.length) == 0;
}

/* Whether what is in memory is what a listing of the registry finds. */
static inline bool
view_is_level(const void *argument)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance_list mine = INSTANCE_LIST_INIT;
	struct svc_error error;
	bool level;
	size_t i;

	(void)argument;
	CHECK(registry_list(registry, NULL, &list, &error) == 0);
	CHECK(view_list(view, &mine, &error) == 0);
	level = list.count == mine.count;
	for (i = 0; level && i < list.count; i++)
		level = same_instance(&list.items[i], &mine.items[i]);
	free(mine.items);
	instance_list_release(&list);
	return level;
}

#endif
