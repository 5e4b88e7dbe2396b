#include "registry/view_tell.h"

#include <string.h>

bool
view_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether what the store says of them is the same. */
static bool
same_facts(const struct instance *a, const struct instance *b)
{
	return a->heartbeat == b->heartbeat && a->owner_id == b->owner_id &&
	       a->held == b->held && a->draining == b->draining &&
	       a->said == b->said && a->said_at == b->said_at &&
	       a->record.length == b->record.length &&
	       memcmp(a->record.data, b->record.data, a->record.length) == 0;
}

static bool
same_status(const struct instance *a, const struct instance *b)
{
	return a->status == b->status && a->panic == b->panic &&
	       a->utilization == b->utilization && a->reported == b->reported &&
	       a->latency_ms == b->latency_ms && a->checked == b->checked &&
	       view_same_text(a->owner, b->owner) &&
	       view_same_text(a->reason, b->reason);
}

void
view_tell(const struct view_listener *listener, const struct instance *before,
    const struct instance *after)
{
	if (listener == NULL || listener->changed == NULL ||
	    (before != NULL && after != NULL && same_facts(before, after) &&
		same_status(before, after)))
		return;
	listener->changed(listener->argument, before, after);
}

/* Both lists are sorted. */
void
view_tell_lists(const struct view_listener *listener,
    const struct instance_list *before, const struct instance_list *after)
{
	size_t i = 0, j = 0;
	int order;

	while (i < before->count || j < after->count) {
		if (i == before->count)
			order = 1;
		else if (j == after->count)
			order = -1;
		else
			order = strcmp(before->items[i].id, after->items[j].id);
		view_tell(listener, order <= 0 ? &before->items[i] : NULL,
		    order >= 0 ? &after->items[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}
