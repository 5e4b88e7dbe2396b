/*
 * What is drawn of a chart's bars: bars, and marks for many that are too narrow
 * to be seen one by one.
 *
 * Time is cut into columns.  A bar that lasts at least a column is a mark of
 * its own; shorter ones that start in one column of a lane make one together.
 *
 * Calling sequence:
 *
 *	if (gantt_marks_open(&marks, gantt) == -1) ... out of memory
 *	gantt_marks_begin(&marks, column);
 *	while (gantt_marks_next(&marks, &mark))
 *		...
 *	gantt_marks_close(&marks);
 */
#ifndef SVCKIT_UI_GANTT_MARKS_H
#define SVCKIT_UI_GANTT_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/gantt.h"

struct gantt_mark {
	const struct gantt_bar *bar; /* the first of them */
	size_t count;
	uint32_t group; /* that of most of their time */
	double end; /* the last of theirs */
	double busy; /* seconds of all together */
};

struct gantt_marks {
	const struct gantt *gantt; /* borrowed */
	const struct gantt_bar **bars; /* by lane, then start; owned */
	size_t count;
	double *seconds; /* of each group; owned */
	double column; /* seconds */
	size_t next;
};

/*
 * Bars of no lane or group of the chart, and those whose times are not numbers,
 * are left out.  -1: no memory.
 */
int gantt_marks_open(struct gantt_marks *marks, const struct gantt *gantt);
void gantt_marks_close(struct gantt_marks *marks);

/* Starts over, with columns so long. */
void gantt_marks_begin(struct gantt_marks *marks, double column);

/* The next mark, by lane and start; false: that was the last. */
bool gantt_marks_next(struct gantt_marks *marks, struct gantt_mark *mark);

/*
 * The shortest column, starting from column and doubling, that makes at most
 * limit marks, or none longer than longest.  *count is how many it makes.
 */
double gantt_marks_fit(struct gantt_marks *marks, double column, double longest,
    size_t limit, size_t *count);

#endif
