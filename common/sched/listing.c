#include "sched/listing.h"

#include <string.h>
#include <sysexits.h>

/* Bytes of questions that are remembered, twice. */
#define BYTES_MAX (1UL << 20)

/* What was worked out for one "requires" of one service. */
struct requirement {
	struct demand demand;
	struct eligible eligible; /* members NULL: not worked out */
	struct eligible labelled;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static void
release_requirement(void *value)
{
	struct requirement *requirement = value;

	demand_release(&requirement->demand);
}

int
listing_init(
    struct listing *listing, const struct instance *instances, size_t count)
{
	static const struct buffer empty = BUFFER_INIT;

	memset(listing, 0, sizeof(*listing));
	listing->key = empty;
	listing->requirements.value_size = sizeof(struct requirement);
	listing->requirements.cost_max = BYTES_MAX;
	listing->requirements.release = release_requirement;
	listing->lists.value_size = sizeof(struct eligible);
	listing->lists.cost_max = BYTES_MAX;
	return filter_init(&listing->filter, instances, count);
}

static void
forget(struct listing *listing)
{
	memo_clear(&listing->requirements);
	memo_clear(&listing->lists);
	member_sets_clear(&listing->sets);
}

void
listing_release(struct listing *listing)
{
	forget(listing);
	buffer_release(&listing->key);
	filter_release(&listing->filter);
}

/*
 * What a demand comes to, as bytes: a list without a look at the numbers has
 * no capacities in its key.
 */
static int
make_key(struct listing *listing, const struct demand *demand, bool labelled)
{
	struct buffer *key = &listing->key;
	double below, above;
	size_t k;

	buffer_clear(key);
	buffer_append_char(key, labelled ? 'l' : 'e');
	for (k = 0; !labelled && k < demand->count; k++) {
		const struct demand_number *number = &demand->numbers[k];

		if (capacities_around(&listing->filter.capacities, number->name,
			number->amount, &below, &above) == -1)
			return -1;
		buffer_append(key, (const char *)&above, sizeof(above));
		buffer_append(key, number->name, strlen(number->name) + 1);
	}
	if (demand->selector != NULL)
		buffer_append_string(key, demand->selector);
	return buffer_failed(key) ? -1 : 0;
}

/* Leaves in the filter who is to be on the list. */
static int
sift(struct filter *filter, const struct listing_range *range,
    const struct demand *demand, bool labelled)
{
	if (filter_labelled(filter, range->first, range->count, demand) == -1)
		return -1;
	if (labelled)
		return 0;
	if (filter_numbers(filter, demand) == -1)
		return -1;
	if (filter_mixed(filter, filter->list, filter->count))
		filter_passing(filter);
	return 0;
}

/*
 * Makes a list of what demand, whose key is made, comes to.  1; 0: there is no
 * room for its set, forget() first; -1.
 */
static int
make_list(struct listing *listing, const struct listing_range *range,
    const struct demand *demand, bool labelled, struct eligible *list,
    struct svc_error *error)
{
	struct filter *filter = &listing->filter;
	const struct member_set *set = NULL;
	int found;

	if (sift(filter, range, demand, labelled) == -1)
		return no_memory(error);
	found = member_sets_find(
	    &listing->sets, filter->list, filter->count, &set, error);
	if (found != 1)
		return found;
	memset(list, 0, sizeof(*list));
	list->members = set->members;
	list->count = set->count;
	list->serial = set->serial;
	list->slot = set->slot;
	list->service = range->service;
	list->mixed =
	    labelled && filter_mixed(filter, list->members, list->count);
	if (memo_keep(&listing->lists, range->topic, listing->key.data,
		listing->key.length, list, 0) == NULL)
		return no_memory(error);
	return 1;
}

/* Fills list, for demand.  As make_list(). */
static int
find_list(struct listing *listing, const struct listing_range *range,
    const struct demand *demand, bool labelled, struct eligible *list,
    struct svc_error *error)
{
	const struct eligible *known;
	int found = 1;

	if (make_key(listing, demand, labelled) == -1)
		return no_memory(error);
	known = memo_find(&listing->lists, range->topic, listing->key.data,
	    listing->key.length);
	if (known != NULL)
		*list = *known;
	else
		found =
		    make_list(listing, range, demand, labelled, list, error);
	list->demand = demand;
	return found;
}

/* The one for requires, parsed, but maybe without lists. */
static struct requirement *
find_requirement(struct listing *listing, size_t topic,
    const struct json_value *requires, struct svc_error *error)
{
	const char *bytes = requires == NULL ? NULL : requires->span.data;
	size_t length = bytes == NULL ? 0 : requires->span.length;
	struct requirement *kept, requirement;

	kept = memo_find(&listing->requirements, topic, bytes, length);
	if (kept != NULL)
		return kept;
	memset(&requirement, 0, sizeof(requirement));
	if (demand_parse(&requirement.demand, requires, error) == -1)
		return NULL;
	kept = memo_keep(
	    &listing->requirements, topic, bytes, length, &requirement, 0);
	if (kept == NULL) {
		demand_release(&requirement.demand);
		no_memory(error);
	}
	return kept;
}

int
listing_find(struct listing *listing, const struct listing_range *range,
    const struct json_value *requires, bool labelled,
    const struct eligible **found, struct svc_error *error)
{
	struct requirement *requirement;
	struct eligible *list;

	for (;;) {
		requirement =
		    find_requirement(listing, range->topic, requires, error);
		if (requirement == NULL)
			return -1;
		*found = list =
		    labelled ? &requirement->labelled : &requirement->eligible;
		if (list->members != NULL)
			return 0;
		switch (find_list(listing, range, &requirement->demand,
		    labelled, list, error)) {
		case -1:
			list->members = NULL;
			return -1;
		case 0: /* the requirement goes with the sets */
			forget(listing);
		}
	}
}
