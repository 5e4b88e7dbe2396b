/*
 * What a task asks of an instance: the member "requires" of its line.
 *
 *	{"cpu":2,"mem":"2G","labels":"zone in (eu-1,eu-2),gpu"}
 *
 * Numbers, which may be strings with a unit, are asked of the instance's
 * capacity; labels is a selector.
 */
#ifndef SVCKIT_SCHED_DEMAND_H
#define SVCKIT_SCHED_DEMAND_H

#include <stddef.h>

#include "line/error.h"
#include "line/json.h"
#include "line/selector.h"
#include "line/units.h"

#define DEMAND_NUMBERS_MAX 64

struct demand_number {
	char name[NAME_MAX_LENGTH + 1]; /* of a capacity: "cpu" */
	double amount; /* finite, at least 0 */
};

struct demand {
	struct demand_number *numbers; /* owned; in the order written */
	size_t count;
	struct selector *labels; /* owned; NULL: any */
	char *selector; /* its text; owned */
};

/*
 * Reads requires, which a scan has accepted; NULL, absent and null ask for
 * nothing.  EX_DATAERR: a number that is negative, not finite or not one, a
 * selector that does not parse, a name that stands twice, more than
 * DEMAND_NUMBERS_MAX numbers.
 */
int demand_parse(struct demand *demand, const struct json_value *requires,
    struct svc_error *error);
void demand_release(struct demand *demand);

#endif
