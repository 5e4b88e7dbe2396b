/*
 * Room: what the members of a pool have left of their capacities while tasks
 * take some of it.  room_scan.h chooses by it.
 */
#ifndef SVCKIT_SCHED_ROOM_H
#define SVCKIT_SCHED_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "sched/demand.h"
#include "sched/pool.h"
#include "sched/room_scan.h"

/* One capacity; arrays of a number a member. */
struct room_column {
	char name[NAME_MAX_LENGTH + 1];
	const double *total; /* the pool's; NAN: the member has none */
	double *used; /* owned, as the others */
	double *free; /* total less used */
	double *inverse; /* 1 / total, finite */
};

struct room {
	struct pool *pool; /* borrowed */
	/* of what was ever asked for, and somebody has */
	struct room_column *columns;
	size_t count;
	uint32_t *tasks; /* on each member */
};

/* -1: no memory; release it all the same. */
int room_init(struct room *room, struct pool *pool);
void room_release(struct room *room);

/*
 * Fills numbers with what demand asks for, each beside its column.  1; 0:
 * nobody has one of them; -1: no memory.
 */
int room_find(struct room *room, const struct demand *demand,
    struct room_number numbers[DEMAND_NUMBERS_MAX]);

/*
 * A task of demand, for which room_find() returned 1, takes its numbers from
 * member, or gives them back.
 */
void room_take(struct room *room, const struct demand *demand, uint32_t member);
void room_give_back(
    struct room *room, const struct demand *demand, uint32_t member);

/*
 * What each member has left of the capacity called name; NULL: all of it,
 * nobody ever asked for it.
 */
const double *room_left(const struct room *room, const char *name);

/*
 * Appends ,"room":{"cpu":{"used":2,"of":8,"after":4}},"score":0.5,
 * "left":{"cpu":6,"mem":17179869184}: of each number of demand how much of
 * member is used, of how much, and how much would be with the task; the mean of
 * the parts used then; and what is left of everything that was ever asked for.
 */
void room_explain(struct room *room, const struct demand *demand,
    uint32_t member, struct buffer *out);

#endif
