/*
 * Why an instance is not chosen from: a closed list of codes.  task-line(5),
 * REASONS, has it in the same order.
 */
#ifndef SVCKIT_SCHED_REASON_H
#define SVCKIT_SCHED_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/status.h"

enum reason_code {
	REASON_EXPIRED, /* statuses that get no work */
	REASON_DRAINING,
	REASON_CRITICAL,
	REASON_UNKNOWN,
	REASON_WARNING, /* and others pass */
	REASON_LABEL, /* a term of requires.labels, or a label of spread that
			 it lacks; name: the label */
	REASON_MISSING, /* its capacity has no such number; name: which */
	REASON_WEIGHT, /* it has none that can be read; name: the member that
			  says it */
	REASON_INSUFFICIENT, /* less than needed; name, need, most */
	REASON_SPREAD, /* too many in its domain; name: the label,
			  need: the skew allowed, most: what it would be */
	REASON_LATE, /* its deadline cannot be met there; need: the seconds
			that it takes, most: those that are left */
	REASON_FULL, /* hash: it has its bounded share; need: what it would
			have, most: what it may */
	REASON_COUNT
};

/* What is needed and what there is stand in the reason. */
struct reason {
	enum reason_code code;
	const char *name; /* borrowed, not terminated; length 0: none */
	size_t length;
	double need; /* of several instances: both are those of the one that */
	double most; /* is nearest to fitting */
	size_t count; /* instances; 0: it is about one */
	size_t first; /* the first of them, or the one */
};

/* "insufficient" */
const char *reason_name(enum reason_code code);

/* Of a status that gets no work; of one that works, REASON_WARNING. */
enum reason_code reason_of_status(enum instance_status status);

/* Whether the code has need and most. */
bool reason_has_numbers(enum reason_code code);

/* Whether both have the same code and name. */
bool reason_is_same(const struct reason *a, const struct reason *b);

/*
 * Appends it for people: "7 insufficient cpu (need 4, most free 2)", "3 label
 * zone", "2 critical".
 */
void reason_append(const struct reason *reason, struct buffer *out);

/*
 * Appends it as data: {"reason":"insufficient","name":"cpu","count":7,
 * "need":4,"most":2}; count only where it is not 0.
 */
void reason_append_json(const struct reason *reason, struct buffer *out);

/* All reasons that came up, each once.  Zeroes will do to begin with. */
struct reason_tally {
	struct reason *reasons; /* owned */
	size_t count;
	bool failed; /* no memory */
};

/* One more instance has it, whatever its count says. */
void reason_tally_add(struct reason_tally *tally, const struct reason *reason);
/* So many more have it as its count says; none: nothing is added. */
void reason_tally_add_all(
    struct reason_tally *tally, const struct reason *reason);
/*
 * The most frequent one first, of equal ones that of the first instance, and
 * of its the one that came first.
 */
void reason_tally_sort(struct reason_tally *tally);
void reason_tally_release(struct reason_tally *tally);

#endif
