/* Claiming tasks of the queue (queue_state.h). */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/queue_state.h"
#include "line/units.h"
#include "registry/claim.h"

/* What others have taken is found out so often in one go. */
#define TRIES 64
/* What can never run is failed in groups of this size. */
#define RULED_OUT_MAX 64
/* Seconds until claiming is tried again after it has failed. */
#define PAUSE	    1.0
#define KEPT_BUFFER (128UL * 1024)

bool
queue_may_take(struct queue_source *source)
{
	return !source->stopped && !source->emptied && !source->broken &&
	       !source->stuck && source->paused <= time_monotonic() &&
	       queue_news_begun(source->news) &&
	       !queue_finish_full(source->finish);
}

static uint32_t
next_lane(struct queue_source *source)
{
	struct svc_error error;
	uint32_t lane;

	if (queue_lanes_learn(&source->lanes, source->book, &error) == -1) {
		queue_break(source, &error);
		return QUEUE_LANE_NONE;
	}
	source->asking = true;
	lane = queue_lanes_next(&source->lanes, source->book, time_monotonic());
	source->asking = false;
	return lane;
}

bool
queue_can_take(struct queue_source *source)
{
	return source->claims.count < source->options.claims_max &&
	       next_lane(source) != QUEUE_LANE_NONE;
}

/* Claiming has failed: what was to be claimed waits again, for a while. */
static void
pause_claims(struct queue_source *source, struct queue_claim *claim,
    const struct svc_error *error)
{
	const struct queue_place place = claim->place;

	if (!source->complained || error->code == EX_DATAERR)
		queue_warn(source, "cannot claim: %s", error->message);
	source->complained = true;
	source->paused = time_monotonic() + PAUSE;
	if (place.state == QUEUE_RUNNING) {
		/* It was ours before it could be read. */
		queue_claim_finish(source, claim, NULL, 0, false);
		return;
	}
	queue_claims_drop(&source->claims, claim);
	/* Of what is about that file the next try would end the same way. */
	if (error->code != EX_DATAERR)
		queue_news_look(source->news, &place);
}

/*
 * Claims what the book has at place, and reads its line: the claim; NULL: there
 * was nothing to claim, or that has failed, which is seen to.
 */
static struct queue_claim *
claim_place(struct queue_source *source, const struct queue_place *place)
{
	struct queue_claim *claim;
	struct svc_error error;

	claim = queue_claims_find(&source->claims, place->id);
	if (claim != NULL) {
		claim->again = *place;
		return NULL;
	}
	claim = queue_claims_add(&source->claims, place);
	if (claim == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		queue_break(source, &error);
		return NULL;
	}
	buffer_trim(&source->line, KEPT_BUFFER);
	switch (claim_take(source->store, queue_peers_name(source->peers),
	    &claim->place, &source->line, queue_complain, source, &error)) {
	case 1:
		source->complained = false;
		return claim;
	case 0:
		queue_claims_drop(&source->claims, claim);
		break;
	default:
		pause_claims(source, claim, &error);
		break;
	}
	return NULL;
}

/* The line that was claimed, as a reader would give it. */
static void
give_line(struct queue_source *source, struct line *line)
{
	memset(line, 0, sizeof(*line));
	line->data = source->line.data;
	line->length = source->line.length;
	if (line->length > 0 && line->data[line->length - 1] == '\n')
		line->length--;
	line->number = ++source->number;
}

int
queue_source_next(void *argument, struct line *line, struct svc_error *error)
{
	struct queue_source *source = argument;
	struct queue_claim *claim;
	struct queue_place place;
	uint32_t lane;
	int i;

	(void)error;
	for (i = 0; i < TRIES; i++) {
		if (!queue_may_take(source) ||
		    source->claims.count >= source->options.claims_max)
			return 0;
		lane = next_lane(source);
		if (lane == QUEUE_LANE_NONE ||
		    !queue_book_take(source->book, lane,
			queue_peers_count(source->peers), &place))
			return 0;
		claim = claim_place(source, &place);
		if (claim == NULL)
			continue;
		queue_lanes_enter(&source->lanes, lane, claim);
		give_line(source, line);
		return 1;
	}
	queue_turn(source);
	return 0;
}

/* The finished line of one that cannot run. */
static void
fail_line(struct queue_source *source, struct queue_claim *claim,
    const struct task_failure *failure)
{
	static const struct envelope_options options = {
	    .run = "queue", .source = "queue"};
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	struct line line;
	size_t length;

	give_line(source, &line);
	if (envelope_enter(&source->envelope, &line, &options, &error) ==
	    ENVELOPE_READY)
		envelope_fail(&source->envelope, &out, failure);
	else
		envelope_copy(&source->envelope, &out);
	if (buffer_failed(&out)) {
		buffer_release(&out);
		queue_claim_finish(source, claim, NULL, 0, false);
		return;
	}
	length = out.length;
	queue_claim_finish(source, claim, buffer_detach(&out), length, true);
}

bool
queue_take_ruled_out(struct queue_source *source)
{
	struct task_failure failure;
	struct queue_claim *claim;
	struct queue_place place;
	int i;

	for (i = 0; i < RULED_OUT_MAX; i++) {
		if (!queue_may_take(source) ||
		    !queue_book_take_ruled_out(source->book, &place, &failure))
			return false;
		claim = claim_place(source, &place);
		if (claim != NULL)
			fail_line(source, claim, &failure);
	}
	return true;
}
