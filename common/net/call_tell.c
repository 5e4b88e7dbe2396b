/*
 * What the engine is told of a service: call_pool_tell().
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "net/call_choice.h"
#include "net/call_ejection.h"
#include "net/call_place.h"
#include "net/call_pool.h"
#include "net/call_roster.h"
#include "net/call_vacancy.h"

/* Which place is which member. */
static void
number_places(struct call_pool *pool, struct call_service *service,
    struct call_place **members)
{
	struct call_place *place;

	free(service->members);
	service->members = members;
	TAILQ_FOREACH(place, &service->places, link)
	{
		place->member = CALL_NOBODY;
		if (place->told && !place->gone)
			place->member = call_choice_find(
			    service->choice, place->instance.id);
		if (place->member != CALL_NOBODY)
			members[place->member] = place;
		call_place_update(pool, place);
	}
}

/* Another choice than before has to count what runs. */
static void
count_again(struct call_service *service)
{
	struct call_grant *grant;

	TAILQ_FOREACH(grant, &service->grants, link)
	grant->counted = grant->place->member != CALL_NOBODY &&
			 call_choice_take(service->choice,
			     &grant->lane->requires, grant->place->member);
}

static void
tell_lanes(struct call_pool *pool, struct call_service *service, double now)
{
	size_t before = service->working;
	struct call_place *place;
	struct call_lane *lane;

	TAILQ_FOREACH(lane, &service->lanes, all)
	call_lane_tell(lane, now);
	service->told = true;
	service->working = service->lane.fits;
	if (service->working > 0)
		service->worked = true;
	else if (before > 0)
		service->down = now;
	TAILQ_FOREACH(place, &service->places, link)
	if (!place->works)
		call_ejection_cancel(pool, place, now);
	call_ejection_limit(pool, service, now);
	call_vacancy_tell(service);
	call_lanes_wake(pool, service);
}

/*
 * A choice that knows of instances, the service's where that will do; NULL:
 * error.
 */
static struct call_choice *
find_choice(struct call_pool *pool, const struct call_service *service,
    const struct instance *instances, size_t count, struct svc_error *error)
{
	struct policy_options options = pool->choice;
	struct call_choice *choice = service->choice;

	if (choice != NULL && call_choice_observe(choice, instances, count))
		return choice;
	/* Each draws numbers of its own. */
	options.seed = random_next(&pool->random);
	if (call_choice_open(&choice, service->name, instances, count,
		call_pool_policy(pool), &options, pool->options->consume,
		error) == -1)
		return NULL;
	return choice;
}

/* Once, until it is something else. */
static void
warn_unweighed(const struct call_pool *pool, const struct call_choice *before,
    const struct call_choice *choice)
{
	const struct call_options *options = pool->options;
	const char *line = call_choice_unweighed(choice), *told = NULL;

	if (before != NULL)
		told = call_choice_unweighed(before);
	if (options->warn != NULL && line != NULL &&
	    (told == NULL || strcmp(line, told) != 0))
		options->warn(options->warn_argument, line);
}

static void
take_choice(struct call_pool *pool, struct call_service *service,
    struct call_choice *choice, struct call_place **members)
{
	bool other = choice != service->choice;

	if (other) {
		warn_unweighed(pool, service->choice, choice);
		call_choice_close(service->choice);
		service->choice = choice;
	}
	number_places(pool, service, members);
	if (other)
		count_again(service);
}

int
call_pool_tell(struct call_pool *pool, struct call_service *service,
    const struct instance *instances, size_t count, double now,
    struct svc_error *error)
{
	struct call_place **members = calloc(count + 1, sizeof(*members));
	struct call_choice *choice;

	call_pool_settle(pool);
	if (members == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	choice = find_choice(pool, service, instances, count, error);
	if (choice == NULL) {
		free(members);
		return -1;
	}
	if (call_roster_take(pool, service, instances, count) == -1) {
		if (choice != service->choice)
			call_choice_close(choice);
		free(members);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	take_choice(pool, service, choice, members);
	call_roster_sweep(pool, service);
	tell_lanes(pool, service, now);
	return 0;
}
