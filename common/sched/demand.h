/*
 * What a task asks of an instance: the member "requires" of its line.
 *
 *	{"cpu":2,"mem":"2G","labels":"zone in (eu-1,eu-2),gpu",
 *	 "spread":{"zone":1}}
 *
 * Numbers, which may be strings with a unit, are asked of the instance's
 * capacity; labels is a selector; spread says over which labels tasks are to
 * be spread, and how many more one of the label's values may have than another
 * (constraints.h); "spread":"zone" is short for {"zone":1}.
 */
#ifndef SVCKIT_SCHED_DEMAND_H
#define SVCKIT_SCHED_DEMAND_H

#include <stddef.h>

#include "line/error.h"
#include "line/json.h"
#include "line/selector.h"
#include "line/units.h"

#define DEMAND_NUMBERS_MAX 64
#define DEMAND_SPREADS_MAX 8

struct demand_number {
	char name[NAME_MAX_LENGTH + 1]; /* of a capacity: "cpu" */
	double amount; /* finite, at least 0 */
};

struct demand_spread {
	char *label; /* owned */
	double skew; /* a whole number, at least 1 */
};

struct demand {
	struct demand_number *numbers; /* owned; in the order written */
	size_t count;
	struct selector *labels; /* owned; NULL: any */
	char *selector; /* its text; owned */
	struct demand_spread *spreads; /* owned */
	size_t spread_count;
};

/*
 * Reads requires, which a scan has accepted; NULL, absent and null ask for
 * nothing.  EX_DATAERR: a number that is negative, not finite or not one, a
 * selector that does not parse, a name that stands twice, a skew that is no
 * whole number from 1 on, more than DEMAND_NUMBERS_MAX numbers or
 * DEMAND_SPREADS_MAX spreads.
 */
int demand_parse(struct demand *demand, const struct json_value *requires,
    struct svc_error *error);
void demand_release(struct demand *demand);

#endif
