#include "net/call_roster.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "line/json.h"
#include "net/call_choice.h"
#include "net/call_ejection.h"
#include "net/call_engine.h"
#include "net/call_place.h"
#include "net/call_pool.h"

/* Idle places that no registry vouches for, kept for their connections. */
#define STRAYS_MAX 1024

/* What a place is made of. */
struct origin {
	const char *id;
	const char *address;
	const char *owner; /* or NULL */
	double slots;
	bool told;
	struct buffer reference;
};

static int
compare_places(const void *a, const void *b)
{
	const struct call_place *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static struct call_place *
find_place(const struct call_service *service, const char *key)
{
	struct call_place wanted;
	void *found;

	wanted.key = key;
	found = tfind(&wanted, &service->tree, compare_places);
	return found == NULL ? NULL : *(struct call_place **)found;
}

/* Several strays may have one id: what lines say of it is not checked. */
static struct call_place *
find_stray(
    const struct call_service *service, const char *id, const char *address)
{
	struct call_place *found = NULL;
	struct buffer key = BUFFER_INIT;
	const char *string;

	buffer_append_format(&key, "%s %s", id, address);
	string = buffer_string(&key);
	if (string != NULL)
		found = find_place(service, string);
	buffer_release(&key);
	return found;
}

static void
append(struct buffer *text, const char *string)
{
	buffer_append(text, string, strlen(string) + 1);
}

/* Keeps the strings of an instance in one block. */
static int
keep(struct call_place *place, const struct origin *origin)
{
	struct call_instance *instance = &place->instance;
	size_t length = origin->reference.length;
	struct buffer text = BUFFER_INIT;

	append(&text, origin->id);
	append(&text, origin->address);
	append(&text, origin->owner == NULL ? "" : origin->owner);
	buffer_append_format(&text, "%s %s", origin->id, origin->address);
	buffer_append_char(&text, '\0');
	buffer_append(&text, origin->reference.data, length);
	if (buffer_failed(&text) || buffer_failed(&origin->reference)) {
		buffer_release(&text);
		return -1;
	}
	free(place->memory);
	place->memory = buffer_detach(&text);
	instance->service = place->service->name;
	instance->id = place->memory;
	instance->address = instance->id + strlen(instance->id) + 1;
	place->owner = instance->address + strlen(instance->address) + 1;
	place->key = place->owner + strlen(place->owner) + 1;
	instance->reference.data = place->key + strlen(place->key) + 1;
	instance->reference.length = length;
	if (origin->told)
		place->key = instance->id;
	if (*place->owner == '\0')
		place->owner = NULL;
	return 0;
}

/* An instance that names no slots has as many as the engine has jobs. */
static void
set_slots(const struct call_pool *pool, struct call_place *place, double slots)
{
	unsigned said = pool->jobs;

	if (slots > 0 && slots < pool->jobs)
		said = slots < 1 ? 1 : (unsigned)slots;
	if (place->limit >= place->slots || place->limit > said)
		place->limit = said;
	place->slots = said;
}

static struct call_place *
new_place(struct call_pool *pool, struct call_service *service,
    const struct origin *origin)
{
	struct call_place *place = calloc(1, sizeof(*place));

	if (place == NULL)
		return NULL;
	place->service = service;
	place->member = CALL_NOBODY;
	call_lane_init(&place->lane, service, place);
	if (keep(place, origin) == -1 ||
	    tsearch(place, &service->tree, compare_places) == NULL) {
		free(place->memory);
		free(place);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&service->places, place, link);
	place->told = origin->told;
	place->works = place->stays = true;
	set_slots(pool, place, origin->slots);
	if (!place->told)
		pool->strays++;
	return place;
}

/* Out of the tree: nothing finds it any more. */
static void
unlink_place(struct call_pool *pool, struct call_place *place)
{
	if (place->gone)
		return;
	tdelete(place, &place->service->tree, compare_places);
	if (!place->told)
		pool->strays--;
	place->gone = true;
}

void
call_place_free(struct call_pool *pool, struct call_place *place)
{
	unlink_place(pool, place);
	call_place_leave(place);
	call_ejection_cancel(pool, place, 0);
	call_place_rest(pool, place, 0);
	call_lane_update(pool, &place->lane);
	TAILQ_REMOVE(&place->service->places, place, link);
	call_target_free(pool->http, place->target);
	free(place->memory);
	free(place);
}

/*
 * To the service's lanes, each by what it requires.  What cannot be read, as of
 * a planned task nobody has, asks for nothing.
 */
static void
scatter(struct call_pool *pool, struct call_lane *lane)
{
	struct call_lane *to;
	struct svc_error error;
	struct call_job *job;

	while ((job = TAILQ_FIRST(&lane->jobs)) != NULL) {
		to = call_pool_lane(pool, lane->service, job->task, &error);
		call_lane_remove(pool, lane, job);
		call_lane_add(
		    pool, to == NULL ? &lane->service->lane : to, job);
	}
}

/*
 * Its tasks go to lane (NULL: to the service's); it ends when its last request
 * does.
 */
static void
retire(struct call_pool *pool, struct call_place *place, struct call_lane *lane)
{
	unlink_place(pool, place);
	place->works = place->stays = false;
	call_place_leave(place);
	call_ejection_cancel(pool, place, 0);
	call_place_update(pool, place);
	if (lane == NULL)
		scatter(pool, &place->lane);
	else
		call_lane_move(pool, &place->lane, lane);
	if (call_place_idle(place))
		call_place_free(pool, place);
}

static void
print_reference(
    struct buffer *out, const char *service, const struct task_instance *from)
{
	buffer_append_string(out, "{\"service\":");
	json_append_string(out, service, strlen(service));
	buffer_append_string(out, ",\"id\":");
	json_append_string(out, from->id, strlen(from->id));
	buffer_append_string(out, ",\"address\":");
	json_append_string(out, from->address, strlen(from->address));
	if (from->slots > 0) {
		buffer_append_string(out, ",\"slots\":");
		json_append_number(out, from->slots);
	}
	buffer_append_char(out, '}');
}

/* Lines may name any number of instances; kept is the service at hand. */
static void
drop_strays(struct call_pool *pool, const struct call_service *kept)
{
	struct call_service *service, *next_service;
	struct call_place *place, *next;

	TAILQ_FOREACH_SAFE(service, &pool->services, link, next_service)
	{
		TAILQ_FOREACH_SAFE(place, &service->places, link, next)
		if (!place->told && call_place_idle(place))
			call_place_free(pool, place);
		if (service != kept)
			call_pool_forget(pool, service);
	}
	pool->strays_limit = 2 * pool->strays;
	if (pool->strays_limit < STRAYS_MAX)
		pool->strays_limit = STRAYS_MAX;
}

static struct call_place *
new_stray(struct call_pool *pool, struct call_service *service,
    const struct task_instance *planned)
{
	struct origin origin = {planned->id, planned->address, NULL,
	    planned->slots, false, BUFFER_INIT};
	struct call_place *place;

	if (pool->strays >= pool->strays_limit)
		drop_strays(pool, service);
	print_reference(&origin.reference, service->name, planned);
	place = new_place(pool, service, &origin);
	buffer_release(&origin.reference);
	return place;
}

int
call_pool_planned(struct call_pool *pool, struct call_service *service,
    const struct task_instance *planned, struct call_place **place,
    struct svc_error *error)
{
	if (service->told) {
		*place = find_place(service, planned->id);
		return *place != NULL && (*place)->stays;
	}
	*place = find_stray(service, planned->id, planned->address);
	if (*place == NULL)
		*place = new_stray(pool, service, planned);
	if (*place == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 1;
}

static bool
same_owner(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What tasks planned onto a stray is the registry's from here on. */
static void
adopt(struct call_pool *pool, struct call_service *service,
    const struct origin *origin, struct call_place *place)
{
	struct call_place *stray;

	stray = find_stray(service, origin->id, origin->address);
	if (stray != NULL)
		retire(pool, stray, &place->lane);
}

static int
tell_one(struct call_pool *pool, struct call_service *service,
    const struct origin *origin, bool works, bool stays)
{
	struct call_place *place = find_place(service, origin->id), *old = NULL;

	/* The same id elsewhere is another process: its requests run out. */
	if (place != NULL &&
	    (strcmp(place->instance.address, origin->address) != 0 ||
		!same_owner(place->owner, origin->owner))) {
		old = place;
		unlink_place(pool, old);
		place = NULL;
	}
	if (place == NULL) {
		place = new_place(pool, service, origin);
		if (place == NULL)
			return -1;
		adopt(pool, service, origin, place);
	} else {
		set_slots(pool, place, origin->slots);
	}
	if (old != NULL)
		retire(pool, old, &place->lane);
	place->works = works;
	place->stays = stays;
	place->mark = true;
	call_place_update(pool, place);
	return 0;
}

/*
 * More than what gets new work: a warning, or that nothing was known yet, did
 * not keep who planned the task from it.
 */
static bool
may_stay(const struct instance *instance)
{
	return instance_works(instance) || instance->status == STATUS_UNKNOWN;
}

int
call_roster_take(struct call_pool *pool, struct call_service *service,
    const struct instance *instances, size_t count)
{
	struct origin origin;
	int result = 0;
	size_t i;

	for (i = 0; i < count && result == 0; i++) {
		memset(&origin, 0, sizeof(origin));
		origin.id = instances[i].id;
		origin.address = instances[i].address;
		origin.owner = instances[i].owner;
		origin.slots = instances[i].slots;
		origin.told = true;
		instance_print_reference(&instances[i], &origin.reference);
		result = tell_one(pool, service, &origin,
		    instance_works(&instances[i]), may_stay(&instances[i]));
		buffer_release(&origin.reference);
	}
	return result;
}

void
call_roster_sweep(struct call_pool *pool, struct call_service *service)
{
	struct call_place *place, *next;

	service->place_count = 0;
	TAILQ_FOREACH_SAFE(place, &service->places, link, next)
	{
		if (place->gone)
			continue;
		if (!place->mark) {
			retire(pool, place, NULL);
			continue;
		}
		place->mark = false;
		service->place_count++;
		if (!place->stays)
			scatter(pool, &place->lane);
	}
}
