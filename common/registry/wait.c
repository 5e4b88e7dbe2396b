#include "registry/wait.h"

#include <errno.h>
#include <poll.h>
#include <sysexits.h>

#include "line/units.h"

/* After a lock was let go, or seems so, the kernel gets this long to do it. */
#define SETTLE_SECONDS 0.001
/* Where others write from other machines, the kernel tells nothing. */
#define REMOTE_SECONDS 1.0

struct wait {
	struct registry *registry;
	struct store_watch *watch;
	double deadline; /* on the monotonic clock; negative: never */
	bool settle; /* look again soon */
};

static void
note_change(void *argument, const struct store_change *change)
{
	struct wait *wait = argument;

	if (change->kind == STORE_CHANGED)
		wait->settle = true;
}

static int
list_anew(struct wait *wait, const char *service, struct instance_list *list,
    struct svc_error *error)
{
	instance_list_release(list);
	list->health_ends = 0;
	return registry_list(wait->registry, service, list, error);
}

static double
shorter(double a, double b)
{
	if (a < 0)
		return b;
	return b >= 0 && b < a ? b : a;
}

/*
 * Sleeps until something may have changed: 1; 0: the deadline has passed; -1.
 */
static int
sleep_until_change(struct wait *wait, const struct instance_list *list,
    struct svc_error *error)
{
	struct pollfd poller = {
	    .fd = store_watch_descriptor(wait->watch), .events = POLLIN};
	double left = -1;
	double pause = instance_list_next_expiry(list);
	struct timespec time;
	int n;

	if (wait->deadline >= 0) {
		left = wait->deadline - time_monotonic();
		if (left <= 0)
			return 0;
	}
	if (wait->settle)
		pause = shorter(pause, SETTLE_SECONDS);
	if (!store_is_local(registry_store(wait->registry)))
		pause = shorter(pause, REMOTE_SECONDS);
	pause = shorter(left, pause);
	time.tv_sec = (time_t)pause;
	time.tv_nsec = (long)((pause - (double)time.tv_sec) * 1e9);
	n = ppoll(&poller, 1, pause < 0 ? NULL : &time, NULL);
	if (n == -1 && errno == EINTR)
		return svc_error_set(
		    error, EX_TEMPFAIL, "interrupted by a signal");
	if (n == -1)
		return svc_error_errno(error, "cannot wait");
	wait->settle = false;
	if (n == 1 &&
	    store_watch_read(wait->watch, note_change, wait, error) == -1)
		return -1;
	return 1;
}

int
registry_wait(struct registry *registry, const char *service,
    int (*enough)(void *argument, const struct instance_list *list),
    void *argument, double timeout, struct instance_list *list,
    struct svc_error *error)
{
	struct wait wait = {.registry = registry, .deadline = -1};
	int status;

	if (timeout >= 0)
		wait.deadline = time_monotonic() + timeout;
	if (registry_watch_open(registry, service, &wait.watch, error) == -1)
		return -1;
	status = store_watch_read(wait.watch, note_change, &wait, error);
	while (status != -1) {
		status = list_anew(&wait, service, list, error);
		if (status == -1)
			break;
		status = enough(argument, list);
		if (status != 0)
			break;
		status = sleep_until_change(&wait, list, error);
		if (status == 0)
			break;
	}
	store_watch_close(wait.watch);
	return status;
}
