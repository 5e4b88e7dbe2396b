/*
 * Sets of pool members, each kept once: two tasks that ask for different
 * things but fit the same instances get the same set, so that a policy's
 * state (an alias table, a cursor) is found by the set's serial.
 */
#ifndef SVCKIT_SCHED_MEMBER_SETS_H
#define SVCKIT_SCHED_MEMBER_SETS_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"

struct member_set {
	uint32_t *members;
	size_t count;
	uint64_t hash;
	uint64_t serial; /* from 1; never used again */
	uint32_t slot; /* under SETS_MAX */
};

#define SETS_MAX	 1024
#define SETS_MEMBERS_MAX (1UL << 20) /* in all sets together */

struct member_sets {
	struct member_set *sets[SETS_MAX]; /* by slot */
	uint32_t table[2 * SETS_MAX]; /* slot + 1 by hash, open addressing */
	size_t count;
	size_t members;
	uint64_t serial;
};

/*
 * Forgets all sets and frees them, but goes on counting serials.  All zero is
 * a table without sets.
 */
void member_sets_clear(struct member_sets *sets);

/*
 * The set with these members.  1; 0: there is no room for another one, clear
 * first; -1: EX_OSERR.
 */
int member_sets_find(struct member_sets *sets, const uint32_t *members,
    size_t count, const struct member_set **set, struct svc_error *error);

#endif
