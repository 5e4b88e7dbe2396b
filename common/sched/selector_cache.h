/*
 * Which of many instances a selector matches, remembered by its text: tasks
 * that differ in their numbers often have the same few selectors.
 */
#ifndef SVCKIT_SCHED_SELECTOR_CACHE_H
#define SVCKIT_SCHED_SELECTOR_CACHE_H

#include <stddef.h>

#include "line/instance.h"
#include "line/selector.h"
#include "sched/memo.h"

struct selector_cache {
	const struct instance *instances; /* borrowed */
	size_t instance_count;
	struct memo memo;
};

/* instances (count) are borrowed until the release. */
void selector_cache_init(struct selector_cache *selections,
    const struct instance *instances, size_t count);
void selector_cache_release(struct selector_cache *selections);

/*
 * An array of a byte an instance, 1 where selector, whose text is text, matches
 * it; owned by selections until the next call.  NULL: no memory.
 */
const unsigned char *selector_cache_find(struct selector_cache *selections,
    const struct selector *selector, const char *text);

#endif
