/*
 * A survey: what stands against each instance of a service, for one task.
 */
#ifndef SVCKIT_SCHED_SURVEY_H
#define SVCKIT_SCHED_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/constraints.h"
#include "sched/explain.h"
#include "sched/pool.h"
#include "sched/reason.h"
#include "sched/unlisted.h"

/* A status, a label, each number, slots and speed; or that it is full. */
#define SURVEY_REASONS_MAX \
	(2 + DEMAND_NUMBERS_MAX + 2 + CONSTRAINTS_REASONS_MAX + 1)

struct survey {
	const struct explain_question *question;
	const struct eligible *all; /* as the pool says */
	const struct eligible *list; /* as constraints leave it */
	const struct unlisted *unlisted;
	const double *totals[DEMAND_NUMBERS_MAX]; /* of each number */
	const double *lefts[DEMAND_NUMBERS_MAX]; /* of it, now */
	bool passing_only;
	uint32_t first; /* the service's instances */
	size_t count;
};

struct survey_reasons {
	struct reason items[SURVEY_REASONS_MAX];
	size_t count;
};

/*
 * question is borrowed as long as the survey is used, and that as long as the
 * pool's lists are valid.  -1: requires cannot be read, or no memory.
 */
int survey_open(struct survey *survey, const struct explain_question *question);

/*
 * All reasons against an instance of the service, in the order in which
 * explain.h has them; none: it is chosen from.
 */
void survey_find(const struct survey *survey, uint32_t member,
    struct survey_reasons *reasons);

/*
 * Counts each instance of the service in tally for the first reason against it,
 * as if by survey_find(), but without a look at each one's record.  -1: as
 * survey_open().
 */
int survey_count(
    const struct explain_question *question, struct reason_tally *tally);

#endif
