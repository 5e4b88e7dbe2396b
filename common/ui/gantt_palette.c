#include "ui/gantt_palette.h"

#include <stddef.h>

#define COLORS 12

/*
 * Found by annealing: of OKLCH colours that are told from white and from the
 * dark ground, the twelve whose least distance in OKLab is greatest, as seen by
 * everybody and as the matrices of Machado, Oliveira and Fernandes ("A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE
 * TVCG 15(6), 2009) make others see them; each next one is far from those
 * before it.
 */
static const struct {
	const char *value;
	bool dark;
} colors[COLORS] = {
    {"#5b80d1", false},
    {"#ffc336", false},
    {"#a7320c", true},
    {"#42d9fa", false},
    {"#6b4680", true},
    {"#cb713f", false},
    {"#d78eb3", false},
    {"#3059ba", true},
    {"#b3dab1", false},
    {"#02a9f7", false},
    {"#96615e", true},
    {"#b5b581", false},
};
static const char none[] = "#888c80";

void
gantt_palette_init(struct gantt_palette *palette, const struct gantt *gantt)
{
	uint32_t group;

	*palette = (struct gantt_palette){.gantt = gantt};
	for (group = 0; group < gantt->group_count; group++)
		palette->named |= gantt->groups[group][0] != '\0';
	for (group = 0; group < gantt->group_count; group++)
		palette->used[gantt_palette_paint(palette, group)] = true;
}

unsigned
gantt_palette_paint(const struct gantt_palette *palette, uint32_t group)
{
	const char *const *groups = palette->gantt->groups;

	if (!palette->named)
		return 0;
	if (groups[group][0] == '\0')
		return PAINT_NONE;
	/* A nameless group at the front takes no colour from the others. */
	return (group - (groups[0][0] == '\0')) % PAINT_NONE;
}

bool
gantt_palette_is_dark(unsigned paint)
{
	return paint != PAINT_NONE && colors[paint % COLORS].dark;
}

void
gantt_palette_value(unsigned paint, struct buffer *out)
{
	if (paint == PAINT_NONE)
		buffer_append_string(out, none);
	else if (paint < COLORS)
		buffer_append_string(out, colors[paint].value);
	else
		buffer_append_format(out, "url(#gantt-p%u)", paint);
}

/* Stripes and dots stay away from the colour of what is written on them. */
static void
append_pattern(unsigned paint, struct buffer *out)
{
	const char *ink = gantt_palette_is_dark(paint) ? "#000" : "#fff";
	bool striped = paint < 2 * COLORS;

	buffer_append_format(out,
	    "<pattern id=\"gantt-p%u\" width=\"6\" height=\"6\" "
	    "patternUnits=\"userSpaceOnUse\"%s>"
	    "<path fill=\"%s\" d=\"M0 0h6v6H0z\"/>",
	    paint, striped ? " patternTransform=\"rotate(45)\"" : "",
	    colors[paint % COLORS].value);
	buffer_append_format(out,
	    striped ? "<path fill=\"%s\" fill-opacity=\".5\" "
		      "d=\"M0 0h2.5v6H0z\"/></pattern>\n"
		    : "<circle cx=\"3\" cy=\"3\" r=\"1.5\" fill=\"%s\" "
		      "fill-opacity=\".6\"/></pattern>\n",
	    ink);
}

void
gantt_palette_patterns(const struct gantt_palette *palette, struct buffer *out)
{
	unsigned paint;

	for (paint = COLORS; paint < PAINT_NONE; paint++)
		if (palette->used[paint])
			append_pattern(paint, out);
}

void
gantt_palette_style(const struct gantt_palette *palette, struct buffer *out)
{
	unsigned paint;

	for (paint = 0; paint < PAINT_COUNT; paint++) {
		if (!palette->used[paint])
			continue;
		buffer_append_format(out, ".gantt .p%u{fill:", paint);
		gantt_palette_value(paint, out);
		buffer_append_string(out, "}\n");
	}
}
