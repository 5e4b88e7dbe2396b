#include "net/call_ejection.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "net/call_place.h"
#include "net/call_pool.h"

/* Longer than any service is called. */
#define EJECTIONS_MAX 1000

static void __attribute__((format(printf, 3, 4)))
note(const struct call_pool *pool, const struct call_place *place,
    const char *format, ...)
{
	const struct call_options *options = pool->options;
	char text[512];
	va_list arguments;
	int length;

	if (options->note == NULL)
		return;
	length = snprintf(text, sizeof(text),
	    "%s/%s: ", place->instance.service, place->instance.id);
	va_start(arguments, format);
	vsnprintf(
	    text + length, sizeof(text) - (size_t)length, format, arguments);
	va_end(arguments);
	options->note(options->note_argument, text);
}

static void
eject(struct call_pool *pool, struct call_place *place, double now)
{
	double forgiven = (now - place->ejected) / CALL_EJECTED;
	double seconds;

	if (forgiven >= place->ejections)
		place->ejections = 0;
	else if (forgiven > 0)
		place->ejections -= (unsigned)forgiven;
	if (place->ejections < EJECTIONS_MAX)
		place->ejections++;
	seconds = CALL_EJECTED * place->ejections;
	place->faults = 0;
	place->ejected = now + seconds;
	place->out = true;
	place->service->out++;
	TAILQ_INSERT_TAIL(&pool->bench, place, bench);
	note(pool, place, "%d failures in a row; not chosen for %.0f s",
	    CALL_FAULTS, seconds);
	call_place_update(pool, place);
}

void
call_ejection_fault(
    struct call_pool *pool, struct call_place *place, double now)
{
	struct call_service *service = place->service;

	if (place->out || ++place->faults < CALL_FAULTS)
		return;
	if (place->told && place->works &&
	    2 * (service->out + 1) <= service->working)
		eject(pool, place, now);
}

void
call_ejection_clear(struct call_place *place)
{
	place->faults = 0;
}

void
call_ejection_cancel(
    struct call_pool *pool, struct call_place *place, double now)
{
	if (!place->out)
		return;
	place->out = false;
	place->service->out--;
	TAILQ_REMOVE(&pool->bench, place, bench);
	if (place->ejected > now)
		place->ejected = now;
	call_place_update(pool, place);
}

double
call_ejection_wake(struct call_pool *pool, double now)
{
	struct call_place *place, *next;
	double soonest = 0;

	TAILQ_FOREACH_SAFE(place, &pool->bench, bench, next)
	{
		if (place->ejected <= now) {
			call_ejection_cancel(pool, place, now);
			note(pool, place, "may be chosen again");
			call_lanes_wake(pool, place->service);
		} else if (soonest <= 0 || place->ejected < soonest) {
			soonest = place->ejected;
		}
	}
	return soonest;
}

/* Of those that are out, who would be back first. */
static struct call_place *
first_back(const struct call_service *service)
{
	struct call_place *place, *first = NULL;

	TAILQ_FOREACH(place, &service->places, link)
	if (place->out && (first == NULL || place->ejected < first->ejected))
		first = place;
	return first;
}

void
call_ejection_limit(
    struct call_pool *pool, struct call_service *service, double now)
{
	struct call_place *place;

	while (2 * service->out > service->working) {
		place = first_back(service);
		call_ejection_cancel(pool, place, now);
		note(pool, place, "may be chosen again: too few others work");
	}
}
