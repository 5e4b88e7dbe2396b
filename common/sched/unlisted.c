#include "sched/unlisted.h"

#include <stdlib.h>
#include <string.h>

#include "line/selector.h"

/* Bytes of answers that are remembered. */
#define BYTES_MAX (16UL << 20)

static void
release(struct unlisted *unlisted)
{
	reason_tally_release(&unlisted->tally);
	name_table_release(&unlisted->names);
	free(unlisted->labels);
	free(unlisted->idle);
	free(unlisted);
}

static void
release_value(void *value)
{
	release(*(struct unlisted **)value);
}

void
unlisted_cache_init(struct unlisted_cache *cache, const struct filter *filter)
{
	memset(cache, 0, sizeof(*cache));
	cache->filter = filter;
	cache->memo.value_size = sizeof(struct unlisted *);
	cache->memo.cost_max = BYTES_MAX;
	cache->memo.release = release_value;
}

void
unlisted_cache_release(struct unlisted_cache *cache)
{
	memo_clear(&cache->memo);
}

/* "!zone in (a,b)" is about "zone". */
static int
add_label(struct unlisted *unlisted, const char *term, uint32_t *label)
{
	term += strspn(term, "! \t");
	return name_table_add(
	    &unlisted->names, term, strcspn(term, " \t=!<>"), label);
}

/* The label that an instance fails first, or NAME_TABLE_NONE. */
static int
find_label(struct unlisted *unlisted, const struct selector *selector,
    const struct instance *instance, uint32_t *label)
{
	const char *term = selector_failing(selector, instance);

	*label = NAME_TABLE_NONE;
	return term == NULL ? 0 : add_label(unlisted, term, label);
}

/* Counts the instance at place, unless it is on a list. */
static void
count_one(struct unlisted *unlisted, const struct filter *filter,
    uint32_t index, uint32_t label)
{
	struct reason reason = {.code = REASON_LABEL, .first = index};

	if (!filter_works(filter, index))
		reason.code = reason_of_status(filter->instances[index].status);
	else if (label != NAME_TABLE_NONE) {
		reason.name = name_table_name(&unlisted->names, label);
		reason.length = strlen(reason.name);
	} else {
		if (filter->idle[index])
			unlisted->idle[unlisted->idle_count++] = index;
		return;
	}
	reason_tally_add(&unlisted->tally, &reason);
}

static int
survey(struct unlisted *unlisted, const struct filter *filter, uint32_t first,
    size_t count, const struct selector *selector)
{
	uint32_t label = NAME_TABLE_NONE;
	size_t i;

	for (i = 0; i < count; i++) {
		uint32_t index = first + (uint32_t)i;

		if (selector != NULL &&
		    find_label(unlisted, selector, &filter->instances[index],
			&label) == -1)
			return -1;
		if (selector != NULL)
			unlisted->labels[i] = label;
		count_one(unlisted, filter, index, label);
	}
	return unlisted->tally.failed ? -1 : 0;
}

/* NULL: no memory. */
static struct unlisted *
make(const struct filter *filter, uint32_t first, size_t count,
    const struct selector *selector)
{
	static const struct name_table empty = NAME_TABLE_INIT;
	struct unlisted *unlisted = calloc(1, sizeof(*unlisted));

	if (unlisted == NULL)
		return NULL;
	unlisted->names = empty;
	unlisted->idle = calloc(count + 1, sizeof(*unlisted->idle));
	if (selector != NULL)
		unlisted->labels = calloc(count + 1, sizeof(*unlisted->labels));
	if (unlisted->idle == NULL ||
	    (selector != NULL && unlisted->labels == NULL) ||
	    survey(unlisted, filter, first, count, selector) == -1) {
		release(unlisted);
		return NULL;
	}
	return unlisted;
}

const struct unlisted *
unlisted_find(struct unlisted_cache *cache, uint32_t first, size_t count,
    const struct demand *demand)
{
	const char *text = demand->selector;
	size_t length = text == NULL ? 0 : strlen(text);
	struct unlisted **kept, *unlisted;

	kept = memo_find(&cache->memo, first, text, length);
	if (kept != NULL)
		return *kept;
	unlisted = make(cache->filter, first, count, demand->labels);
	if (unlisted == NULL)
		return NULL;
	kept = memo_keep(&cache->memo, first, text, length, &unlisted,
	    2 * count * sizeof(uint32_t));
	if (kept == NULL)
		release(unlisted);
	return kept == NULL ? NULL : unlisted;
}
