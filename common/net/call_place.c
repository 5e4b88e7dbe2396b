#include "net/call_place.h"

#include <math.h>
#include <stdint.h>

#include "net/call_engine.h"

/* More failures than this say nothing more. */
#define FAILURES_MAX 30

bool
call_place_free_slot(const struct call_place *place)
{
	return place->stays && !place->gone && place->open < place->limit;
}

static unsigned
failures_now(const struct call_place *place, double now)
{
	double forgiven = now - place->failed;

	if (place->failures == 0 || forgiven >= place->failures)
		return 0;
	return place->failures - (unsigned)(forgiven > 0 ? forgiven : 0);
}

double
call_place_load(const struct call_place *place, double now)
{
	return (double)place->open + 1 + failures_now(place, now);
}

/* There is room: call_pool_tell() sees to it. */
void
call_place_ready(struct call_place *place, bool ready)
{
	struct call_service *service = place->service;
	struct call_place *last;

	if (ready == (place->ready != SIZE_MAX))
		return;
	if (ready) {
		place->ready = service->ready_count;
		service->ready[service->ready_count++] = place;
		return;
	}
	last = service->ready[--service->ready_count];
	service->ready[place->ready] = last;
	last->ready = place->ready;
	place->ready = SIZE_MAX;
}

void
call_place_update(struct call_pool *pool, struct call_place *place)
{
	call_place_ready(
	    place, place->told && place->works && call_place_free_slot(place));
	call_lane_update(pool, &place->lane);
	call_lane_update(pool, &place->service->lane);
}

void
call_place_rest(struct call_pool *pool, struct call_place *place, double until)
{
	if (place->until > 0 && until <= 0)
		TAILQ_REMOVE(&pool->resting, place, rest);
	if (place->until <= 0 && until > 0)
		TAILQ_INSERT_TAIL(&pool->resting, place, rest);
	place->until = until;
}

void
call_place_wake(struct call_pool *pool, struct call_place *place, double now)
{
	if (place->limit <= place->open)
		place->limit = place->open + 1;
	if (place->limit >= place->slots) {
		place->limit = place->slots;
		call_place_rest(pool, place, 0);
	} else {
		call_place_rest(
		    pool, place, now + call_pool_jitter(pool, place->streak));
	}
	call_place_update(pool, place);
}

void
call_place_begin(struct call_pool *pool, struct call_place *place)
{
	place->open++;
	call_place_update(pool, place);
}

void
call_place_succeeded(
    struct call_pool *pool, struct call_place *place, double now)
{
	double soon;

	place->failures = 0;
	if (place->until <= 0)
		return;
	/* A slot came free there: as many may be open as were. */
	place->streak = 0;
	if (place->limit < place->open)
		place->limit = place->open;
	soon = now + call_pool_jitter(pool, 0);
	if (soon < place->until)
		call_place_rest(pool, place, soon);
}

void
call_place_failed(struct call_pool *pool, struct call_place *place, double now)
{
	(void)pool;
	place->failures = failures_now(place, now) + 1;
	if (place->failures > FAILURES_MAX)
		place->failures = FAILURES_MAX;
	place->failed = now;
}

void
call_place_busy(struct call_pool *pool, struct call_place *place,
    double retry_after, double began, double now)
{
	double rest = retry_after;

	/* The one that was refused is open still. */
	if (place->limit > place->open - 1)
		place->limit = place->open - 1;
	/* Of several that were sent together the first has said it. */
	if (began >= place->cut) {
		rest = fmax(rest, call_pool_jitter(pool, place->streak));
		if (place->streak < 16)
			place->streak++;
		place->cut = now;
	}
	if (place->until < now + rest)
		call_place_rest(pool, place, now + rest);
}

int
call_place_refused(struct call_place *place, double now)
{
	if (place->refused > 0)
		return 0;
	place->refused = now;
	return 1;
}

void
call_place_answered(struct call_place *place)
{
	place->refused = 0;
	place->answered = true;
}

bool
call_place_idle(const struct call_place *place)
{
	return place->open == 0 && TAILQ_EMPTY(&place->lane.jobs);
}

void
call_place_end(struct call_pool *pool, struct call_place *place)
{
	struct call_service *service = place->service;

	place->open--;
	call_place_update(pool, place);
	if (!call_place_idle(place))
		return;
	if (place->gone) {
		call_place_free(pool, place);
		call_pool_forget(pool, service);
	}
}
