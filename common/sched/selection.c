#include "sched/selection.h"

#include <stdlib.h>
#include <string.h>

void
selections_release(struct selections *selections)
{
	size_t i;

	for (i = 0; i < selections->count; i++) {
		free(selections->items[i].text);
		free(selections->items[i].matches);
	}
	selections->count = 0;
}

const unsigned char *
selections_find(struct selections *selections, const struct selector *selector,
    const char *text)
{
	struct selection *selection;
	size_t i;

	for (i = 0; i < selections->count; i++)
		if (strcmp(selections->items[i].text, text) == 0)
			return selections->items[i].matches;
	if (selections->count == SELECTIONS_MAX)
		selections_release(selections);
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
