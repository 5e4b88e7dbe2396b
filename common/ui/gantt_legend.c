#include "ui/gantt_legend.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ui/gantt_layout.h"
#include "ui/svg.h"

#define ROW_HEIGHT     20.0
#define NAME_WIDTH_MAX 190.0
#define SWATCH	       12.0
#define SWATCH_GAP     6.0
#define APART	       18.0
/* For "and 1234 more groups", at the end of the last row. */
#define MORE_WIDTH 180.0

struct place {
	double x;
	double y; /* of the row's top */
	unsigned row;
};

/* Moves to where an entry of a width goes; false: there is no room left. */
static bool
find_room(struct place *place, double width)
{
	double right = GANTT_WIDTH - GANTT_MARGIN;

	if (place->row == GANTT_LEGEND_ROWS - 1)
		right -= MORE_WIDTH;
	if (place->x + width <= right)
		return true;
	if (place->row == GANTT_LEGEND_ROWS - 1)
		return false;
	place->row++;
	place->x = GANTT_MARGIN;
	place->y += ROW_HEIGHT;
	return true;
}

static void
append_text_head(const struct place *place, double indent, const char *class,
    struct buffer *out)
{
	buffer_append_format(out, "<text%s x=\"", class);
	svg_number(out, place->x + indent);
	buffer_append_string(out, "\" y=\"");
	svg_number(out, place->y + SWATCH - 1.5);
	buffer_append_string(out, "\">");
}

static void
append_entry(const struct place *place, unsigned paint, const char *name,
    double width, struct buffer *out)
{
	buffer_append_string(out, "<rect x=\"");
	svg_number(out, place->x);
	buffer_append_string(out, "\" y=\"");
	svg_number(out, place->y);
	buffer_append_format(out,
	    "\" width=\"%g\" height=\"%g\" rx=\"2\" class=\"p%u\"/>", SWATCH,
	    SWATCH, paint);
	append_text_head(place, SWATCH + SWATCH_GAP, "", out);
	svg_text_fit(out, name, strlen(name), GANTT_TEXT, width, SVG_CUT_END);
	buffer_append_string(out, "</text>\n");
}

double
gantt_legend_append(
    const struct gantt_palette *palette, double y, struct buffer *out)
{
	const struct gantt *gantt = palette->gantt;
	struct place place = {GANTT_MARGIN, y, 0};
	uint32_t group;

	if (!palette->named)
		return y;
	for (group = 0; group < gantt->group_count; group++) {
		const char *name = gantt->groups[group];
		double width;

		if (name[0] == '\0')
			name = "no group";
		width = fmin(svg_text_width(name, strlen(name), GANTT_TEXT),
		    NAME_WIDTH_MAX);
		if (!find_room(&place, SWATCH + SWATCH_GAP + width))
			break;
		append_entry(&place, gantt_palette_paint(palette, group), name,
		    width, out);
		place.x += SWATCH + SWATCH_GAP + width + APART;
	}
	if (group < gantt->group_count) {
		append_text_head(&place, 0, " class=\"dim\"", out);
		buffer_append_format(out, "and %zu more groups</text>\n",
		    gantt->group_count - group);
	}
	return place.y + ROW_HEIGHT;
}
