#include "net/verdict.h"

#include <string.h>

void
verdict_init(struct verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->status = STATUS_UNKNOWN;
}

void
verdict_resume(struct verdict *verdict, enum instance_status status,
    int64_t since, unsigned long flaps, bool settled)
{
	verdict_init(verdict);
	verdict->status = status;
	verdict->settled = settled;
	verdict->since = since;
	verdict->flaps = flaps;
}

static void
count(struct verdict *verdict, enum instance_status result)
{
	if (result == STATUS_CRITICAL) {
		verdict->failures++;
		verdict->successes = 0;
		return;
	}
	verdict->failures = 0;
	if (result == STATUS_PASSING || verdict->status == STATUS_CRITICAL)
		verdict->successes++;
	else
		verdict->successes = 0;
}

/* Whether the results so far are enough for the last one to be the status. */
static bool
convinces(const struct verdict *verdict, const struct verdict_rule *rule,
    enum instance_status result)
{
	if (!verdict->settled)
		return true;
	if (result == STATUS_CRITICAL)
		return verdict->failures >= rule->fall;
	if (result == STATUS_WARNING && verdict->status == STATUS_PASSING)
		return true;
	return verdict->successes >= rule->rise;
}

bool
verdict_take(struct verdict *verdict, const struct verdict_rule *rule,
    enum instance_status result, int64_t now)
{
	bool changed = false;

	count(verdict, result);
	if (convinces(verdict, rule, result)) {
		changed = result != verdict->status;
		if (changed && verdict->status != STATUS_UNKNOWN)
			verdict->flaps++;
		if (changed || verdict->since == 0)
			verdict->since = now;
		verdict->status = result;
		verdict->settled = true;
		verdict->successes = verdict->failures = 0;
	}
	verdict->contradicted = result != verdict->status;
	return changed;
}

double
verdict_wait(const struct verdict *verdict, double interval, double chance)
{
	double wait = interval;

	if (verdict->contradicted) {
		wait = interval / 5;
		if (wait < VERDICT_SOONER)
			wait = VERDICT_SOONER;
		if (wait > interval)
			wait = interval;
	}
	return wait * (0.9 + 0.2 * chance);
}

double
verdict_mean(double mean, double value)
{
	if (value < 0)
		return mean;
	if (mean < 0)
		return value;
	return mean + VERDICT_WEIGHT * (value - mean);
}
