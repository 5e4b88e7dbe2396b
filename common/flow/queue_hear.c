/* What a source hears of the queue, and of those who execute it
 * (queue_state.h). */
#include <string.h>
#include <sysexits.h>

#include "flow/queue_state.h"
#include "line/units.h"
#include "store/store.h"

static int
open_book(struct queue_source *source, struct svc_error *error)
{
	const struct queue_book_options options = {
	    .service = source->options.service,
	    .look = queue_end_look,
	    .argument = source,
	};

	return queue_book_open(&source->book, &options, error);
}

/* When it may be taken: what a dead claimant had sent may still be on its way,
 * so what was lost rests first; ms since 1970. */
static int64_t
rest_until(const struct queue_place *place, int64_t returned)
{
	const int64_t now = time_now();
	unsigned times = place->claims;

	if (times == 0)
		return 0;
	if (times > QUEUE_CLAIMS_MAX)
		times = QUEUE_CLAIMS_MAX;
	return (returned < now ? returned : now) +
	       ((int64_t)QUEUE_REST_MS << (times - 1));
}

static void
on_waits(void *argument, const struct queue_place *place,
    const struct store_entry *entry)
{
	struct queue_source *source = argument;
	struct svc_error error;
	int added;

	if (entry == NULL)
		added = queue_book_add(
		    source->book, place, "", 0, time_now(), 0, &error);
	else
		added = queue_book_add(source->book, place, entry->value,
		    entry->length, entry->heartbeat,
		    rest_until(place, entry->heartbeat), &error);
	/* What is no task line is ready for whoever moves it on. */
	if (added == -1 && error.code != EX_DATAERR)
		queue_break(source, &error);
}

static void
on_left(void *argument, const struct queue_place *place)
{
	struct queue_source *source = argument;

	queue_book_remove(source->book, place);
}

static void
on_ended(void *argument, const char *id)
{
	struct queue_source *source = argument;
	struct svc_error error;
	enum task_end end;

	if (!queue_book_awaits(source->book, id))
		return;
	switch (queue_end_look(source, id, &end, &error)) {
	case 1:
		queue_book_ended(source->book, id, end);
		break;
	case -1:
		queue_warn(source, "%s", error.message);
		break;
	}
	/* One that was purged has ended as is known already. */
}

static void
check_claim(struct queue_source *source, struct queue_claim *claim)
{
	char key[QUEUE_KEY_MAX];
	struct svc_error error;

	if (claim->ending || claim->lost)
		return;
	queue_key(&claim->place, key);
	switch (store_exists(source->store, key, &error)) {
	case 0:
		queue_claim_lost(source, claim);
		break;
	case -1:
		queue_warn(source, "%s", error.message);
		break;
	}
}

static void
check_claims(struct queue_source *source)
{
	struct queue_claim *claim, *next;

	TAILQ_FOREACH_SAFE(claim, &source->claims.all, link, next)
	{
		check_claim(source, claim);
	}
}

static void
on_running(void *argument, const struct queue_place *place)
{
	struct queue_source *source = argument;
	struct queue_claim *claim;

	if (place == NULL) {
		check_claims(source);
		return;
	}
	claim = queue_claims_find(&source->claims, place->id);
	if (claim != NULL && claim->place.claims == place->claims &&
	    strcmp(claim->place.claimant, place->claimant) == 0)
		check_claim(source, claim);
}

static void
on_claimants(void *argument)
{
	struct queue_source *source = argument;

	queue_peers_look(source->peers);
}

/* All that waits is told anew, to a new book. */
static void
on_restarted(void *argument)
{
	struct queue_source *source = argument;
	struct queue_book *old = source->book;
	struct queue_claim *claim;
	struct svc_error error;

	if (open_book(source, &error) == -1) {
		source->book = old;
		queue_break(source, &error);
		return;
	}
	queue_book_close(old);
	queue_lanes_clear(&source->lanes);
	TAILQ_FOREACH(claim, &source->claims.all, link)
	claim->lane = QUEUE_LANE_NONE;
}

static void
on_told(void *argument)
{
	queue_turn(argument);
}

/* Whatever was claimed under the name that we had is another's, or will be. */
static void
on_superseded(void *argument)
{
	struct queue_source *source = argument;
	struct queue_claim *claim, *next;

	queue_warn(source, "this task-run was taken for dead: what it was "
			   "doing is another's to do");
	TAILQ_FOREACH_SAFE(claim, &source->claims.all, link, next)
	{
		queue_claim_lost(source, claim);
	}
}

static void
on_recovered(void *argument, size_t count, size_t failed)
{
	struct queue_source *source = argument;

	source->counts.recovered += count;
	source->counts.failed += failed;
	queue_note(
	    source, "%zu tasks came back from claimants that died", count);
}

static int
open_peers(struct queue_source *source, struct svc_error *error)
{
	const struct queue_peers_options options = {
	    .claimant = source->options.claimant,
	    .superseded = on_superseded,
	    .recovered = on_recovered,
	    .warn = queue_complain,
	    .argument = source,
	};

	return queue_peers_open(
	    &source->peers, source->base, source->store, &options, error);
}

static int
open_news(struct queue_source *source, struct svc_error *error)
{
	const struct queue_news_options options = {
	    .waits = on_waits,
	    .left = on_left,
	    .ended = on_ended,
	    .running = on_running,
	    .claimants = on_claimants,
	    .restarted = on_restarted,
	    .told = on_told,
	    .warn = queue_complain,
	    .argument = source,
	};

	return queue_news_open(
	    &source->news, source->base, source->store, &options, error);
}

int
queue_hear_open(struct queue_source *source, struct svc_error *error)
{
	/* Who we are is settled before anything could be claimed. */
	if (open_book(source, error) == -1 || open_peers(source, error) == -1)
		return -1;
	return open_news(source, error);
}
