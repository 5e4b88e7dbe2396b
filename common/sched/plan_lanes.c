#include "sched/plan_lanes.h"

#include <string.h>

void
plan_lanes_init(struct plan_lanes *lanes, uint32_t count)
{
	memset(lanes, 0, sizeof(*lanes));
	lanes->count = count;
}

void
plan_lanes_release(struct plan_lanes *lanes)
{
	min_heap_release(&lanes->left);
}

uint32_t
plan_lanes_take(struct plan_lanes *lanes, uint32_t slots)
{
	struct min_heap_item item;

	lanes->taken += slots;
	return min_heap_pop(&lanes->left, &item) ? item.index
						 : lanes->reached++;
}

int
plan_lanes_give_back(struct plan_lanes *lanes, uint32_t slots, uint32_t lane)
{
	lanes->taken -= slots;
	return min_heap_push(&lanes->left, lane, lane);
}
