/*
 * Inside the call engine: who of a pool's members (sched/pool.h) has room for a
 * request more at this moment, and how loaded each is.
 *
 * A member whose requests fail of late waits while one that is full has less
 * load: to wait for that one is better, and an instance that fails fast would
 * get all that the others have no slot for.  An ejected one has no room, unless
 * all who could take a task are ejected.
 */
#ifndef SVCKIT_NET_CALL_SEATS_H
#define SVCKIT_NET_CALL_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/pool.h"
#include "sched/room_scan.h"

#define CALL_NOBODY UINT32_MAX

struct call_load {
	unsigned open; /* requests */
	unsigned failures; /* of late */
	bool ready; /* it works and has a slot */
	bool full; /* it works and has none, for what is open */
	bool ejected;
};

struct call_seats {
	size_t count; /* members */
	double *own; /* what policies compare: (open + 1) / slots + failures */
	double *loads; /* open + 1 + failures */
	double *slots;
	unsigned char *states;
	uint64_t *ready; /* a bit for each member */
	uint64_t *free; /* ready and not ejected */
	size_t ready_count;
	size_t free_count;
	size_t full_count;
	size_t ejected_count;
};

/* Whom a task may go to: made for one list, and valid until a load is set. */
struct call_search {
	const struct call_seats *seats;
	const struct eligible *list;
	const double *weights; /* who has 0 is not found; or NULL */
	uint32_t avoid; /* not found either; or CALL_NOBODY */
	/* what it has to have left of its capacities; or NULL */
	const struct room_number *numbers;
	size_t number_count;
	const uint64_t *bits; /* of seats: who has room */
	double full; /* the least load of a full one; INFINITY: none */
	bool looked; /* it is known */
};

/* Of pool's members, none of which has room.  -1: no memory. */
int call_seats_init(struct call_seats *seats, struct pool *pool);
void call_seats_release(struct call_seats *seats);

void call_seats_set(
    struct call_seats *seats, uint32_t member, const struct call_load *load);

/* weights: policy_weights(). */
void call_search_init(struct call_search *search,
    const struct call_seats *seats, const struct eligible *list,
    const double *weights, uint32_t avoid);

/* The task takes numbers (count of them, borrowed) from whoever gets it. */
void call_search_need(struct call_search *search,
    const struct room_number *numbers, size_t count);

/* Whether member of the list may get the task. */
bool call_search_takes(struct call_search *search, uint32_t member);

/*
 * All of the list who may, ascending, into members, which has room for all
 * members of the pool.  Who is ejected may from here on, where nobody else is
 * on the list.
 */
size_t call_search_all(struct call_search *search, uint32_t *members);

#endif
