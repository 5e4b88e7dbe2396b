#include "net/call_lane.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "line/units.h"
#include "net/call_choice.h"
#include "net/call_engine.h"
#include "net/call_place.h"
#include "net/call_pool.h"

/* Lanes that a service keeps, however few it needs. */
#define LANES_MAX 64

void
call_lane_init(struct call_lane *lane, struct call_service *service,
    struct call_place *place)
{
	TAILQ_INIT(&lane->jobs);
	lane->service = service;
	lane->place = place;
	lane->down = time_monotonic();
}

/* Whether it is worth to look for somebody. */
static bool
may_run(const struct call_lane *lane)
{
	const struct call_service *service = lane->service;

	if (lane->place != NULL)
		return call_place_free_slot(lane->place);
	return lane->fits > 0 && service->choice != NULL &&
	       call_choice_seats(service->choice)->ready_count > 0;
}

static void
leave(struct call_pool *pool, struct call_lane *lane)
{
	if (lane->runnable)
		TAILQ_REMOVE(&pool->runnable, lane, link);
	if (lane->parked)
		TAILQ_REMOVE(&lane->service->parked, lane, link);
	lane->runnable = lane->parked = false;
}

static void
run(struct call_pool *pool, struct call_lane *lane)
{
	leave(pool, lane);
	TAILQ_INSERT_TAIL(&pool->runnable, lane, link);
	lane->runnable = true;
}

void
call_lane_park(struct call_pool *pool, struct call_lane *lane)
{
	leave(pool, lane);
	TAILQ_INSERT_TAIL(&lane->service->parked, lane, link);
	lane->parked = true;
}

void
call_lane_update(struct call_pool *pool, struct call_lane *lane)
{
	if (TAILQ_EMPTY(&lane->jobs))
		leave(pool, lane);
	else if (lane->place != NULL && !may_run(lane))
		leave(pool, lane);
	else if (lane->runnable || lane->parked)
		return;
	else if (may_run(lane))
		run(pool, lane);
	else
		call_lane_park(pool, lane);
}

void
call_lanes_wake(struct call_pool *pool, struct call_service *service)
{
	struct call_lane *lane, *next;

	TAILQ_FOREACH_SAFE(lane, &service->parked, link, next)
	if (may_run(lane))
		run(pool, lane);
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

void
call_lane_move(
    struct call_pool *pool, struct call_lane *from, struct call_lane *to)
{
	struct call_job *job;

	while ((job = TAILQ_FIRST(&from->jobs)) != NULL) {
		call_lane_remove(pool, from, job);
		call_lane_add(pool, to, job);
	}
}

/* Who has only said so far that it is busy has not. */
static bool
has_worked(const struct call_place *place)
{
	return place->refused > 0 ? place->answered : place->served;
}

/* Whether all who may take its jobs refuse connections, or are busy. */
static bool
all_closed(const struct call_lane *lane, double *since, bool *worked)
{
	const struct call_service *service = lane->service;
	const struct eligible *list;
	const struct call_place *place;
	double closed;
	size_t i;

	*since = 0;
	*worked = false;
	list = call_choice_list(service->choice, &lane->requires, NULL);
	for (i = 0; list != NULL && i < list->count; i++) {
		place = service->members[list->members[i]];
		if (place == NULL)
			continue;
		closed = call_place_closed(place);
		if (closed <= 0)
			return false;
		*since = closed > *since ? closed : *since;
		*worked = *worked || has_worked(place);
	}
	return *since > 0;
}

bool
call_lane_down(const struct call_lane *lane, double *since, bool *worked)
{
	const struct call_service *service = lane->service;
	const struct call_place *place = lane->place;

	if (place != NULL) {
		*since = call_place_closed(place);
		*worked = has_worked(place);
		return *since > 0;
	}
	if (service->working == 0) {
		*since = service->down;
		*worked = service->worked;
		return true;
	}
	if (lane->fits == 0) {
		*since = lane->down;
		*worked = lane->worked;
		return true;
	}
	return all_closed(lane, since, worked);
}

size_t
call_lane_others(const struct call_lane *lane, const struct call_place *place)
{
	bool counted = place->member != CALL_NOBODY && place->works;

	return counted && lane->fits > 0 ? lane->fits - 1 : lane->fits;
}

/* "render: 0 of 2 instances: 2 insufficient cpu (need 8, most free 4)" */
static void
explain_unmet(const struct call_lane *lane, struct task_failure *failure)
{
	struct buffer why = BUFFER_INIT;
	const char *text;

	call_choice_explain(lane->service->choice, &lane->requires, &why);
	text = buffer_string(&why);
	task_failure_set(failure, CODE_UNPLACEABLE, "%s: %s",
	    lane->service->name,
	    text != NULL ? text
			 : "no instance that works has what the task requires");
	buffer_release(&why);
}

static bool
any_busy(const struct call_service *service)
{
	const struct call_place *place;

	TAILQ_FOREACH(place, &service->places, link)
	if (place->told && place->works && place->busy > 0)
		return true;
	return false;
}

static void
explain_closed(
    const struct call_service *service, bool busy, struct task_failure *failure)
{
	if (busy)
		task_failure_set(failure, CODE_BUSY,
		    "%s: all instances that answer are busy", service->name);
	else
		task_failure_set(failure, CODE_UNREACHABLE,
		    "%s: every connection is refused", service->name);
}

void
call_lane_why(const struct call_lane *lane, struct task_failure *failure)
{
	const struct call_service *service = lane->service;

	if (lane->place != NULL)
		explain_closed(service, lane->place->busy > 0, failure);
	else if (service->place_count == 0)
		task_failure_set(failure, CODE_NO_INSTANCES, "%s: no instances",
		    service->name);
	else if (service->working == 0 || lane->fits == 0)
		explain_unmet(lane, failure);
	else
		explain_closed(service, any_busy(service), failure);
}

static int
compare_lanes(const void *a, const void *b)
{
	const struct json_span x = ((const struct call_lane *)a)->requires.span;
	const struct json_span y = ((const struct call_lane *)b)->requires.span;

	if (x.length != y.length)
		return x.length < y.length ? -1 : 1;
	return memcmp(x.data, y.data, x.length);
}

static void
free_lane(struct call_pool *pool, struct call_lane *lane)
{
	struct call_service *service = lane->service;

	leave(pool, lane);
	tdelete(lane, &service->lane_tree, compare_lanes);
	TAILQ_REMOVE(&service->lanes, lane, all);
	service->lane_count--;
	free((char *)(uintptr_t)lane->requires.span.data);
	free(lane);
}

static void
drop_empty(struct call_pool *pool, struct call_service *service)
{
	struct call_lane *lane, *next;

	TAILQ_FOREACH_SAFE(lane, &service->lanes, all, next)
	if (lane != &service->lane && TAILQ_EMPTY(&lane->jobs) &&
	    lane->grants == 0)
		free_lane(pool, lane);
	service->lane_limit = 2 * service->lane_count;
	if (service->lane_limit < LANES_MAX)
		service->lane_limit = LANES_MAX;
}

struct call_lane *
call_lane_new(struct call_pool *pool, struct call_service *service,
    const struct json_value *requires)
{
	struct call_lane *lane = calloc(1, sizeof(*lane));
	char *text = malloc(requires->span.length + 1);

	if (service->lane_count >= service->lane_limit)
		drop_empty(pool, service);
	if (lane == NULL || text == NULL)
		goto fail;
	call_lane_init(lane, service, NULL);
	lane->requires = *requires;
	memcpy(text, requires->span.data, requires->span.length);
	lane->requires.span.data = text;
	if (tsearch(lane, &service->lane_tree, compare_lanes) == NULL)
		goto fail;
	TAILQ_INSERT_TAIL(&service->lanes, lane, all);
	service->lane_count++;
	return lane;
fail:
	free(text);
	free(lane);
	return NULL;
}

struct call_lane *
call_lane_find(
    const struct call_service *service, const struct json_value *requires)
{
	struct call_lane wanted;
	void *found;

	wanted.requires = *requires;
	found = tfind(&wanted, &service->lane_tree, compare_lanes);
	return found == NULL ? NULL : *(struct call_lane **)found;
}

void
call_lane_tell(struct call_lane *lane, double now)
{
	struct call_choice *choice = lane->service->choice;
	const struct eligible *list = NULL;
	size_t before = lane->fits;

	if (choice != NULL)
		list = call_choice_list(choice, &lane->requires, NULL);
	lane->fits = list == NULL ? 0 : list->count;
	if (lane->fits > 0)
		lane->worked = true;
	else if (before > 0)
		lane->down = now;
}

void
call_lanes_release(struct call_pool *pool, struct call_service *service)
{
	struct call_lane *lane, *next;

	TAILQ_FOREACH_SAFE(lane, &service->lanes, all, next)
	if (lane != &service->lane)
		free_lane(pool, lane);
	leave(pool, &service->lane);
}
