#include "ui/gantt_marks.h"

#include <math.h>
#include <stdlib.h>

/* By lane, start, and for the sake of a fixed order by where they stand. */
static int
compare(const void *a, const void *b)
{
	const struct gantt_bar *left = *(const struct gantt_bar *const *)a;
	const struct gantt_bar *right = *(const struct gantt_bar *const *)b;

	if (left->lane != right->lane)
		return left->lane < right->lane ? -1 : 1;
	if (left->start < right->start || left->start > right->start)
		return left->start < right->start ? -1 : 1;
	return (left > right) - (left < right);
}

static bool
drawable(const struct gantt *gantt, const struct gantt_bar *bar)
{
	return bar->lane < gantt->lane_count &&
	       bar->group < gantt->group_count && isfinite(bar->start) &&
	       isfinite(bar->end) && bar->start >= 0 && bar->end >= bar->start;
}

int
gantt_marks_open(struct gantt_marks *marks, const struct gantt *gantt)
{
	size_t i;

	*marks = (struct gantt_marks){.gantt = gantt};
	marks->bars = calloc(gantt->bar_count + 1, sizeof(*marks->bars));
	marks->seconds =
	    calloc(gantt->group_count + 1, sizeof(*marks->seconds));
	if (marks->bars == NULL || marks->seconds == NULL) {
		gantt_marks_close(marks);
		return -1;
	}
	for (i = 0; i < gantt->bar_count; i++)
		if (drawable(gantt, &gantt->bars[i]))
			marks->bars[marks->count++] = &gantt->bars[i];
	qsort(marks->bars, marks->count, sizeof(*marks->bars), compare);
	return 0;
}

void
gantt_marks_close(struct gantt_marks *marks)
{
	free(marks->bars);
	free(marks->seconds);
	*marks = (struct gantt_marks){0};
}

void
gantt_marks_begin(struct gantt_marks *marks, double column)
{
	marks->column = column;
	marks->next = 0;
}

static bool
is_narrow(const struct gantt_marks *marks, const struct gantt_bar *bar)
{
	return bar->end - bar->start < marks->column;
}

/* How many narrow bars from the next on start in its lane and column. */
static size_t
count_alike(const struct gantt_marks *marks)
{
	const struct gantt_bar *first = marks->bars[marks->next];
	double column = floor(first->start / marks->column);
	size_t i;

	for (i = marks->next + 1; i < marks->count; i++) {
		const struct gantt_bar *bar = marks->bars[i];

		if (bar->lane != first->lane || !is_narrow(marks, bar) ||
		    floor(bar->start / marks->column) > column)
			break;
	}
	return i - marks->next;
}

/* Sums up count bars from the next on. */
static void
merge(struct gantt_marks *marks, size_t count, struct gantt_mark *mark)
{
	const struct gantt_bar *const *bars = marks->bars + marks->next;
	size_t i;

	*mark = (struct gantt_mark){bars[0], count, bars[0]->group, 0, 0};
	for (i = 0; i < count; i++) {
		double length = bars[i]->end - bars[i]->start;

		marks->seconds[bars[i]->group] += length;
		mark->busy += length;
		mark->end = fmax(mark->end, bars[i]->end);
	}
	for (i = 0; i < count; i++)
		if (marks->seconds[bars[i]->group] >
		    marks->seconds[mark->group])
			mark->group = bars[i]->group;
	for (i = 0; i < count; i++)
		marks->seconds[bars[i]->group] = 0;
}

bool
gantt_marks_next(struct gantt_marks *marks, struct gantt_mark *mark)
{
	size_t count = 1;

	if (marks->next >= marks->count)
		return false;
	if (is_narrow(marks, marks->bars[marks->next]))
		count = count_alike(marks);
	merge(marks, count, mark);
	marks->next += count;
	return true;
}

double
gantt_marks_fit(struct gantt_marks *marks, double column, double longest,
    size_t limit, size_t *count)
{
	for (;; column *= 2) {
		gantt_marks_begin(marks, column);
		for (*count = 0; marks->next < marks->count; ++*count)
			marks->next +=
			    is_narrow(marks, marks->bars[marks->next])
				? count_alike(marks)
				: 1;
		if (*count <= limit || column >= longest)
			return column;
	}
}
