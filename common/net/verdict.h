/*
 * What a row of probes says of an instance: its status, since when, and how
 * often it has changed.
 *
 * The first result decides.  Then `fall` failures in a row make it critical;
 * `rise` answers in a row end that, and `rise` passing ones a warning.  A
 * warning counts at once: whoever is too busy should get less.
 *
 * Pure: no clock, no memory.
 */
#ifndef SVCKIT_NET_VERDICT_H
#define SVCKIT_NET_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "line/status.h"

struct verdict_rule {
	int rise;
	int fall;
};

struct verdict {
	/* passing, warning, critical; unknown: nothing is known yet */
	enum instance_status status;
	bool settled; /* else the next result decides at once */
	bool contradicted; /* the last result was not the status */
	int successes; /* in a row, towards a better status */
	int failures; /* in a row, towards critical */
	int64_t since; /* ms since 1970: when the status began */
	unsigned long flaps; /* changes of a status that was known */
};

void verdict_init(struct verdict *verdict);

/*
 * Goes on from what somebody else found.  settled: it is still believed; else
 * it is only what the next result is compared to.
 */
void verdict_resume(struct verdict *verdict, enum instance_status status,
    int64_t since, unsigned long flaps, bool settled);

/*
 * Takes the result (passing, warning or critical) that came at now, in ms since
 * 1970.  Whether the status is another one.
 */
bool verdict_take(struct verdict *verdict, const struct verdict_rule *rule,
    enum instance_status result, int64_t now);

/*
 * Seconds until the next probe: interval, or while the last result contradicts
 * the status a fifth of it, at least VERDICT_SOONER but never later; give or
 * take a tenth, as chance (from 0 to 1) says.
 */
#define VERDICT_SOONER 0.1
double verdict_wait(
    const struct verdict *verdict, double interval, double chance);

/* The weight of a new value is VERDICT_WEIGHT (Roberts 1959); a mean or a value
 * that is negative is none. */
#define VERDICT_WEIGHT 0.3
double verdict_mean(double mean, double value);

#endif
