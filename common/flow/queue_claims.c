#include "flow/queue_claims.h"

#include <bsd/string.h>
#include <search.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const struct queue_claim *x = a, *y = b;

	return strcmp(x->place.id, y->place.id);
}

void
queue_claims_init(struct queue_claims *claims)
{
	memset(claims, 0, sizeof(*claims));
	TAILQ_INIT(&claims->all);
}

void
queue_claims_release(struct queue_claims *claims)
{
	struct queue_claim *claim;

	while ((claim = TAILQ_FIRST(&claims->all)) != NULL)
		queue_claims_drop(claims, claim);
}

struct queue_claim *
queue_claims_add(struct queue_claims *claims, const struct queue_place *place)
{
	struct queue_claim *claim = calloc(1, sizeof(*claim));

	if (claim == NULL)
		return NULL;
	claim->place = *place;
	claim->lane = QUEUE_LANE_NONE;
	claim->again.state = QUEUE_ABSENT;
	claim->job.argument = claim;
	if (tsearch(claim, &claims->by_id, compare) == NULL) {
		free(claim);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&claims->all, claim, link);
	claims->count++;
	claims->active++;
	return claim;
}

struct queue_claim *
queue_claims_find(const struct queue_claims *claims, const char *id)
{
	struct queue_claim wanted;
	void *found;

	strlcpy(wanted.place.id, id, sizeof(wanted.place.id));
	found = tfind(&wanted, &claims->by_id, compare);
	return found == NULL ? NULL : *(struct queue_claim **)found;
}

void
queue_claims_end(struct queue_claims *claims, struct queue_claim *claim)
{
	claim->ending = true;
	claims->active--;
}

void
queue_claims_drop(struct queue_claims *claims, struct queue_claim *claim)
{
	tdelete(claim, &claims->by_id, compare);
	TAILQ_REMOVE(&claims->all, claim, link);
	claims->count--;
	if (!claim->ending)
		claims->active--;
	queue_job_release(&claim->job);
	free(claim);
}
