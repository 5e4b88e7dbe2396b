#include "ui/gantt.h"

#include <math.h>
#include <string.h>

#include "ui/gantt_axis.h"
#include "ui/gantt_bars.h"
#include "ui/gantt_layout.h"
#include "ui/gantt_legend.h"
#include "ui/gantt_palette.h"
#include "ui/svg.h"

#define TITLE_TEXT 18.0
#define TITLE_Y	   34.0
#define SUBTITLE_Y 55.0

/* Names closer to each other than this cannot be read. */
#define NAME_APART 13.0

/* From the middle of a line of text up to its baseline. */
#define BASELINE (0.35 * GANTT_TEXT)

static const char style[] =
    ".gantt{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;"
    "font-variant-numeric:tabular-nums;max-width:100%;height:auto;"
    "color-scheme:light dark;background:#fff}\n"
    ".gantt text{fill:#1f2328}\n"
    ".gantt .title{font-size:18px;font-weight:600}\n"
    ".gantt .dim{fill:#59636e}\n"
    ".gantt .small{font-size:10px}\n"
    ".gantt .end{text-anchor:end}\n"
    ".gantt .middle{text-anchor:middle}\n"
    ".gantt .ground{fill:#fff}\n"
    ".gantt .lanes{stroke:#f0f2f5;fill:none}\n"
    ".gantt .grid{stroke:#d5dae0;fill:none}\n"
    ".gantt .halo{stroke:#fff;stroke-width:4;stroke-opacity:.8}\n"
    ".gantt .marker{stroke:#c8102e;stroke-width:1.6;stroke-dasharray:6 4}\n"
    ".gantt text.mark{fill:#b30d28;font-weight:600}\n"
    ".gantt text.on-light,.gantt text.on-dark"
    "{font-size:10px;pointer-events:none}\n"
    ".gantt text.on-light{fill:#000}\n"
    ".gantt text.on-dark{fill:#fff}\n"
    ".gantt .tips rect{fill:none;pointer-events:all}\n"
    ".gantt .bars rect:hover,.gantt .tips rect:hover"
    "{stroke:#1f2328;stroke-width:1.5}\n";
static const char dark_style[] =
    "@media (prefers-color-scheme:dark){\n"
    ".gantt{background:#15191f}\n"
    ".gantt text{fill:#e6edf3}\n"
    ".gantt .dim{fill:#9aa4af}\n"
    ".gantt .ground{fill:#15191f}\n"
    ".gantt .lanes{stroke:#20262e}\n"
    ".gantt .grid{stroke:#38414c}\n"
    ".gantt .halo{stroke:#15191f}\n"
    ".gantt .marker{stroke:#ff6b7a}\n"
    ".gantt text.mark{fill:#ff8a96}\n"
    ".gantt .bars rect:hover,.gantt .tips rect:hover{stroke:#fff}\n"
    "}\n";

/* " ATTRIBUTE="NUMBER"" */
static void
append_attribute(struct buffer *out, const char *name, double number)
{
	buffer_append_format(out, " %s=\"", name);
	svg_number(out, number);
	buffer_append_char(out, '"');
}

static void
append_text_head(struct buffer *out, const char *class, double x, double y)
{
	buffer_append_string(out, "<text");
	append_attribute(out, "x", x);
	append_attribute(out, "y", y);
	buffer_append_format(out, " class=\"%s\">", class);
}

/* For those who hear it: what it is, and how much of it. */
static void
append_description(const struct gantt *gantt, const struct gantt_axis *axis,
    struct buffer *out)
{
	buffer_append_string(out, "<desc id=\"gantt-desc\">");
	if (gantt->subtitle != NULL) {
		svg_text(out, gantt->subtitle, strlen(gantt->subtitle));
		buffer_append_string(out, ". ");
	}
	buffer_append_format(out,
	    "A Gantt chart of %zu task%s on %zu lane%s, from 0 to ",
	    gantt->bar_count, gantt->bar_count == 1 ? "" : "s",
	    gantt->lane_count, gantt->lane_count == 1 ? "" : "s");
	gantt_time(out, axis->end);
	if (gantt->marker >= 0) {
		buffer_append_string(out, "; ");
		svg_text(out, gantt->marker_name, strlen(gantt->marker_name));
		buffer_append_string(out, " at ");
		gantt_time(out, gantt->marker);
	}
	buffer_append_string(out, "</desc>\n");
}

static void
append_root(const struct gantt_layout *layout,
    const struct gantt_palette *palette, struct buffer *out)
{
	const struct gantt *gantt = layout->gantt;

	buffer_append_string(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gantt\""
	    " role=\"img\" aria-labelledby=\"gantt-title gantt-desc\"");
	append_attribute(out, "width", GANTT_WIDTH);
	append_attribute(out, "height", layout->height);
	buffer_append_string(out, " viewBox=\"0 0 ");
	svg_number(out, GANTT_WIDTH);
	buffer_append_char(out, ' ');
	svg_number(out, layout->height);
	buffer_append_string(out, "\">\n<title id=\"gantt-title\">");
	svg_text(out, gantt->title, strlen(gantt->title));
	buffer_append_string(out, "</title>\n");
	append_description(gantt, &layout->axis, out);
	buffer_append_string(out, "<style>\n");
	buffer_append_string(out, style);
	gantt_palette_style(palette, out);
	buffer_append_string(out, dark_style);
	buffer_append_string(out, "</style>\n<defs>\n");
	gantt_palette_patterns(palette, out);
	buffer_append_string(out,
	    "</defs>\n<rect class=\"ground\" width=\"100%\" "
	    "height=\"100%\"/>\n");
}

/* Title, subtitle, legend; returns where they end. */
static double
append_head(const struct gantt *gantt, const struct gantt_palette *palette,
    struct buffer *out)
{
	double width = GANTT_WIDTH - 2 * GANTT_MARGIN;
	double y = TITLE_Y;

	append_text_head(out, "title", GANTT_MARGIN, y);
	svg_text_fit(out, gantt->title, strlen(gantt->title), TITLE_TEXT, width,
	    SVG_CUT_END);
	buffer_append_string(out, "</text>\n");
	if (gantt->subtitle != NULL) {
		y = SUBTITLE_Y;
		append_text_head(out, "dim", GANTT_MARGIN, y);
		svg_text_fit(out, gantt->subtitle, strlen(gantt->subtitle),
		    GANTT_TEXT, width, SVG_CUT_END);
		buffer_append_string(out, "</text>\n");
	}
	return gantt_legend_append(palette, y + GANTT_TEXT, out);
}

/* Where nothing runs is a lane, too. */
static void
append_lanes(const struct gantt_layout *layout, struct buffer *out)
{
	size_t lane;

	buffer_append_string(out, "<path class=\"lanes\"");
	append_attribute(out, "stroke-width", layout->bar_height);
	buffer_append_string(out, " d=\"");
	for (lane = 0; lane < layout->gantt->lane_count; lane++) {
		buffer_append_char(out, 'M');
		svg_number(out, layout->left);
		buffer_append_char(out, ' ');
		svg_number(out, layout->lanes[lane] + layout->lane_height / 2);
		buffer_append_char(out, 'H');
		svg_number(out, layout->right);
	}
	buffer_append_string(out, "\"/>\n");
}

/* A line at each tick, and what stands at it, above and below. */
static void
append_grid(const struct gantt_layout *layout, struct buffer *out)
{
	unsigned ticks = gantt_axis_ticks(&layout->axis), tick;

	buffer_append_string(out, "<path class=\"grid\" d=\"");
	for (tick = 0; tick < ticks; tick++) {
		buffer_append_char(out, 'M');
		svg_number(
		    out, gantt_layout_x(layout, tick * layout->axis.step));
		buffer_append_char(out, ' ');
		svg_number(out, layout->top - 5);
		buffer_append_char(out, 'V');
		svg_number(out, layout->bottom + 5);
	}
	buffer_append_string(out, "\"/>\n");
	for (tick = 0; tick < 2 * ticks; tick++) {
		append_text_head(out, "dim middle",
		    gantt_layout_x(layout, tick / 2 * layout->axis.step),
		    tick % 2 == 0 ? layout->top - 10 : layout->bottom + 18);
		gantt_axis_label(&layout->axis, tick / 2, out);
		buffer_append_string(out, "</text>\n");
	}
}

static void
append_name(const struct gantt_layout *layout, const char *name, double y,
    struct buffer *out)
{
	append_text_head(out, "", GANTT_MARGIN, y + BASELINE);
	svg_text_fit(out, name, strlen(name), GANTT_TEXT, layout->name_width,
	    SVG_CUT_END);
	if (svg_text_width(name, strlen(name), GANTT_TEXT) >
	    layout->name_width) {
		buffer_append_string(out, "<title>");
		svg_text(out, name, strlen(name));
		buffer_append_string(out, "</title>");
	}
	buffer_append_string(out, "</text>\n");
}

static void
append_number(
    const struct gantt_layout *layout, size_t lane, struct buffer *out)
{
	append_text_head(out, "dim small end", layout->left - 6,
	    layout->lanes[lane] + layout->lane_height / 2 + BASELINE - 0.5);
	buffer_append_format(
	    out, "%u</text>\n", (unsigned)layout->gantt->lanes[lane].slot + 1);
}

/* Names of instances, as far as they can be read, and numbers of slots. */
static void
append_names(const struct gantt_layout *layout, struct buffer *out)
{
	const struct gantt *gantt = layout->gantt;
	double y, last = -NAME_APART, half = layout->lane_height / 2;
	size_t lane, next;

	for (lane = 0; lane < gantt->lane_count; lane = next) {
		next = lane + gantt_layout_block(gantt, lane);
		y = layout->lanes[lane] + half;
		/* Beside low lanes a name stands for all of its instance. */
		if (layout->lane_height < GANTT_TEXT_LANE)
			y = (y + layout->lanes[next - 1] + half) / 2;
		if (y - last >= fmin(NAME_APART, GANTT_TEXT_LANE)) {
			append_name(layout, gantt->lanes[lane].name, y, out);
			last = y;
		}
		while (layout->numbered && lane < next)
			append_number(layout, lane++, out);
	}
}

static void
append_marker(const struct gantt_layout *layout, struct buffer *out)
{
	const struct gantt *gantt = layout->gantt;
	double x = gantt_layout_x(layout, gantt->marker);
	int i;

	for (i = 0; i < 2; i++) {
		buffer_append_format(out, "<path class=\"%s\" d=\"M",
		    i == 0 ? "halo" : "marker");
		svg_number(out, x);
		buffer_append_char(out, ' ');
		svg_number(out, layout->top - 24);
		buffer_append_char(out, 'V');
		svg_number(out, layout->bottom + 5);
		buffer_append_string(out, "\"/>\n");
	}
	append_text_head(out, x > GANTT_WIDTH / 2 ? "mark end" : "mark",
	    x > GANTT_WIDTH / 2 ? x + 4 : x - 4, layout->top - 29);
	svg_text_fit(out, gantt->marker_name, strlen(gantt->marker_name),
	    GANTT_TEXT, GANTT_WIDTH / 3, SVG_CUT_END);
	buffer_append_char(out, ' ');
	gantt_axis_time(&layout->axis, gantt->marker, out);
	buffer_append_string(out, "</text>\n");
}

/* What there is only where something was planned. */
static void
append_tasks(const struct gantt_layout *layout,
    const struct gantt_palette *palette, struct buffer *out)
{
	append_grid(layout, out);
	append_names(layout, out);
	gantt_bars_append(layout, palette, out);
	if (layout->gantt->marker >= 0)
		append_marker(layout, out);
}

static void
append_nothing(const struct gantt_layout *layout, struct buffer *out)
{
	append_names(layout, out);
	append_text_head(out, "dim middle", (layout->left + layout->right) / 2,
	    layout->top - GANTT_TEXT);
	buffer_append_string(out, "no tasks</text>\n");
}

void
gantt_append(const struct gantt *gantt, struct buffer *out)
{
	struct buffer head = BUFFER_INIT;
	struct gantt_palette palette;
	struct gantt_layout layout;
	double y;

	gantt_palette_init(&palette, gantt);
	y = append_head(gantt, &palette, &head);
	if (gantt_layout_init(&layout, gantt, y) == -1) {
		out->failed = true;
	} else {
		append_root(&layout, &palette, out);
		buffer_append(out, head.data, head.length);
		append_lanes(&layout, out);
		if (gantt->bar_count > 0)
			append_tasks(&layout, &palette, out);
		else
			append_nothing(&layout, out);
		buffer_append_string(out, "</svg>\n");
	}
	if (buffer_failed(&head))
		out->failed = true;
	gantt_layout_release(&layout);
	buffer_release(&head);
}
