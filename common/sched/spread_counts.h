/*
 * How many tasks were placed in each domain of a label (domains.h), those of
 * one service and group counted together.
 */
#ifndef SVCKIT_SCHED_SPREAD_COUNTS_H
#define SVCKIT_SCHED_SPREAD_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "sched/domains.h"
#include "sched/name_table.h"

/* Who is counted together. */
struct spread_key {
	const char *service;
	const char *group; /* of none the length is 0 */
	size_t group_length;
};

struct spread_counts {
	struct name_table keys;
	uint64_t **counts; /* of each key, a number a domain */
	size_t capacity;
	struct buffer key; /* scratch */
};

#define SPREAD_COUNTS_INIT                            \
	{                                             \
		NAME_TABLE_INIT, NULL, 0, BUFFER_INIT \
	}

void spread_counts_release(struct spread_counts *counts);

/*
 * *numbers: column->count numbers, owned by counts; NULL, nothing was counted,
 * or, where make is true, zeroes.  -1: no memory.
 */
int spread_counts_find(struct spread_counts *counts,
    const struct spread_key *key, const struct domain_column *column, bool make,
    uint64_t **numbers);

#endif
