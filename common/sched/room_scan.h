/*
 * The scan at the heart of constrained placement: which of many instances have
 * room for a task, and which is best.
 *
 * A few loops over a few arrays, made for vector instructions: the Makefile
 * gives this file flags of its own, with which compilers use them.  What it
 * computes depends neither on flags nor on the processor, down to the last bit.
 */
#ifndef SVCKIT_SCHED_ROOM_SCAN_H
#define SVCKIT_SCHED_ROOM_SCAN_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What rounding alone makes: three times 0.1 is a little more than 0.3 and must
 * fit into it, and 1/3 + 2/3 ties with 1/2 + 1/2.
 */
#define ROOM_ROUNDING 1e-9

/* Whether left of total is room for amount, as room_scan() has it. */
static inline bool
room_suffices(double total, double left, double amount)
{
	double inverse = 1 / total;

	inverse = inverse < DBL_MAX ? inverse : DBL_MAX;
	return (total >= amount) &
	       ((left - amount) * inverse >= -ROOM_ROUNDING);
}

/* One number that a task asks for, beside what instances have of it. */
struct room_number {
	const double *total; /* of each instance; NAN: it has no such number */
	const double *free; /* total less what is taken */
	const double *inverse; /* 1 / total, finite */
	double amount;
	/*
	 * Some total is less than amount, but not by more than rounding: they
	 * are to be compared exactly, which costs as much again.
	 */
	bool close;
};

/*
 * The place in members (ascending; count of them) of the best instance that has
 * room: with sign 1 the one that would have the largest parts free with the
 * task on it, summed over the numbers (at least one), with sign -1 the
 * smallest; the first of those within ROOM_ROUNDING of the best; count when
 * nobody has room.  Nobody has who has less in total than the amount, or, by
 * more than ROOM_ROUNDING of the total, less than that free.
 *
 * scores is scratch, of count numbers.
 */
size_t room_scan(const struct room_number *numbers, size_t number_count,
    const uint32_t *members, size_t count, double sign, double *scores);

#endif
