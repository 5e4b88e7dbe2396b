#include "net/call_pool.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_engine.h"
#include "net/call_place.h"

static int
compare_services(const void *a, const void *b)
{
	const struct call_service *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void
call_pool_init(struct call_pool *pool, unsigned jobs, uint64_t seed)
{
	memset(pool, 0, sizeof(*pool));
	TAILQ_INIT(&pool->services);
	TAILQ_INIT(&pool->runnable);
	TAILQ_INIT(&pool->resting);
	random_seed(&pool->random, seed);
	pool->jobs = jobs;
}

static void
free_service(struct call_pool *pool, struct call_service *service)
{
	struct call_place *place;

	while ((place = TAILQ_FIRST(&service->places)) != NULL)
		call_place_free(pool, place);
	tdelete(service, &pool->tree, compare_services);
	TAILQ_REMOVE(&pool->services, service, link);
	free(service->ready);
	free(service->name);
	free(service);
}

void
call_pool_release(struct call_pool *pool)
{
	struct call_service *service;

	while ((service = TAILQ_FIRST(&pool->services)) != NULL)
		free_service(pool, service);
}

void
call_pool_forget(struct call_pool *pool, struct call_service *service)
{
	if (service->told || !TAILQ_EMPTY(&service->places) ||
	    service->users > 0)
		return;
	free_service(pool, service);
}

struct call_service *
call_pool_find(const struct call_pool *pool, const char *name)
{
	struct call_service wanted;
	void *found;

	wanted.name = (char *)(uintptr_t)name;
	found = tfind(&wanted, &pool->tree, compare_services);
	return found == NULL ? NULL : *(struct call_service **)found;
}

struct call_service *
call_pool_service(struct call_pool *pool, const char *name)
{
	struct call_service *service = call_pool_find(pool, name);

	if (service != NULL)
		return service;
	service = calloc(1, sizeof(*service));
	if (service == NULL || (service->name = strdup(name)) == NULL ||
	    tsearch(service, &pool->tree, compare_services) == NULL) {
		if (service != NULL)
			free(service->name);
		free(service);
		return NULL;
	}
	TAILQ_INIT(&service->places);
	TAILQ_INIT(&service->lane.jobs);
	service->lane.service = service;
	service->down = time_monotonic();
	TAILQ_INSERT_TAIL(&pool->services, service, link);
	return service;
}

static bool
lane_can_run(const struct call_lane *lane)
{
	if (TAILQ_EMPTY(&lane->jobs))
		return false;
	if (lane->place != NULL)
		return call_place_free_slot(lane->place);
	return lane->service->ready_count > 0;
}

void
call_lane_update(struct call_pool *pool, struct call_lane *lane)
{
	bool runnable = lane_can_run(lane);

	if (runnable == lane->runnable)
		return;
	if (runnable)
		TAILQ_INSERT_TAIL(&pool->runnable, lane, link);
	else
		TAILQ_REMOVE(&pool->runnable, lane, link);
	lane->runnable = runnable;
}

void
call_lane_add(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job)
{
	if (job->begun)
		TAILQ_INSERT_HEAD(&lane->jobs, job, link);
	else
		TAILQ_INSERT_TAIL(&lane->jobs, job, link);
	job->lane = lane;
	call_lane_update(pool, lane);
}

void
call_lane_remove(
    struct call_pool *pool, struct call_lane *lane, struct call_job *job)
{
	TAILQ_REMOVE(&lane->jobs, job, link);
	job->lane = NULL;
	call_lane_update(pool, lane);
}

bool
call_lane_down(const struct call_lane *lane, double *since, bool *worked)
{
	const struct call_service *service = lane->service;
	const struct call_place *place = lane->place;

	*since = service->down;
	*worked = service->worked;
	if (place != NULL) {
		*since = place->refused;
		*worked = place->answered;
		return place->refused > 0;
	}
	if (service->working == 0)
		return true;
	if (service->ready_count > 0)
		return false;
	*since = 0;
	*worked = false;
	TAILQ_FOREACH(place, &service->places, link)
	{
		if (!place->told || !place->works)
			continue;
		if (place->refused <= 0)
			return false;
		*since = place->refused > *since ? place->refused : *since;
		*worked = *worked || place->answered;
	}
	return true;
}

/* The least load of a working place that has no slot free. */
static double
least_full_load(const struct call_service *service, double now)
{
	const struct call_place *place;
	double least = -1, load;

	TAILQ_FOREACH(place, &service->places, link)
	{
		if (!place->told || !place->works || place->ready != SIZE_MAX ||
		    place->open == 0 || place->until > 0)
			continue;
		load = call_place_load(place, now);
		if (least < 0 || load < least)
			least = load;
	}
	return least;
}

/*
 * Two random ones, the better of them: Mitzenmacher, "The Power of Two Choices
 * in Randomized Load Balancing" (2001).  Where even that one fails at present,
 * a full one that does not is worth waiting for: else an instance that fails
 * fast would get everything that the others have no slot for.
 */
struct call_place *
call_service_choose(struct call_pool *pool, struct call_service *service,
    const struct call_place *avoid, double now)
{
	struct call_place *one, *two;
	size_t count = service->ready_count, i, j;
	double full;

	if (count == 0)
		return NULL;
	i = count == 1 ? 0 : (size_t)random_below(&pool->random, count);
	one = service->ready[i];
	if (count > 1) {
		j = (size_t)random_below(&pool->random, count - 1);
		two = service->ready[j < i ? j : j + 1];
		if (one == avoid ||
		    (two != avoid &&
			call_place_load(two, now) < call_place_load(one, now)))
			one = two;
	}
	if (one->failures == 0)
		return one;
	full = least_full_load(service, now);
	return full >= 0 && full < call_place_load(one, now) ? NULL : one;
}

struct call_job *
call_pool_next(
    struct call_pool *pool, bool begun, double now, struct call_place **place)
{
	struct call_lane *lane, *next;
	struct call_job *job;

	TAILQ_FOREACH_SAFE(lane, &pool->runnable, link, next)
	{
		job = TAILQ_FIRST(&lane->jobs);
		if (begun && !job->begun)
			continue;
		*place = lane->place != NULL
			     ? lane->place
			     : call_service_choose(
				   pool, lane->service, job->avoid, now);
		/* The lanes take turns; one that waits for a full place comes
		 * back when that place changes. */
		TAILQ_REMOVE(&pool->runnable, lane, link);
		if (*place == NULL) {
			lane->runnable = false;
			continue;
		}
		TAILQ_INSERT_TAIL(&pool->runnable, lane, link);
		return job;
	}
	return NULL;
}

double
call_pool_wake(struct call_pool *pool, double now)
{
	struct call_place *place, *next;
	double soonest = 0;

	TAILQ_FOREACH_SAFE(place, &pool->resting, rest, next)
	{
		if (place->until <= now)
			call_place_wake(pool, place, now);
		if (place->until > 0 &&
		    (soonest <= 0 || place->until < soonest))
			soonest = place->until;
	}
	return soonest;
}

double
call_pool_jitter(struct call_pool *pool, unsigned count)
{
	double most = 0.025;

	while (count-- > 0 && most < 1)
		most *= 2;
	return random_unit(&pool->random) * (most < 1 ? most : 1);
}
