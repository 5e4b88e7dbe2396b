#include "net/call_hold.h"

#include <event2/event.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_loop.h"
#include "net/call_request.h"

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct call_hold *hold = argument;

	(void)fd;
	(void)what;
	hold->until = 0;
	hold->due = true;
	call_loop_wake(hold->loop);
}

int
call_hold_open(
    struct call_hold *hold, struct call_loop *loop, struct svc_error *error)
{
	memset(hold, 0, sizeof(*hold));
	LIST_INIT(&hold->requests);
	hold->loop = loop;
	hold->timer = evtimer_new(loop->base, on_timer, hold);
	if (hold->timer == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

void
call_hold_close(struct call_hold *hold)
{
	if (hold->timer != NULL)
		event_free(hold->timer);
	hold->timer = NULL;
}

bool
call_hold_wanted(struct call_request *request)
{
	struct call_target *target = request->target;

	if (!request->http2 || target->http1)
		return false;
	if (target->scout != NULL)
		return true;
	target->scout = request;
	return false;
}

/* Earlier than it is set to, or at all. */
static void
set_timer(struct call_hold *hold, double at)
{
	struct timeval wait;

	if (hold->until > 0 && hold->until <= at)
		return;
	wait = duration_timeval(at - time_monotonic());
	event_add(hold->timer, &wait);
	hold->until = at;
}

void
call_hold_add(struct call_hold *hold, struct call_request *request)
{
	LIST_INSERT_HEAD(&hold->requests, request, link);
	set_timer(hold, request->expires);
}

bool
call_hold_free(struct call_hold *hold, struct call_request *request)
{
	if (request->target == NULL || request->target->scout != request)
		return false;
	request->target->scout = NULL;
	hold->due = !LIST_EMPTY(&hold->requests);
	return hold->due;
}

void
call_hold_sweep(struct call_hold *hold, struct call_requests *ready,
    struct call_requests *late)
{
	struct call_request *request, *next;
	struct call_requests *list;
	double now;

	if (!hold->due)
		return;
	hold->due = false;
	now = time_monotonic();
	LIST_FOREACH_SAFE(request, &hold->requests, link, next)
	{
		if (request->expires <= now)
			list = late;
		else if (request->target->scout == NULL)
			list = ready;
		else
			continue;
		LIST_REMOVE(request, link);
		LIST_INSERT_HEAD(list, request, link);
	}
	hold->until = 0;
	event_del(hold->timer);
	LIST_FOREACH(request, &hold->requests, link)
	set_timer(hold, request->expires);
}
