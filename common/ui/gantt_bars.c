#include "ui/gantt_bars.h"

#include <math.h>
#include <string.h>

#include "ui/gantt_axis.h"
#include "ui/gantt_marks.h"
#include "ui/svg.h"

/* Around a label, within its bar. */
#define LABEL_PADDING 4.0
/* A bar ends so much early, to be told from the next one. */
#define SEPARATION 0.7

struct bars {
	const struct gantt_layout *layout;
	const struct gantt_palette *palette;
	struct gantt_marks marks;
	struct buffer *out;
};

struct box {
	double x;
	double y;
	double width;
};

/* Where a mark is drawn: never less than a unit wide. */
static struct box
box_of(const struct gantt_layout *layout, const struct gantt_mark *mark)
{
	double x = gantt_layout_x(layout, mark->bar->start);
	double width = gantt_layout_x(layout, mark->end) - x;

	if (mark->count == 1 && width >= 3)
		width -= SEPARATION;
	if (width < 1)
		width = 1;
	return (struct box){fmin(x, layout->right - width),
	    layout->lanes[mark->bar->lane] +
		(layout->lane_height - layout->bar_height) / 2,
	    width};
}

/* "web1, slot 3"; the slot of those that have several. */
static void
append_place(const struct gantt *gantt, uint32_t lane, struct buffer *out)
{
	const struct gantt_lane *row = &gantt->lanes[lane];

	svg_text(out, row->name, strlen(row->name));
	if (row->slot > 0 || (lane + 1 < gantt->lane_count && row[1].slot > 0))
		buffer_append_format(out, ", slot %u", (unsigned)row->slot + 1);
}

/* "12s to 15.5s (3.5s)" */
static void
append_times(const struct gantt_mark *mark, struct buffer *out)
{
	gantt_time(out, mark->bar->start);
	buffer_append_string(out, " to ");
	gantt_time(out, mark->end);
	buffer_append_string(out, mark->count == 1 ? " (" : " (busy ");
	gantt_time(out, mark->busy);
	buffer_append_char(out, ')');
}

static void
append_tooltip(const struct gantt *gantt, const struct gantt_mark *mark,
    struct buffer *out)
{
	const char *group = gantt->groups[mark->group];

	buffer_append_string(out, "<title>");
	if (mark->count > 1)
		buffer_append_format(out, "%zu tasks, first ", mark->count);
	svg_text(out, mark->bar->label, mark->bar->label_length);
	buffer_append_char(out, '\n');
	append_place(gantt, mark->bar->lane, out);
	buffer_append_char(out, '\n');
	append_times(mark, out);
	if (group[0] != '\0') {
		buffer_append_string(
		    out, mark->count > 1 ? "\nmostly group " : "\ngroup ");
		svg_text(out, group, strlen(group));
	}
	buffer_append_string(out, "</title>");
}

/* Appends a rectangle, without what closes its first tag. */
static void
append_rect(const struct gantt_layout *layout, const struct box *box,
    struct buffer *out)
{
	buffer_append_string(out, "<rect x=\"");
	svg_number(out, box->x);
	buffer_append_string(out, "\" y=\"");
	svg_number(out, box->y);
	buffer_append_string(out, "\" width=\"");
	svg_number(out, box->width);
	buffer_append_string(out, "\" height=\"");
	svg_number(out, layout->bar_height);
	buffer_append_char(out, '"');
}

/* Writes on a bar what fits of its label. */
static void
append_label(const struct bars *bars, const struct gantt_mark *mark,
    const struct box *box, unsigned paint)
{
	double width = box->width - 2 * LABEL_PADDING;
	struct buffer label = BUFFER_INIT;

	if (mark->count == 1 && bars->layout->lane_height >= GANTT_TEXT_LANE &&
	    width > 2 * GANTT_SMALL_TEXT &&
	    svg_text_fit(&label, mark->bar->label, mark->bar->label_length,
		GANTT_SMALL_TEXT, width, SVG_CUT_BEGINNING)) {
		buffer_append_format(bars->out, "<text class=\"%s\" x=\"",
		    gantt_palette_is_dark(paint) ? "on-dark" : "on-light");
		svg_number(bars->out, box->x + LABEL_PADDING);
		buffer_append_string(bars->out, "\" y=\"");
		svg_number(bars->out, box->y + bars->layout->bar_height / 2 +
					  0.35 * GANTT_SMALL_TEXT);
		buffer_append_string(bars->out, "\">");
		buffer_append(bars->out, label.data, label.length);
		buffer_append_string(bars->out, "</text>\n");
	}
	if (buffer_failed(&label))
		bars->out->failed = true;
	buffer_release(&label);
}

static void
append_detail(struct bars *bars, double column)
{
	const struct gantt_layout *layout = bars->layout;
	struct buffer *out = bars->out;
	struct gantt_mark mark;

	buffer_append_string(out, "<g class=\"bars\">\n");
	gantt_marks_begin(&bars->marks, column);
	while (gantt_marks_next(&bars->marks, &mark)) {
		unsigned paint = gantt_palette_paint(bars->palette, mark.group);
		struct box box = box_of(layout, &mark);

		append_rect(layout, &box, out);
		if (box.width >= 6 && layout->lane_height >= GANTT_TEXT_LANE)
			buffer_append_string(out, " rx=\"2\"");
		buffer_append_format(out, " class=\"p%u\">", paint);
		append_tooltip(layout->gantt, &mark, out);
		buffer_append_string(out, "</rect>\n");
		append_label(bars, &mark, &box, paint);
	}
	buffer_append_string(out, "</g>\n");
}

/* Adds a mark to the path of its paint. */
static void
append_run(const struct gantt_layout *layout, const struct gantt_mark *mark,
    struct buffer *path)
{
	struct box box = box_of(layout, mark);

	buffer_append_char(path, 'M');
	svg_number(path, box.x);
	buffer_append_char(path, ' ');
	svg_number(path, box.y + layout->bar_height / 2);
	buffer_append_char(path, 'h');
	svg_number(path, box.width);
}

static void
append_paths(struct bars *bars, double column)
{
	struct buffer paths[PAINT_COUNT];
	struct gantt_mark mark;
	unsigned paint;

	for (paint = 0; paint < PAINT_COUNT; paint++)
		buffer_init(&paths[paint]);
	gantt_marks_begin(&bars->marks, column);
	while (gantt_marks_next(&bars->marks, &mark))
		append_run(bars->layout, &mark,
		    &paths[gantt_palette_paint(bars->palette, mark.group)]);
	for (paint = 0; paint < PAINT_COUNT; paint++) {
		if (paths[paint].length > 0) {
			buffer_append_string(bars->out, "<path stroke=\"");
			gantt_palette_value(paint, bars->out);
			buffer_append_string(bars->out, "\" stroke-width=\"");
			svg_number(bars->out, bars->layout->bar_height);
			buffer_append_string(bars->out, "\" d=\"");
			buffer_append(
			    bars->out, paths[paint].data, paths[paint].length);
			buffer_append_string(bars->out, "\"/>\n");
		}
		if (buffer_failed(&paths[paint]))
			bars->out->failed = true;
		buffer_release(&paths[paint]);
	}
}

/* What paths cannot have: tooltips, of rectangles that are not seen. */
static void
append_tooltips(struct bars *bars, double column)
{
	struct gantt_mark mark;

	buffer_append_string(bars->out, "<g class=\"tips\">\n");
	gantt_marks_begin(&bars->marks, column);
	while (gantt_marks_next(&bars->marks, &mark)) {
		struct box box = box_of(bars->layout, &mark);

		append_rect(bars->layout, &box, bars->out);
		buffer_append_char(bars->out, '>');
		append_tooltip(bars->layout->gantt, &mark, bars->out);
		buffer_append_string(bars->out, "</rect>\n");
	}
	buffer_append_string(bars->out, "</g>\n");
}

void
gantt_bars_append(const struct gantt_layout *layout,
    const struct gantt_palette *palette, struct buffer *out)
{
	struct bars bars = {.layout = layout, .palette = palette, .out = out};
	double unit = gantt_layout_seconds(layout);
	double whole = 2 * layout->axis.end;
	double column, path_column;
	size_t tips, runs;

	if (gantt_marks_open(&bars.marks, layout->gantt) == -1) {
		out->failed = true;
		return;
	}
	column =
	    gantt_marks_fit(&bars.marks, unit, whole, GANTT_DETAIL_MAX, &tips);
	if (column == unit) {
		append_detail(&bars, unit);
	} else {
		path_column = gantt_marks_fit(
		    &bars.marks, unit, whole, GANTT_RUNS_MAX, &runs);
		append_paths(&bars, path_column);
		if (tips <= GANTT_DETAIL_MAX)
			append_tooltips(&bars, column);
	}
	gantt_marks_close(&bars.marks);
}
