/*
 * The weights of groups as they are written on a command line:
 * "alice=2,bob=0.5".
 */
#ifndef SVCKIT_SCHED_GROUP_SHARES_H
#define SVCKIT_SCHED_GROUP_SHARES_H

#include <stddef.h>

#include "line/error.h"
#include "sched/fair.h"

/* All zero is an empty list. */
struct group_shares {
	struct fair_share *items; /* owned, with the names */
	size_t count;
};

/*
 * Adds what text says.  A group's name is all before the last '=' of its part,
 * and has no comma.  EX_USAGE: a weight that is not a number above 0, a group
 * that is named twice; EX_OSERR.
 */
int group_shares_add(
    struct group_shares *shares, const char *text, struct svc_error *error);
void group_shares_release(struct group_shares *shares);

#endif
