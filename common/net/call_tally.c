#include "net/call_tally.h"

#include "net/call_stats.h"

static void
tell(struct call_stats *stats, const struct call_item *item,
    enum item_state state, double seconds)
{
	if (item->passed)
		call_stats_passed(stats, state == ITEM_FAILED);
	else
		call_stats_task(
		    stats, item->code, seconds < 0 ? -1 : seconds * 1000);
}

void
call_tally_add(struct call_tally *tally, const struct call_item *item,
    enum item_state state, double seconds)
{
	tally->done++;
	tally->failed += state == ITEM_FAILED;
	tally->invalid += state == ITEM_INVALID;
	tally->cancelled += state == ITEM_FAILED && !item->passed &&
			    item->code == CODE_CANCELLED;
	if (tally->stats != NULL)
		tell(tally->stats, item, state, seconds);
}

void
call_tally_progress(
    const struct call_tally *tally, struct call_progress *progress)
{
	progress->taken = tally->taken;
	progress->done = tally->done;
	progress->failed = tally->failed + tally->invalid - tally->cancelled;
	progress->cancelled = tally->cancelled;
	progress->restored = 0;
}
