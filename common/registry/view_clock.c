#include "registry/view_clock.h"

#include <math.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "line/units.h"

#define JUMP 1.0 /* second */

static double
offset(void)
{
	return (double)time_now() / 1000 - time_monotonic();
}

int
view_clock_open(struct view_clock *clock, struct svc_error *error)
{
	clock->offset = offset();
	clock->timer =
	    timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (clock->timer == -1)
		return svc_error_errno(error, "cannot make a timer");
	return 0;
}

void
view_clock_close(struct view_clock *clock)
{
	if (clock->timer != -1)
		close(clock->timer);
	clock->timer = -1;
}

bool
view_clock_jumped(struct view_clock *clock, double *seconds)
{
	double now = offset();
	uint64_t count;

	/* ECANCELED tells that the clock was set; whether that matters, the
	 * offset does, also when nobody was told. */
	(void)!read(clock->timer, &count, sizeof(count));
	*seconds = now - clock->offset;
	clock->offset = now;
	return fabs(*seconds) > JUMP;
}

int
view_clock_arm(struct view_clock *clock, int64_t time, struct svc_error *error)
{
	struct itimerspec timer = {0};

	/* A time of 0 would be none. */
	if (time < 1)
		time = 1;
	timer.it_value.tv_sec = (time_t)(time / 1000);
	timer.it_value.tv_nsec = (long)(time % 1000) * 1000000;
	if (timerfd_settime(clock->timer,
		TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &timer,
		NULL) == -1)
		return svc_error_errno(error, "cannot set a timer");
	return 0;
}
