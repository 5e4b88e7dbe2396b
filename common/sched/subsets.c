#include "sched/subsets.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Bytes of keys that are remembered. */
#define BYTES_MAX (4UL << 20)

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

void
subsets_init(
    struct subsets *subsets, const struct filter *filter, size_t pool_count)
{
	memset(subsets, 0, sizeof(*subsets));
	subsets->filter = filter;
	subsets->pool_count = pool_count;
	/* as far from those of other lists as there will be any */
	subsets->sets.serial = UINT64_MAX / 2;
	subsets->keys.value_size = sizeof(struct eligible);
	subsets->keys.cost_max = BYTES_MAX;
}

void
subsets_release(struct subsets *subsets)
{
	size_t i;

	memo_clear(&subsets->keys);
	member_sets_clear(&subsets->sets);
	for (i = 0; i < SUBSETS_VALID; i++)
		free(subsets->valid[i].members);
}

/* Forgets all sets; those that are still valid keep members of their own. */
static void
forget(struct subsets *subsets)
{
	size_t i;

	for (i = 0; i < SUBSETS_VALID; i++) {
		struct subset *subset = &subsets->valid[i];

		if (subset->list.count > 0 &&
		    subset->list.members != subset->members)
			memcpy(subset->members, subset->list.members,
			    subset->list.count * sizeof(*subset->members));
		subset->list.members = subset->members;
	}
	memo_clear(&subsets->keys);
	member_sets_clear(&subsets->sets);
}

/* That whose list is not valid any more; NULL: no memory. */
static struct subset *
next_subset(struct subsets *subsets)
{
	struct subset *subset = &subsets->valid[subsets->next];

	if (subset->members == NULL)
		subset->members =
		    calloc(subsets->pool_count + 1, sizeof(*subset->members));
	if (subset->members == NULL)
		return NULL;
	subset->list.members = subset->members;
	subset->list.count = 0;
	subsets->next = (subsets->next + 1) % SUBSETS_VALID;
	return subset;
}

/* Makes subset that of list with these members. */
static int
fill(struct subsets *subsets, struct subset *subset,
    const struct eligible *list, const uint32_t *members, size_t count,
    struct svc_error *error)
{
	const struct member_set *set = NULL;
	int found = 0;

	while (found == 0) {
		found = member_sets_find(
		    &subsets->sets, members, count, &set, error);
		if (found == 0)
			forget(subsets);
	}
	if (found == -1)
		return -1;
	subset->list = *list;
	subset->list.members = set->members;
	subset->list.count = count;
	subset->list.serial = set->serial;
	subset->list.slot = SETS_MAX + set->slot;
	subset->list.mixed =
	    list->mixed && filter_mixed(subsets->filter, members, count);
	return 0;
}

int
subsets_mark(struct subsets *subsets, const struct eligible *list,
    const unsigned char *keep, const struct eligible **made,
    struct svc_error *error)
{
	struct subset *subset = next_subset(subsets);
	size_t i, kept = 0;

	if (subset == NULL)
		return no_memory(error);
	for (i = 0; i < list->count; i++) {
		subset->members[kept] = list->members[i];
		kept += keep[i] != 0;
	}
	*made = list;
	if (kept == list->count)
		return 0;
	*made = &subset->list;
	return fill(subsets, subset, list, subset->members, kept, error);
}

int
subsets_keep(struct subsets *subsets, const struct eligible *list,
    const uint32_t *members, size_t count, const char *key, size_t length,
    const struct eligible **made, struct svc_error *error)
{
	struct subset *subset = next_subset(subsets);

	if (subset == NULL)
		return no_memory(error);
	*made = &subset->list;
	if (fill(subsets, subset, list, members, count, error) == -1)
		return -1;
	if (key != NULL &&
	    memo_keep(&subsets->keys, 0, key, length, &subset->list, 0) == NULL)
		return no_memory(error);
	return 0;
}

int
subsets_recall(struct subsets *subsets, const struct eligible *list,
    const char *key, size_t length, const struct eligible **recalled)
{
	const struct eligible *kept = memo_find(&subsets->keys, 0, key, length);
	struct subset *subset = kept == NULL ? NULL : next_subset(subsets);

	if (subset == NULL)
		return 0;
	subset->list = *kept;
	subset->list.service = list->service;
	subset->list.demand = list->demand;
	*recalled = &subset->list;
	return 1;
}
