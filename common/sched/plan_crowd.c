#include "sched/plan_crowd.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Classes that are spread together. */
struct plan_family {
	uint32_t first; /* class; or NONE */
	bool changed;
};

static void
find_relatives(struct plan_crowd *crowd)
{
	const struct plan_classes *classes = crowd->classes;
	size_t i;

	for (i = 0; i < classes->families.count; i++)
		crowd->families[i].first = NONE;
	for (i = 0; i < classes->count; i++) {
		struct plan_family *family =
		    &crowd->families[classes->items[i].family];

		if (!classes->items[i].spread)
			continue;
		crowd->relatives[i] = family->first;
		family->first = (uint32_t)i;
	}
}

int
plan_crowd_open(struct plan_crowd *crowd, const struct plan_classes *classes)
{
	size_t families = classes->families.count + 1;
	size_t count = classes->count + 1;

	memset(crowd, 0, sizeof(*crowd));
	crowd->classes = classes;
	crowd->next = NONE;
	crowd->families = calloc(families, sizeof(*crowd->families));
	crowd->changed = calloc(families, sizeof(*crowd->changed));
	crowd->relatives = calloc(count, sizeof(*crowd->relatives));
	crowd->crowded = calloc(count, sizeof(*crowd->crowded));
	if (crowd->families == NULL || crowd->changed == NULL ||
	    crowd->relatives == NULL || crowd->crowded == NULL)
		return -1;
	find_relatives(crowd);
	return 0;
}

void
plan_crowd_close(struct plan_crowd *crowd)
{
	free(crowd->families);
	free(crowd->changed);
	free(crowd->relatives);
	free(crowd->crowded);
	memset(crowd, 0, sizeof(*crowd));
}

void
plan_crowd_change(struct plan_crowd *crowd, uint32_t class)
{
	uint32_t number = crowd->classes->items[class].family;

	if (crowd->families[number].changed)
		return;
	crowd->families[number].changed = true;
	crowd->changed[crowd->changed_count++] = number;
}

void
plan_crowd_add(struct plan_crowd *crowd, uint32_t class)
{
	crowd->crowded[class] = 1;
}

bool
plan_crowd_next(struct plan_crowd *crowd, uint32_t *class)
{
	struct plan_family *family;

	for (;;) {
		while (crowd->next != NONE) {
			*class = crowd->next;
			crowd->next = crowd->relatives[*class];
			if (crowd->crowded[*class]) {
				crowd->crowded[*class] = 0;
				return true;
			}
		}
		if (crowd->changed_count == 0)
			return false;
		family =
		    &crowd->families[crowd->changed[--crowd->changed_count]];
		family->changed = false;
		crowd->next = family->first;
	}
}
