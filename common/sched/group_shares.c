#include "sched/group_shares.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
read_weight(const char *text, double *weight, struct svc_error *error)
{
	if (number_parse(text, weight, NULL) == 0 && *weight > 0)
		return 0;
	return svc_error_set(error, EX_USAGE,
	    "not a weight: '%s' (say a number above 0, as alice=2)", text);
}

/* part is GROUP=N, and becomes the group's name. */
static int
add(struct group_shares *shares, char *part, struct svc_error *error)
{
	struct fair_share *items;
	char *equals = strrchr(part, '=');
	double weight;
	size_t i;

	if (equals == NULL)
		return svc_error_set(error, EX_USAGE,
		    "not GROUP=WEIGHT: '%s' (say alice=2,bob=1)", part);
	*equals = '\0';
	if (read_weight(equals + 1, &weight, error) == -1)
		return -1;
	for (i = 0; i < shares->count; i++)
		if (strcmp(shares->items[i].group, part) == 0)
			return svc_error_set(error, EX_USAGE,
			    "the group '%s' is named twice", part);
	items = reallocarray(shares->items, shares->count + 1, sizeof(*items));
	if (items == NULL)
		return no_memory(error);
	shares->items = items;
	items[shares->count].weight = weight;
	items[shares->count].group = strdup(part);
	if (items[shares->count].group == NULL)
		return no_memory(error);
	shares->count++;
	return 0;
}

int
group_shares_add(
    struct group_shares *shares, const char *text, struct svc_error *error)
{
	char *copy = strdup(text), *rest = copy, *part;
	int result = 0;

	if (copy == NULL)
		return no_memory(error);
	while (result == 0 && (part = strsep(&rest, ",")) != NULL)
		result = add(shares, part, error);
	free(copy);
	return result;
}

void
group_shares_release(struct group_shares *shares)
{
	size_t i;

	for (i = 0; i < shares->count; i++)
		free((char *)shares->items[i].group);
	free(shares->items);
	memset(shares, 0, sizeof(*shares));
}
