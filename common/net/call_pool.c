#include "net/call_pool.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_choice.h"
#include "net/call_ejection.h"
#include "net/call_engine.h"
#include "net/call_place.h"
#include "sched/demand.h"

/* Names that nobody answers to, kept: lines may bring any number. */
#define ABSENT_MAX 1024

static int
compare_services(const void *a, const void *b)
{
	const struct call_service *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One process's cursor fails once, however many services use it. */
static void
lose_cursor(void *argument, const struct svc_error *error)
{
	struct call_pool *pool = argument;
	const struct policy_cursor *cursor = &pool->options->choice.cursor;

	if (pool->choice.cursor.set == NULL)
		return;
	pool->choice.cursor.set = NULL;
	cursor->lost(cursor->argument, error);
}

void
call_pool_init(struct call_pool *pool, const struct call_options *options)
{
	memset(pool, 0, sizeof(*pool));
	TAILQ_INIT(&pool->services);
	TAILQ_INIT(&pool->absent);
	TAILQ_INIT(&pool->runnable);
	TAILQ_INIT(&pool->resting);
	TAILQ_INIT(&pool->bench);
	TAILQ_INIT(&pool->spare);
	random_seed(&pool->random, options->choice.seed);
	pool->options = options;
	pool->choice = options->choice;
	pool->choice.cursor.lost = lose_cursor;
	pool->choice.cursor.argument = pool;
	pool->jobs = (unsigned)options->jobs;
}

/* Somebody refers to it again, or it goes. */
static void
recall(struct call_pool *pool, struct call_service *service)
{
	if (!service->absent)
		return;
	TAILQ_REMOVE(&pool->absent, service, kept);
	pool->absent_count--;
	service->absent = false;
}

static void
free_service(struct call_pool *pool, struct call_service *service)
{
	struct call_place *place;

	recall(pool, service);
	while ((place = TAILQ_FIRST(&service->places)) != NULL)
		call_place_free(pool, place);
	call_lanes_release(pool, service);
	call_choice_close(service->choice);
	tdelete(service, &pool->tree, compare_services);
	TAILQ_REMOVE(&pool->services, service, link);
	free(service->members);
	free(service->name);
	free(service);
}

void
call_pool_release(struct call_pool *pool)
{
	struct call_service *service;
	struct call_grant *grant;

	call_pool_settle(pool);
	while ((service = TAILQ_FIRST(&pool->services)) != NULL)
		free_service(pool, service);
	while ((grant = TAILQ_FIRST(&pool->spare)) != NULL) {
		TAILQ_REMOVE(&pool->spare, grant, link);
		free(grant);
	}
}

void
call_pool_forget(struct call_pool *pool, struct call_service *service)
{
	if (service->told || service->absent ||
	    !TAILQ_EMPTY(&service->places) || service->users > 0)
		return;
	/* What is required matters to nobody who waits for anybody at all. */
	call_lanes_release(pool, service);
	service->absent = true;
	TAILQ_INSERT_TAIL(&pool->absent, service, kept);
	pool->absent_count++;
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

	if (service != NULL) {
		recall(pool, service);
		return service;
	}
	while (pool->absent_count > ABSENT_MAX)
		free_service(pool, TAILQ_FIRST(&pool->absent));
	service = calloc(1, sizeof(*service));
	if (service == NULL || (service->name = strdup(name)) == NULL ||
	    tsearch(service, &pool->tree, compare_services) == NULL) {
		if (service != NULL)
			free(service->name);
		free(service);
		return NULL;
	}
	TAILQ_INIT(&service->places);
	TAILQ_INIT(&service->grants);
	TAILQ_INIT(&service->lanes);
	TAILQ_INIT(&service->parked);
	call_lane_init(&service->lane, service, NULL);
	TAILQ_INSERT_TAIL(&service->lanes, &service->lane, all);
	service->down = service->lane.down;
	TAILQ_INSERT_TAIL(&pool->services, service, link);
	return service;
}

/* Whether requires can be read, as far as it is known who there is. */
static int
check_requires(const struct call_service *service,
    const struct json_value *requires, struct svc_error *error)
{
	struct demand demand;

	if (service->choice != NULL)
		return call_choice_list(service->choice, requires, error) ==
			       NULL
			   ? -1
			   : 0;
	if (demand_parse(&demand, requires, error) == -1)
		return -1;
	demand_release(&demand);
	return 0;
}

struct call_lane *
call_pool_lane(struct call_pool *pool, struct call_service *service,
    const struct call_task *task, struct svc_error *error)
{
	const struct json_value *requires = &task->requires;
	struct call_lane *lane;

	if (requires->span.data == NULL)
		return &service->lane;
	lane = call_lane_find(service, requires);
	if (lane != NULL)
		return lane;
	if (check_requires(service, requires, error) == -1)
		return NULL;
	lane = call_lane_new(pool, service, requires);
	if (lane == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	call_lane_tell(lane, lane->down);
	return lane;
}

/* The job may have been told of a place that is gone by now. */
static uint32_t
member_of(const struct call_service *service, const void *place)
{
	size_t count = call_choice_seats(service->choice)->count, i;

	for (i = 0; place != NULL && i < count; i++)
		if (service->members[i] == place)
			return (uint32_t)i;
	return CALL_NOBODY;
}

static struct call_grant *
new_grant(struct call_pool *pool)
{
	struct call_grant *grant = TAILQ_FIRST(&pool->spare);

	if (grant == NULL)
		return calloc(1, sizeof(*grant));
	TAILQ_REMOVE(&pool->spare, grant, link);
	return grant;
}

/* Remembers what was chosen, to be given back. */
static void
grant_place(struct call_pool *pool, struct call_grant *grant,
    struct call_place *place, struct call_lane *lane)
{
	grant->place = place;
	grant->lane = lane;
	grant->counted = true;
	lane->grants++;
	TAILQ_INSERT_TAIL(&lane->service->grants, grant, link);
	pool->chosen = grant;
}

void
call_grant_end(struct call_pool *pool, struct call_grant *grant)
{
	struct call_service *service;

	if (grant == NULL)
		return;
	service = grant->lane->service;
	if (grant->counted)
		call_choice_give_back(service->choice, &grant->lane->requires,
		    grant->place->member);
	grant->lane->grants--;
	TAILQ_REMOVE(&service->grants, grant, link);
	TAILQ_INSERT_HEAD(&pool->spare, grant, link);
}

/* What was chosen last has not begun: then it does not. */
static void
drop_chosen(struct call_pool *pool)
{
	call_grant_end(pool, pool->chosen);
	pool->chosen = NULL;
}

/* Without memory nobody is found, as when all are full. */
static struct call_place *
choose(struct call_pool *pool, struct call_lane *lane,
    const struct call_wish *wish)
{
	struct call_service *service = lane->service;
	struct call_grant *grant = NULL;
	bool counted = false;
	uint32_t member;

	if (call_choice_counts(service->choice, wish->requires) &&
	    (grant = new_grant(pool)) == NULL)
		return NULL;
	if (!call_choice_next(service->choice, wish, &member, &counted))
		member = CALL_NOBODY;
	else if (grant != NULL && counted)
		grant_place(pool, grant, service->members[member], lane);
	if (grant != NULL && pool->chosen != grant)
		TAILQ_INSERT_HEAD(&pool->spare, grant, link);
	pool->unsettled = true;
	return member == CALL_NOBODY ? NULL : service->members[member];
}

static struct call_place *
choose_for(struct call_pool *pool, struct call_lane *lane,
    const struct call_task *task, const void *avoid, bool strictly, double now)
{
	struct call_service *service = lane->service;
	struct call_wish wish = {
	    .requires = &lane->requires,
	    .key = task == NULL ? 0 : task->key,
	    .strictly = strictly,
	    .now = now,
	};

	if (service->choice == NULL)
		return NULL;
	call_place_forgive(pool, service, now);
	wish.avoid = member_of(service, avoid);
	return choose(pool, lane, &wish);
}

struct call_job *
call_pool_next(
    struct call_pool *pool, bool begun, double now, struct call_place **place)
{
	struct call_lane *lane, *next;
	struct call_job *job;

	drop_chosen(pool);
	TAILQ_FOREACH_SAFE(lane, &pool->runnable, link, next)
	{
		job = TAILQ_FIRST(&lane->jobs);
		if (begun && !job->begun)
			continue;
		*place = lane->place != NULL ? lane->place
					     : choose_for(pool, lane, job->task,
						   job->avoid, false, now);
		if (*place == NULL) {
			call_lane_park(pool, lane);
			continue;
		}
		/* The lanes take turns. */
		TAILQ_REMOVE(&pool->runnable, lane, link);
		TAILQ_INSERT_TAIL(&pool->runnable, lane, link);
		return job;
	}
	return NULL;
}

struct call_place *
call_pool_other(struct call_pool *pool, struct call_service *service,
    const struct call_task *task, const struct call_place *except, double now)
{
	struct call_lane *lane;
	struct svc_error error;

	drop_chosen(pool);
	lane = call_pool_lane(pool, service, task, &error);
	if (lane == NULL)
		return NULL;
	return choose_for(pool, lane, task, except, true, now);
}

void
call_pool_settle(struct call_pool *pool)
{
	struct call_service *service;

	drop_chosen(pool);
	if (!pool->unsettled)
		return;
	pool->unsettled = false;
	if (call_pool_policy(pool)->settle == NULL)
		return;
	TAILQ_FOREACH(service, &pool->services, link)
	if (service->choice != NULL)
		call_choice_settle(service->choice);
}

const struct policy_type *
call_pool_policy(const struct call_pool *pool)
{
	return pool->options->policy != NULL ? pool->options->policy
					     : &policy_p2c;
}

double
call_pool_wake(struct call_pool *pool, double now)
{
	double soonest = call_ejection_wake(pool, now);
	struct call_place *place, *next;

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
