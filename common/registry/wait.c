#include "registry/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "registry/view.h"

/* Until the view has something to look at: 1; 0: the deadline (on the monotonic
 * clock; negative: never) has passed; -1. */
static int
sleep_until_change(
    const struct view *view, double deadline, struct svc_error *error)
{
	struct pollfd poller = {.fd = view_descriptor(view), .events = POLLIN};
	struct timespec time = {0};
	double left = -1;
	int n;

	if (deadline >= 0) {
		left = deadline - time_monotonic();
		if (left <= 0)
			return 0;
		time.tv_sec = (time_t)left;
		time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
	}
	n = ppoll(&poller, 1, left < 0 ? NULL : &time, NULL);
	if (n == -1 && errno == EINTR)
		return svc_error_set(
		    error, EX_TEMPFAIL, "interrupted by a signal");
	if (n == -1)
		return svc_error_errno(error, "cannot wait");
	return n;
}

static void
note_change(
    void *argument, const struct instance *before, const struct instance *after)
{
	bool *changed = argument;

	(void)before;
	(void)after;
	*changed = true;
}

int
registry_wait(struct registry *registry, const char *service,
    int (*enough)(void *argument, const struct instance_list *list),
    void *argument, double timeout, struct instance_list *list,
    struct svc_error *error)
{
	struct view_options options = {.registry = registry,
	    .services = &service,
	    .service_count = service != NULL};
	bool changed = true;
	struct view_listener listener = {
	    .changed = note_change, .argument = &changed};
	double deadline = timeout < 0 ? -1 : time_monotonic() + timeout;
	struct instance_list seen = INSTANCE_LIST_INIT;
	struct svc_error ignored;
	struct view *view;
	int status;

	if (view_open(&view, &options, error) == -1)
		return -1;
	do {
		status = 0;
		if (view_update(view, &listener, error) == -1 ||
		    (changed && view_list(view, &seen, error) == -1)) {
			status = -1;
			break;
		}
		if (changed)
			status = enough(argument, &seen);
		changed = false;
	} while (status == 0 &&
		 (status = sleep_until_change(view, deadline, error)) == 1);
	free(seen.items);
	/* What was seen last is the caller's, also when the wait failed. */
	instance_list_release(list);
	if (view_take(view, list, &ignored) == -1 && status != -1) {
		if (error != NULL)
			*error = ignored;
		status = -1;
	}
	view_close(view);
	return status;
}
