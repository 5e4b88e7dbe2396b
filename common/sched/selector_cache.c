#include "sched/selector_cache.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of answers that are remembered. */
#define BYTES_MAX (16UL << 20)

static void
release_matches(void *value)
{
	free(*(unsigned char **)value);
}

void
selector_cache_init(struct selector_cache *selections,
    const struct instance *instances, size_t count)
{
	memset(selections, 0, sizeof(*selections));
	selections->instances = instances;
	selections->instance_count = count;
	selections->memo.value_size = sizeof(unsigned char *);
	selections->memo.cost_max = BYTES_MAX;
	selections->memo.release = release_matches;
}

void
selector_cache_release(struct selector_cache *selections)
{
	memo_clear(&selections->memo);
}

const unsigned char *
selector_cache_find(struct selector_cache *selections,
    const struct selector *selector, const char *text)
{
	size_t length = strlen(text), i;
	unsigned char **kept, *matches;

	kept = memo_find(&selections->memo, 0, text, length);
	if (kept != NULL)
		return *kept;
	matches = malloc(selections->instance_count + 1);
	if (matches == NULL)
		return NULL;
	for (i = 0; i < selections->instance_count; i++)
		matches[i] =
		    selector_match(selector, &selections->instances[i]);
	kept = memo_keep(&selections->memo, 0, text, length, &matches,
	    selections->instance_count);
	if (kept == NULL)
		free(matches);
	return kept == NULL ? NULL : matches;
}
