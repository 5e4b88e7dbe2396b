#include "sched/selector_cache.h"

#include <stdlib.h>
#include <string.h>

void
selector_cache_release(struct selector_cache *selections)
{
	size_t i;

	for (i = 0; i < selections->count; i++) {
		free(selections->items[i].text);
		free(selections->items[i].matches);
	}
	selections->count = 0;
}

const unsigned char *
selector_cache_find(struct selector_cache *selections,
    const struct selector *selector, const char *text)
{
	struct selector_cache_entry *selection;
	size_t i;

	for (i = 0; i < selections->count; i++)
		if (strcmp(selections->items[i].text, text) == 0)
			return selections->items[i].matches;
	if (selections->count == SELECTIONS_MAX)
		selector_cache_release(selections);
	selection = &selections->items[selections->count];
	selection->text = strdup(text);
	selection->matches = calloc(selections->instance_count + 1, 1);
	if (selection->text == NULL || selection->matches == NULL) {
		free(selection->text);
		free(selection->matches);
		return NULL;
	}
	for (i = 0; i < selections->instance_count; i++)
		selection->matches[i] =
		    selector_match(selector, &selections->instances[i]);
	selections->count++;
	return selection->matches;
}
