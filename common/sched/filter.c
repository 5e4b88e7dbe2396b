#include "sched/filter.h"

#include <stdlib.h>
#include <string.h>

int
filter_init(
    struct filter *filter, const struct instance *instances, size_t count)
{
	memset(filter, 0, sizeof(*filter));
	filter->instances = instances;
	selector_cache_init(&filter->selections, instances, count);
	/* one more than needed: of no instances there is an array too */
	filter->idle = calloc(count + 1, sizeof(*filter->idle));
	filter->list = calloc(count + 1, sizeof(*filter->list));
	if (capacities_init(&filter->capacities, instances, count) == -1 ||
	    filter->idle == NULL || filter->list == NULL)
		return -1;
	return 0;
}

void
filter_release(struct filter *filter)
{
	selector_cache_release(&filter->selections);
	capacities_release(&filter->capacities);
	free(filter->list);
	free(filter->idle);
}

bool
filter_works(const struct filter *filter, uint32_t index)
{
	return filter->all || instance_works(&filter->instances[index]);
}

int
filter_labelled(struct filter *filter, size_t first, size_t count,
    const struct demand *demand)
{
	const unsigned char *matches = NULL;
	size_t i;

	filter->count = 0;
	if (demand->labels != NULL) {
		matches = selector_cache_find(
		    &filter->selections, demand->labels, demand->selector);
		if (matches == NULL)
			return -1;
	}
	for (i = first; i < first + count; i++)
		if (!filter->idle[i] && filter_works(filter, (uint32_t)i) &&
		    (matches == NULL || matches[i]))
			filter->list[filter->count++] = (uint32_t)i;
	return 0;
}

int
filter_numbers(struct filter *filter, const struct demand *demand)
{
	const double *values;
	size_t i, k, kept;

	for (k = 0; k < demand->count; k++) {
		values = capacities_find(
		    &filter->capacities, demand->numbers[k].name);
		if (values == NULL)
			return -1;
		kept = 0;
		for (i = 0; i < filter->count; i++) {
			/* no branch: which way it goes is anybody's guess */
			filter->list[kept] = filter->list[i];
			kept += values[filter->list[i]] >=
				demand->numbers[k].amount;
		}
		filter->count = kept;
	}
	return 0;
}

bool
filter_mixed(const struct filter *filter, const uint32_t *list, size_t count)
{
	bool passing = false, other = false;
	size_t i;

	if (filter->all)
		return false;
	for (i = 0; i < count; i++) {
		const struct instance *instance = &filter->instances[list[i]];

		if (instance->panic)
			return false;
		if (instance->status == STATUS_PASSING)
			passing = true;
		else
			other = true;
	}
	return passing && other;
}

void
filter_passing(struct filter *filter)
{
	size_t i, kept = 0;

	for (i = 0; i < filter->count; i++)
		if (filter->instances[filter->list[i]].status == STATUS_PASSING)
			filter->list[kept++] = filter->list[i];
	filter->count = kept;
}
