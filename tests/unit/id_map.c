#include "flow/id_map.h"

#include <stdbool.h>
#include <stdlib.h>

#include "check.h"

#define THINGS 5000
#define STEPS  60000

struct thing {
	struct id_node node;
	bool there; /* the reference */
	char id[16];
};

static uint32_t
below(uint32_t *state, uint32_t bound)
{
	*state = *state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)*state * bound) >> 32);
}

static struct thing *
make_things(void)
{
	struct thing *things = calloc(THINGS, sizeof(*things));
	int i;

	if (things == NULL) {
		printf("Bail out! out of memory\n");
		exit(1);
	}
	for (i = 0; i < THINGS; i++) {
		snprintf(things[i].id, sizeof(things[i].id), "t%d", i);
		things[i].node.id = things[i].id;
	}
	return things;
}

static void
keep(void *argument, struct id_node *node)
{
	(void)argument;
	(void)node;
}

static void
an_empty_one_finds_nothing(void)
{
	struct id_map map = {0};

	CHECK(id_map_find(&map, "a") == NULL);
	CHECK(id_map_find(&map, "") == NULL);
	id_map_release(&map, keep, NULL);
}

/* Fills and empties it by turns, so that it grows and shrinks. */
static void
each_is_found_while_it_is_there(void)
{
	struct thing *things = make_things(), *thing;
	struct id_map map = {0};
	uint32_t random = 3;
	size_t count = 0;
	int step, wrong = 0;
	bool fill;

	for (step = 0; step < STEPS; step++) {
		fill = below(&random, 10) < (step / 15000 % 2 == 0 ? 9 : 1);
		thing = &things[below(&random, THINGS)];
		wrong += (id_map_find(&map, thing->id) == &thing->node) !=
			 thing->there;
		if (fill && !thing->there) {
			CHECK(id_map_add(&map, &thing->node) == 0);
			thing->there = true;
			count++;
		} else if (!fill && thing->there) {
			id_map_remove(&map, &thing->node);
			thing->there = false;
			count--;
		}
		wrong += map.count != count;
	}
	CHECK(wrong == 0);
	for (thing = things; thing < things + THINGS; thing++)
		wrong += (id_map_find(&map, thing->id) != NULL) != thing->there;
	CHECK(wrong == 0);
	id_map_release(&map, keep, NULL);
	free(things);
}

static void
it_gives_back_what_it_took(void)
{
	struct thing *things = make_things();
	struct id_map map = {0};
	size_t most;
	int i;

	for (i = 0; i < THINGS; i++)
		CHECK(id_map_add(&map, &things[i].node) == 0);
	most = map.chain_count;
	CHECK(most >= THINGS / 2 && most <= 4 * THINGS);
	for (i = 0; i < THINGS - 10; i++)
		id_map_remove(&map, &things[i].node);
	CHECK(map.chain_count <= 128);
	for (; i < THINGS; i++)
		CHECK(id_map_find(&map, things[i].id) == &things[i].node);
	while (i-- > THINGS - 10)
		id_map_remove(&map, &things[i].node);
	id_map_release(&map, keep, NULL);
	free(things);
}

static void
count_dropped(void *argument, struct id_node *node)
{
	struct thing *thing = (struct thing *)node;
	int *count = argument;

	CHECK(!thing->there);
	thing->there = true;
	(*count)++;
}

static void
each_is_dropped_once_when_it_is_released(void)
{
	struct thing *things = make_things();
	struct id_map map = {0};
	int i, dropped = 0;

	for (i = 0; i < THINGS; i++)
		CHECK(id_map_add(&map, &things[i].node) == 0);
	id_map_release(&map, count_dropped, &dropped);
	CHECK(dropped == THINGS);
	CHECK(id_map_find(&map, "t1") == NULL);
	free(things);
}

int
main(void)
{
	RUN(an_empty_one_finds_nothing);
	RUN(each_is_found_while_it_is_there);
	RUN(it_gives_back_what_it_took);
	RUN(each_is_dropped_once_when_it_is_released);
	return check_done();
}
