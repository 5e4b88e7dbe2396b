#include "net/call_place.h"

#include <math.h>

#include "net/call_choice.h"
#include "net/call_ejection.h"
#include "net/call_engine.h"
#include "net/call_vacancy.h"

/* More failures than this say nothing more. */
#define FAILURES_MAX 30

/*
 * Seconds that the first rest takes at most, and those to which that grows;
 * asking one that refuses costs nobody anything.
 */
#define REST_FIRST   0.025
#define REST_BUSY    2.0
#define REST_REFUSED 1.0

/* Retry-After may be long; those who were told the same need not be spread
 * over more. */
#define SPREAD_MAX 1.0

/* A process that is killed closes its connections one after the other. */
#define REST_LOST 0.1

/* Seconds; failures are forgiven in this grain. */
#define FORGIVE_INTERVAL 0.1

bool
call_place_free_slot(const struct call_place *place)
{
	return place->stays && !place->gone && place->open < place->limit;
}

/* Whole seconds only: the rest counts for the next one. */
static void
forgive(struct call_place *place, double now)
{
	double seconds = floor(now - place->failed);

	if (seconds >= place->failures) {
		place->failures = 0;
	} else if (seconds > 0) {
		place->failures -= (unsigned)seconds;
		place->failed += seconds;
	}
}

void
call_place_forgive(
    struct call_pool *pool, struct call_service *service, double now)
{
	struct call_place *place;

	if (!service->failing || now < service->forgiven + FORGIVE_INTERVAL)
		return;
	service->failing = false;
	service->forgiven = now;
	TAILQ_FOREACH(place, &service->places, link)
	{
		if (place->failures == 0)
			continue;
		forgive(place, now);
		service->failing = service->failing || place->failures > 0;
		call_place_update(pool, place);
	}
}

void
call_place_update(struct call_pool *pool, struct call_place *place)
{
	bool works = place->told && place->works;
	bool slot = call_place_free_slot(place);
	const struct call_load load = {
	    .open = place->open,
	    .failures = place->failures,
	    .ready = works && slot,
	    .full = works && !slot && place->open > 0 && place->until <= 0,
	    .ejected = place->out,
	};

	if (place->member != CALL_NOBODY)
		call_seats_set(call_choice_seats(place->service->choice),
		    place->member, &load);
	call_vacancy_update(place);
	call_lane_update(pool, &place->lane);
}

void
call_place_leave(struct call_place *place)
{
	static const struct call_load nothing = {.ready = false};
	struct call_service *service = place->service;

	if (place->member == CALL_NOBODY)
		return;
	call_seats_set(
	    call_choice_seats(service->choice), place->member, &nothing);
	service->members[place->member] = NULL;
	place->member = CALL_NOBODY;
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
	if (place->quiet)
		place->pace = fmax(place->pace / 2, REST_FIRST);
	place->quiet = true;
	if (place->limit <= place->open)
		place->limit = place->open + 1;
	if (place->limit >= place->slots) {
		place->limit = place->slots;
		call_place_rest(pool, place, 0);
	} else {
		call_place_rest(pool, place,
		    now + random_unit(&pool->random) * place->pace);
	}
	call_place_update(pool, place);
	call_lanes_wake(pool, place->service);
}

struct call_grant *
call_place_begin(struct call_pool *pool, struct call_place *place)
{
	struct call_grant *grant = pool->chosen;

	place->open++;
	call_place_update(pool, place);
	if (grant == NULL || grant->place != place)
		return NULL;
	pool->chosen = NULL;
	return grant;
}

void
call_place_succeeded(struct call_pool *pool, struct call_place *place)
{
	call_ejection_clear(place);
	place->busy = 0;
	place->served = true;
	if (place->failures > 0) {
		place->failures = 0;
		call_place_update(pool, place);
	}
	/* While it rests that is no more than what was let in before. */
	if (place->until <= 0)
		place->pace = 0;
}

void
call_place_failed(
    struct call_pool *pool, struct call_place *place, bool fault, double now)
{
	forgive(place, now);
	place->busy = 0;
	if (place->failures < FAILURES_MAX)
		place->failures++;
	place->failed = now;
	place->service->failing = true;
	call_place_update(pool, place);
	if (fault)
		call_ejection_fault(pool, place, now);
	else
		call_ejection_clear(place);
}

/* To what is open beside the request that ends, at least until then. */
static void
cut(struct call_pool *pool, struct call_place *place, double until)
{
	if (place->limit > place->open - 1)
		place->limit = place->open - 1;
	call_vacancy_update(place);
	if (place->until < until)
		call_place_rest(pool, place, until);
}

void
call_place_busy(struct call_pool *pool, struct call_place *place,
    double retry_after, double began, double now)
{
	double first = fmax(REST_FIRST, fmin(retry_after, SPREAD_MAX));
	double most = place->refused > 0 ? REST_REFUSED : REST_BUSY;
	double rest = fmax(retry_after, 0);

	/* Of several that were sent together the first has said it. */
	if (began >= place->cut) {
		place->pace = fmin(fmax(2 * place->pace, first), most);
		place->quiet = false;
		place->cut = now;
		rest += random_unit(&pool->random) * place->pace;
	}
	cut(pool, place, now + rest);
	if (place->limit == 0 && place->refused <= 0 && place->busy <= 0)
		place->busy = now;
}

/* Whoever has a limit has somebody in there, or will let somebody in. */
double
call_place_closed(const struct call_place *place)
{
	if (place->limit > 0)
		return 0;
	return place->refused > 0 ? place->refused : place->busy;
}

void
call_place_lost(struct call_pool *pool, struct call_place *place, double now)
{
	if (place->answered)
		cut(pool, place, now + REST_LOST);
}

void
call_place_refused(struct call_place *place, double now)
{
	place->busy = 0;
	if (place->refused <= 0)
		place->refused = now;
}

void
call_place_answered(struct call_place *place)
{
	if (place->refused > 0)
		place->pace = 0;
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
	call_lanes_wake(pool, service);
	if (!call_place_idle(place))
		return;
	if (place->gone) {
		call_place_free(pool, place);
		call_pool_forget(pool, service);
	}
}
