#include "net/panic.h"

/* Whether part is more than percent of part and rest together. */
static bool
exceeds(size_t part, size_t rest, double percent)
{
	return (double)part * 100 > percent * (double)(part + rest);
}

struct panic
panic_next(struct panic panic, double percent, const struct panic_tally *tally)
{
	if (percent <= 0)
		return (struct panic){false, false};
	if (panic.critical)
		panic.critical =
		    exceeds(tally->critical, tally->working, percent);
	else
		panic.critical =
		    tally->turned >= PANIC_LEAST &&
		    exceeds(tally->turned, tally->working, percent);
	if (panic.expired)
		panic.expired = exceeds(tally->lapsed, tally->living, percent);
	else
		panic.expired = tally->doubt && tally->lapsed >= PANIC_LEAST &&
				exceeds(tally->lapsed, tally->living, percent);
	return panic;
}

enum health_panic
panic_mark(struct panic panic)
{
	if (panic.expired)
		return PANIC_EXPIRED;
	return panic.critical ? PANIC_CRITICAL : PANIC_NONE;
}
