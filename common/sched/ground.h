/*
 * Grounds: what constraints come to that do not depend on where earlier tasks
 * went.  Who of a list is fast enough for a deadline and has the labels of a
 * spread, and which domains (domains.h) there are to compare, is found once for
 * all tasks that are alike.
 */
#ifndef SVCKIT_SCHED_GROUND_H
#define SVCKIT_SCHED_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "sched/domains.h"
#include "sched/memo.h"
#include "sched/pool.h"

/* The domains of one label that some of the members are in. */
struct ground_domains {
	uint32_t *numbers;
	size_t count;
	size_t compared; /* the first so many: somebody has the numbers */
};

struct ground {
	uint64_t number; /* of its own in the pool, whoever asks */
	/*
	 * Those of the list that are fast enough, have all labels of the
	 * spread, and pass where only those that do count; ascending.
	 */
	uint32_t *members;
	size_t count;
	double fastest; /* of the list, who has the numbers; 0: nobody */
	/* of a mixed list, one that passes has the numbers */
	bool passing_only;
	struct ground_domains *domains; /* of each label */
	size_t domains_count;
};

struct grounds {
	struct pool *pool; /* borrowed */
	struct memo memo;
	struct buffer key; /* scratch */
};

void grounds_init(struct grounds *grounds, struct pool *pool);
void grounds_release(struct grounds *grounds);

/*
 * That of list for its demand, for tasks that only members of at least such a
 * speed can end in time; columns are those of the labels of its spread.  Owned
 * by grounds until the next call.  NULL: no memory.
 */
const struct ground *grounds_find(struct grounds *grounds,
    const struct eligible *list, double speed,
    const struct domain_column *const *columns, size_t count);

#endif
