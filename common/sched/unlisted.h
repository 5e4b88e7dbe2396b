/*
 * Who of a service is on no list of the pool, because of its status or its
 * labels: found once for all tasks that have the same selector.
 */
#ifndef SVCKIT_SCHED_UNLISTED_H
#define SVCKIT_SCHED_UNLISTED_H

#include <stddef.h>
#include <stdint.h>

#include "sched/demand.h"
#include "sched/filter.h"
#include "sched/memo.h"
#include "sched/name_table.h"
#include "sched/reason.h"

struct unlisted {
	/* each instance once: for its status, else for a label */
	struct reason_tally tally;
	/*
	 * The label that each instance of the service fails first, a number in
	 * names, or NAME_TABLE_NONE; NULL: the demand has no selector.
	 */
	uint32_t *labels;
	struct name_table names;
	/* who is not in the tally, but has no slots, speed or weight */
	uint32_t *idle;
	size_t idle_count;
};

struct unlisted_cache {
	const struct filter *filter; /* borrowed */
	struct memo memo; /* by selector */
};

void unlisted_cache_init(
    struct unlisted_cache *cache, const struct filter *filter);
void unlisted_cache_release(struct unlisted_cache *cache);

/*
 * Of count instances from first on, which are those of one service; owned by
 * the cache until the next call.  NULL: no memory.
 */
const struct unlisted *unlisted_find(struct unlisted_cache *cache,
    uint32_t first, size_t count, const struct demand *demand);

#endif
