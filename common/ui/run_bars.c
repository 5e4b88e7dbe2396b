#include "ui/run_bars.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 64 /* of whatever grows by doubling */

void
run_bars_init(struct run_bars *run)
{
	memset(run, 0, sizeof(*run));
	memset(run->buckets, 0xff, sizeof(run->buckets)); /* RUN_BARS_NONE */
}

void
run_bars_release(struct run_bars *run)
{
	size_t i;

	for (i = 0; i < run->names.count; i++)
		min_heap_release(&run->places[i].free);
	name_table_release(&run->services);
	name_table_release(&run->names);
	byte_store_release(&run->labels);
	buffer_release(&run->key);
	free(run->places);
	free(run->slots);
	free(run->bars);
}

/* Where array is with room for one more; NULL: no memory. */
static void *
grow(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity == 0 ? LEAST : 2 * *capacity;
	void *grown;

	if (count < *capacity)
		return array;
	grown = reallocarray(array, wanted, size);
	if (grown != NULL)
		*capacity = wanted;
	return grown;
}

/* The key of an instance, no '/' being in names of services; NULL. */
static const char *
make_key(struct run_bars *run, const struct run_request *request)
{
	buffer_clear(&run->key);
	buffer_append_string(&run->key, request->service);
	buffer_append_char(&run->key, '/');
	buffer_append_string(&run->key, request->instance);
	return buffer_string(&run->key);
}

static uint32_t
find_place(struct run_bars *run, const struct run_request *request)
{
	const char *key = make_key(run, request);

	return key == NULL ? RUN_BARS_NONE
			   : name_table_find(&run->names, key, run->key.length);
}

static uint32_t
add_place(struct run_bars *run, const struct run_request *request)
{
	struct run_place *places = grow(run->places, run->names.count,
	    &run->place_capacity, sizeof(*places));
	uint32_t number, service;

	if (places == NULL)
		return RUN_BARS_NONE;
	run->places = places;
	if (name_table_add(&run->services, request->service,
		strlen(request->service), &service) == -1 ||
	    make_key(run, request) == NULL ||
	    name_table_add(
		&run->names, run->key.data, run->key.length, &number) == -1)
		return RUN_BARS_NONE;
	places[number] = (struct run_place){.number = service,
	    .service = name_table_name(&run->services, service),
	    .name = name_table_name(&run->names, number)};
	return number;
}

static uint32_t
add_slot(struct run_bars *run, uint32_t place)
{
	struct run_slot *slots = grow(
	    run->slots, run->slot_count, &run->slot_capacity, sizeof(*slots));

	if (slots == NULL)
		return RUN_BARS_NONE;
	run->slots = slots;
	slots[run->slot_count].place = place;
	slots[run->slot_count].number = run->places[place].slots++;
	return (uint32_t)run->slot_count++;
}

/* The first slot that nothing runs in, or one more. */
static uint32_t
take_slot(struct run_bars *run, uint32_t place)
{
	struct min_heap_item item;

	if (min_heap_pop(&run->places[place].free, &item))
		return item.index;
	return add_slot(run, place);
}

static struct gantt_bar *
add_bar(struct run_bars *run, const char *label)
{
	struct gantt_bar *bars =
	    grow(run->bars, run->bar_count, &run->bar_capacity, sizeof(*bars));
	size_t length = strlen(label);
	char *copy;

	if (bars == NULL)
		return NULL;
	run->bars = bars;
	copy = byte_store_reserve(&run->labels, length);
	if (copy == NULL)
		return NULL;
	memcpy(copy, label, length);
	bars[run->bar_count].label = copy;
	bars[run->bar_count].label_length = length;
	return &bars[run->bar_count];
}

static int
begin(struct run_bars *run, const struct run_request *request, double at)
{
	uint32_t place = find_place(run, request), number, *bucket;
	struct gantt_bar *bar;
	struct run_slot *slot;

	if (place == RUN_BARS_NONE)
		place = add_place(run, request);
	bar = place == RUN_BARS_NONE ? NULL : add_bar(run, request->label);
	number = bar == NULL ? RUN_BARS_NONE : take_slot(run, place);
	if (number == RUN_BARS_NONE)
		return -1;
	slot = &run->slots[number];
	bucket = &run->buckets[request->task % RUN_BARS_BUCKETS];
	slot->task = request->task;
	slot->bar = run->bar_count++;
	slot->next = *bucket;
	*bucket = number;
	bar->lane = number;
	bar->group = run->places[place].number * REQUEST_ENDS;
	bar->start = bar->end = at;
	return 0;
}

void
run_bars_begin(
    struct run_bars *run, const struct run_request *request, double at)
{
	if (!run->failed && begin(run, request, at) == -1)
		run->failed = true;
}

static void
end_bar(struct run_bars *run, const struct run_slot *slot, double at,
    enum request_end end)
{
	struct gantt_bar *bar = &run->bars[slot->bar];

	bar->group += (uint32_t)end;
	bar->end = at;
	if (at > run->end)
		run->end = at;
}

void
run_bars_end(struct run_bars *run, const struct run_request *request, double at,
    enum request_end end)
{
	uint32_t *at_bucket = &run->buckets[request->task % RUN_BARS_BUCKETS];
	uint32_t place, number;
	struct run_slot *slot;

	if (run->failed)
		return;
	place = find_place(run, request);
	for (; *at_bucket != RUN_BARS_NONE; at_bucket = &slot->next) {
		number = *at_bucket;
		slot = &run->slots[number];
		if (slot->task != request->task || slot->place != place)
			continue;
		end_bar(run, slot, at, end);
		*at_bucket = slot->next;
		if (min_heap_push(
			&run->places[place].free, slot->number, number) == -1)
			run->failed = true;
		return;
	}
}

void
run_bars_stop(struct run_bars *run, double at)
{
	uint32_t bucket, number;

	for (bucket = 0; bucket < RUN_BARS_BUCKETS; bucket++) {
		number = run->buckets[bucket];
		for (; number != RUN_BARS_NONE;
		     number = run->slots[number].next)
			end_bar(run, &run->slots[number], at, REQUEST_DROPPED);
		run->buckets[bucket] = RUN_BARS_NONE;
	}
}
