#include "flow/queue_lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CAPACITY_MIN 16

void
queue_lanes_init(
    struct queue_lanes *lanes, const struct queue_lanes_options *options)
{
	memset(lanes, 0, sizeof(*lanes));
	lanes->options = *options;
	lanes->names = (struct name_table)NAME_TABLE_INIT;
}

void
queue_lanes_release(struct queue_lanes *lanes)
{
	free(lanes->lanes);
	free(lanes->services);
	name_table_release(&lanes->names);
}

void
queue_lanes_clear(struct queue_lanes *lanes)
{
	lanes->count = 0;
	lanes->cursor = 0;
}

/* items, of which there are capacity, with room for one behind count. */
static int
grow(void **items, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity == 0 ? CAPACITY_MIN : 2 * *capacity;
	void *grown;

	if (count < *capacity)
		return 0;
	grown = reallocarray(*items, wanted, size);
	if (grown == NULL)
		return -1;
	*items = grown;
	*capacity = wanted;
	return 0;
}

static int
add_service(struct queue_lanes *lanes, const char *name, uint32_t *number)
{
	size_t known = lanes->names.count;
	void *services = lanes->services;

	if (grow(&services, &lanes->service_capacity, known,
		sizeof(*lanes->services)) == -1)
		return -1;
	lanes->services = services;
	if (name_table_add(&lanes->names, name, strlen(name), number) == -1)
		return -1;
	if (lanes->names.count > known)
		memset(&lanes->services[*number], 0, sizeof(*lanes->services));
	return 0;
}

static int
add_lane(struct queue_lanes *lanes, const char *service)
{
	void *grown = lanes->lanes;
	uint32_t number;

	if (add_service(lanes, lanes->options.local ? "" : service, &number) ==
		-1 ||
	    grow(&grown, &lanes->capacity, lanes->count,
		sizeof(*lanes->lanes)) == -1)
		return -1;
	lanes->lanes = grown;
	memset(&lanes->lanes[lanes->count], 0, sizeof(*lanes->lanes));
	lanes->lanes[lanes->count].service = number;
	lanes->count++;
	return 0;
}

int
queue_lanes_learn(struct queue_lanes *lanes, const struct queue_book *book,
    struct svc_error *error)
{
	size_t count = queue_book_lanes(book);

	while (lanes->count < count)
		if (add_lane(lanes,
			queue_book_service(book, (uint32_t)lanes->count)) == -1)
			return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

/*
 * It is asked for once a round.  Those of no service need none: they fail, or
 * are no task lines at all.
 */
static bool
has_room(struct queue_lanes *lanes, uint32_t number)
{
	struct queue_lane_service *service = &lanes->services[number];
	const char *name = name_table_name(&lanes->names, number);

	if (*name == '\0' && !lanes->options.local)
		return true;
	if (service->asked != lanes->round) {
		service->asked = lanes->round;
		service->vacant =
		    lanes->options.vacant(lanes->options.argument, name);
	}
	return service->vacant > service->taken;
}

uint32_t
queue_lanes_next(
    struct queue_lanes *lanes, const struct queue_book *book, double now)
{
	const struct queue_lane *lane;
	size_t i, number;

	lanes->round++;
	for (i = 0; i < lanes->count; i++) {
		number = (lanes->cursor + i) % lanes->count;
		lane = &lanes->lanes[number];
		if (lane->taken || lane->rests > now ||
		    queue_book_ready(book, (uint32_t)number) == 0 ||
		    !has_room(lanes, lane->service))
			continue;
		return (uint32_t)number;
	}
	return QUEUE_LANE_NONE;
}

void
queue_lanes_enter(
    struct queue_lanes *lanes, uint32_t lane, struct queue_claim *claim)
{
	lanes->cursor = (size_t)lane + 1;
	claim->lane = lane;
	claim->service = lanes->lanes[lane].service;
	lanes->lanes[lane].taken = true;
	lanes->services[claim->service].taken++;
}

void
queue_lanes_leave(struct queue_lanes *lanes, struct queue_claim *claim)
{
	if (claim->begun)
		return;
	claim->begun = true;
	lanes->services[claim->service].taken--;
	if (claim->lane != QUEUE_LANE_NONE)
		lanes->lanes[claim->lane].taken = false;
}

void
queue_lanes_rest(
    struct queue_lanes *lanes, const struct queue_claim *claim, double until)
{
	if (claim->lane != QUEUE_LANE_NONE)
		lanes->lanes[claim->lane].rests = until;
}

double
queue_lanes_rested(
    const struct queue_lanes *lanes, const struct queue_book *book, double now)
{
	double at = HUGE_VAL;
	size_t i;

	for (i = 0; i < lanes->count; i++)
		if (lanes->lanes[i].rests > now &&
		    queue_book_ready(book, (uint32_t)i) > 0)
			at = fmin(at, lanes->lanes[i].rests);
	return at;
}
