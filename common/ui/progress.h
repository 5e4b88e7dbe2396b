/*
 * Lines for a terminal that say how far something has come.  Of all of it:
 *
 *	[===>      ]  37%  3700 done, 2 failed, 32 in flight  412/s  ETA 15s
 *	8120 done, 40 in flight  398/s  1m 05s
 *	[==========] 100%  10000 done, 7 failed  405/s  in 25s
 *	[==>       ]  28%  2800 done, 40 cancelled  405/s  in 7s
 *
 * while it runs; where the whole is not known; at the end, also an early one.
 * Below it, of its parts by service:
 *
 *	render   120 done, 1 failed, 3 running, 40 waiting
 *	upload     7 done
 *	and 12 services more
 *
 * Pure functions of what they are given: who prints it is the caller.
 */
#ifndef SVCKIT_UI_PROGRESS_H
#define SVCKIT_UI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

/* The bar's width, its brackets included, at least and at most. */
#define PROGRESS_BAR_MIN 7
#define PROGRESS_BAR_MAX 42

struct progress {
	double part; /* of the whole, 0 to 1; negative: not known, no bar */
	size_t done; /* failed ones among them */
	size_t failed; /* 0: not mentioned */
	size_t cancelled; /* not done; the same */
	size_t running; /* the same */
	double seconds; /* since it began */
	double rate; /* a second: of late, or, at the end, over all */
	bool ended; /* there is nothing left to expect */
};

/*
 * The rate of late: an exponentially weighted mean, to which what is five
 * seconds old counts 1/e; right from the first seconds on.
 */
struct progress_rate {
	double sum; /* of weighted rates */
	double weight; /* of those, 0 to 1 */
	double at; /* seconds */
	size_t done;
};

/* now: seconds of any clock that goes forward. */
void progress_rate_init(struct progress_rate *rate, double now);

/* Returns the rate, given that done are done now; 0 before any time passed. */
double progress_rate_update(
    struct progress_rate *rate, size_t done, double now);

/*
 * Appends the line, without LF, in at most columns characters.  What does not
 * fit is left out: first the bar, then ETA or time, then the rate, the number
 * in flight, the percentage, the cancelled; what remains is cut.  All ASCII.
 *
 * ETA goes by the rate; there is none where that is 0 or it is over 99 days.
 */
void progress_print(
    const struct progress *progress, size_t columns, struct buffer *out);

struct progress_service {
	const char *name;
	size_t done; /* those that failed or were skipped among them */
	size_t failed; /* 0: not mentioned, as all that follows */
	size_t running;
	size_t waiting;
	size_t skipped;
	size_t cancelled;
};

/*
 * Appends a line for each service, as they stand, each with LF behind at most
 * columns characters, but not more than rows.  Where there are more services,
 * those are left out at first that have come to their end, and the last line
 * says how many.  Of a line what stands last is left out where it does not fit.
 */
void progress_services_print(const struct progress_service *services,
    size_t count, size_t columns, size_t rows, struct buffer *out);

#endif
