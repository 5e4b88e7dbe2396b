#include "flow/ready_lanes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NO_TURN	    UINT32_MAX
#define NOT_WAITING UINT32_MAX
#define LANES_LEAST 4
#define HEAP_LEAST  2
#define TURNS_MAX   ((size_t)1 << 31)

/*
 * A group in a lane.  Its share is the one of some time ago: a group that has
 * taken from another lane since then has a greater one.  It is looked at anew
 * when its turn would come, since never is it less than what stands here: when
 * a share becomes less, all are looked at.
 */
struct ready_turn {
	struct ready_row row;
	double priority; /* of the first of the row */
	double share;
	uint32_t group;
	uint32_t place; /* in its lane's heap */
};

struct ready_lane {
	struct ready_charge *charges;
	uint32_t *heap; /* turns that have tasks */
	uint64_t epoch; /* of the shares that stand in them */
	uint32_t charge_count;
	uint32_t heap_count;
	uint32_t heap_capacity;
	uint32_t last; /* the turn that was used last */
	uint32_t count; /* tasks */
};

void
ready_lanes_init(struct ready_lanes *lanes, struct ready_shares *shares)
{
	memset(lanes, 0, sizeof(*lanes));
	lanes->shares = shares;
}

void
ready_lanes_release(struct ready_lanes *lanes)
{
	size_t i;

	for (i = 0; i < lanes->count; i++) {
		free(lanes->lanes[i].charges);
		free(lanes->lanes[i].heap);
	}
	for (i = 0; i < lanes->turn_count; i++)
		ready_row_release(&lanes->turns[i].row);
	free(lanes->lanes);
	free(lanes->turns);
	name_table_release(&lanes->pairs);
	ready_lanes_init(lanes, NULL);
}

int
ready_lanes_reserve(struct ready_lanes *lanes)
{
	size_t wanted =
	    lanes->capacity == 0 ? LANES_LEAST : lanes->capacity * 2;
	struct ready_lane *grown;

	if (lanes->count < lanes->capacity)
		return 0;
	grown = reallocarray(lanes->lanes, wanted, sizeof(*grown));
	if (grown == NULL)
		return -1;
	lanes->lanes = grown;
	lanes->capacity = wanted;
	return 0;
}

void
ready_lanes_add(
    struct ready_lanes *lanes, struct ready_charge *charges, size_t count)
{
	lanes->lanes[lanes->count++] = (struct ready_lane){
	    .charges = charges,
	    .charge_count = (uint32_t)count,
	    .last = NO_TURN,
	};
}

static double
share_of(const struct ready_lanes *lanes, const struct ready_turn *turn)
{
	return lanes->shares == NULL
		   ? 0
		   : ready_shares_of(lanes->shares, turn->group);
}

static bool
comes_before(const struct ready_turn *a, const struct ready_turn *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->share != b->share)
		return a->share < b->share;
	return a->group < b->group;
}

static void
put(struct ready_lanes *lanes, struct ready_lane *lane, uint32_t place,
    uint32_t turn)
{
	lane->heap[place] = turn;
	lanes->turns[turn].place = place;
}

static void
sift_up(struct ready_lanes *lanes, struct ready_lane *lane, uint32_t place)
{
	uint32_t turn = lane->heap[place], above;

	for (; place > 0; place = above) {
		above = (place - 1) / 2;
		if (!comes_before(
			&lanes->turns[turn], &lanes->turns[lane->heap[above]]))
			break;
		put(lanes, lane, place, lane->heap[above]);
	}
	put(lanes, lane, place, turn);
}

/* The one below place whose turn comes first; heap_count: there is none. */
static size_t
first_below(const struct ready_lanes *lanes, const struct ready_lane *lane,
    size_t place)
{
	size_t below = 2 * place + 1;

	if (below >= lane->heap_count)
		return lane->heap_count;
	if (below + 1 < lane->heap_count &&
	    comes_before(&lanes->turns[lane->heap[below + 1]],
		&lanes->turns[lane->heap[below]]))
		below++;
	return below;
}

static void
sift_down(struct ready_lanes *lanes, struct ready_lane *lane, uint32_t place)
{
	uint32_t turn = lane->heap[place];
	size_t below;

	while ((below = first_below(lanes, lane, place)) < lane->heap_count &&
	       comes_before(
		   &lanes->turns[lane->heap[below]], &lanes->turns[turn])) {
		put(lanes, lane, place, lane->heap[below]);
		place = (uint32_t)below;
	}
	put(lanes, lane, place, turn);
}

static int
make_turn_room(struct ready_lanes *lanes)
{
	size_t wanted =
	    lanes->turn_capacity == 0 ? LANES_LEAST : lanes->turn_capacity * 2;
	struct ready_turn *grown;

	if (lanes->turn_count < lanes->turn_capacity)
		return 0;
	if (lanes->turn_count == TURNS_MAX)
		return -1;
	grown = reallocarray(lanes->turns, wanted, sizeof(*grown));
	if (grown == NULL)
		return -1;
	lanes->turns = grown;
	lanes->turn_capacity = wanted;
	return 0;
}

/* So that there is nothing that could fail when it takes. */
static int
join(struct ready_lanes *lanes, const struct ready_lane *lane, uint32_t group)
{
	uint32_t i;

	for (i = 0; i < lane->charge_count; i++)
		if (ready_shares_join(
			lanes->shares, group, lane->charges[i].resource) == -1)
			return -1;
	return 0;
}

/*
 * A turn with the next number; the lane has none of that group.  -1: no memory.
 */
static int
add_turn(struct ready_lanes *lanes, uint32_t number, uint32_t group)
{
	const uint32_t pair[2] = {number, group};
	struct ready_turn *turn;
	uint32_t same;

	if (make_turn_room(lanes) == -1)
		return -1;
	/* Without shares a lane has but one turn. */
	if (lanes->shares != NULL &&
	    (join(lanes, &lanes->lanes[number], group) == -1 ||
		name_table_add(&lanes->pairs, (const char *)pair, sizeof(pair),
		    &same) == -1))
		return -1;
	turn = &lanes->turns[lanes->turn_count++];
	memset(turn, 0, sizeof(*turn));
	turn->group = group;
	turn->place = NOT_WAITING;
	return 0;
}

/* Where a group's tasks stand in a lane: lane->last is it.  -1: no memory. */
static int
find_turn(struct ready_lanes *lanes, uint32_t number, uint32_t group)
{
	struct ready_lane *lane = &lanes->lanes[number];
	const uint32_t pair[2] = {number, group};
	uint32_t turn;

	if (lane->last != NO_TURN && lanes->turns[lane->last].group == group)
		return 0;
	turn = name_table_find(&lanes->pairs, (const char *)pair, sizeof(pair));
	if (turn == NAME_TABLE_NONE) {
		turn = (uint32_t)lanes->turn_count;
		if (add_turn(lanes, number, group) == -1)
			return -1;
	}
	lane->last = turn;
	return 0;
}

static int
make_heap_room(struct ready_lane *lane)
{
	uint32_t wanted =
	    lane->heap_capacity == 0 ? HEAP_LEAST : lane->heap_capacity * 2;
	uint32_t *grown;

	if (lane->heap_count < lane->heap_capacity)
		return 0;
	grown = reallocarray(lane->heap, wanted, sizeof(*grown));
	if (grown == NULL)
		return -1;
	lane->heap = grown;
	lane->heap_capacity = wanted;
	return 0;
}

int
ready_lanes_push(struct ready_lanes *lanes, uint32_t number, uint32_t group,
    const struct ready_entry *entry)
{
	struct ready_lane *lane = &lanes->lanes[number];
	struct ready_turn *turn;

	if (find_turn(lanes, number, group) == -1 || make_heap_room(lane) == -1)
		return -1;
	turn = &lanes->turns[lane->last];
	if (ready_row_push(&turn->row, entry) == -1)
		return -1;
	lane->count++;
	if (turn->place == NOT_WAITING) {
		turn->share = share_of(lanes, turn);
		turn->place = lane->heap_count++;
		lane->heap[turn->place] = lane->last;
	} else if (entry->priority <= turn->priority) {
		return 0;
	}
	turn->priority = entry->priority;
	sift_up(lanes, lane, turn->place);
	return 0;
}

/* All shares of a lane, and the order of its heap, anew. */
static void
refresh(struct ready_lanes *lanes, struct ready_lane *lane)
{
	uint32_t i;

	for (i = 0; i < lane->heap_count; i++) {
		struct ready_turn *turn = &lanes->turns[lane->heap[i]];

		turn->share = share_of(lanes, turn);
	}
	for (i = lane->heap_count / 2; i-- > 0;)
		sift_down(lanes, lane, i);
}

/* Whose turn it is, of a lane that is not empty. */
static struct ready_turn *
find_next(struct ready_lanes *lanes, struct ready_lane *lane)
{
	struct ready_turn *turn;
	double share;

	if (lanes->shares != NULL &&
	    lane->epoch != ready_shares_epoch(lanes->shares)) {
		refresh(lanes, lane);
		lane->epoch = ready_shares_epoch(lanes->shares);
	}
	for (;;) {
		turn = &lanes->turns[lane->heap[0]];
		share = share_of(lanes, turn);
		if (share == turn->share)
			return turn;
		turn->share = share;
		sift_down(lanes, lane, 0);
	}
}

int
ready_lanes_pop(struct ready_lanes *lanes, uint32_t number,
    struct ready_entry *entry, uint32_t *group)
{
	struct ready_lane *lane = &lanes->lanes[number];
	const struct ready_entry *next;
	struct ready_turn *turn;

	if (lane->count == 0)
		return 0;
	turn = find_next(lanes, lane);
	*entry = *ready_row_first(&turn->row);
	*group = turn->group;
	ready_row_pop(&turn->row);
	lane->count--;
	next = ready_row_first(&turn->row);
	if (next != NULL) {
		turn->priority = next->priority;
	} else {
		turn->place = NOT_WAITING;
		lane->heap[0] = lane->heap[--lane->heap_count];
	}
	if (lane->heap_count > 0)
		sift_down(lanes, lane, 0);
	return 1;
}

void
ready_lanes_charge(
    struct ready_lanes *lanes, uint32_t number, uint32_t group, double seconds)
{
	const struct ready_lane *lane = &lanes->lanes[number];
	uint32_t i;

	for (i = 0; i < lane->charge_count; i++)
		ready_shares_take(lanes->shares, group,
		    lane->charges[i].resource,
		    lane->charges[i].amount * seconds);
}

size_t
ready_lanes_waiting(const struct ready_lanes *lanes, uint32_t lane)
{
	return lanes->lanes[lane].count;
}
