/*
 * The lanes of ready_queue.h: in each the groups that have tasks there take
 * turns, and the tasks of a group stand in a row.
 *
 * The next turn is that of the group whose first task has the greatest
 * priority, and of those with the same, of the one with the least share.
 * Without shares all tasks are of group 0.
 */
#ifndef SVCKIT_FLOW_READY_LANES_H
#define SVCKIT_FLOW_READY_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "flow/ready_row.h"
#include "flow/ready_shares.h"
#include "sched/name_table.h"

/* What a task takes of a resource (ready_shares.h) in a second. */
struct ready_charge {
	double amount;
	uint32_t resource;
};

struct ready_turn;
struct ready_lane;

struct ready_lanes {
	struct ready_shares *shares; /* borrowed; or NULL */
	struct ready_lane *lanes; /* owned, as all below */
	size_t count;
	size_t capacity;
	struct ready_turn *turns; /* groups in lanes */
	size_t turn_count;
	size_t turn_capacity;
	struct name_table pairs; /* of a lane and a group: numbers of turns */
};

void ready_lanes_init(struct ready_lanes *lanes, struct ready_shares *shares);
void ready_lanes_release(struct ready_lanes *lanes);

/* Room for one more lane.  -1: no memory. */
int ready_lanes_reserve(struct ready_lanes *lanes);

/*
 * A new lane, for which there is room, with the next number.  charges (count of
 * them) are those of each of its tasks, and the lane's to free(3).
 */
void ready_lanes_add(
    struct ready_lanes *lanes, struct ready_charge *charges, size_t count);

/* A task of group comes to a lane.  -1: no memory. */
int ready_lanes_push(struct ready_lanes *lanes, uint32_t lane, uint32_t group,
    const struct ready_entry *entry);

/* Takes the first task, and says whose it is.  1; 0: the lane is empty. */
int ready_lanes_pop(struct ready_lanes *lanes, uint32_t lane,
    struct ready_entry *entry, uint32_t *group);

/* The group has it, so that its next turn comes later. */
void ready_lanes_charge(
    struct ready_lanes *lanes, uint32_t lane, uint32_t group, double seconds);

/* Tasks in a lane. */
size_t ready_lanes_waiting(const struct ready_lanes *lanes, uint32_t lane);

#endif
