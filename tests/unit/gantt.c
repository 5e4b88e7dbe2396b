/* Gantt charts: well-formed SVG, bars and their merging, ticks, colours. */
#include "ui/gantt.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "line/utf8.h"
#include "ui/gantt_axis.h"
#include "ui/gantt_bars.h"
#include "ui/gantt_layout.h"
#include "ui/gantt_marks.h"
#include "ui/gantt_palette.h"
#include "ui/svg.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct gantt_lane two_lanes[] = {{"web1", 0}, {"web1", 1}};
static const char *const two_groups[] = {"alice", "bob"};

#define BAR(lane, group, start, end, label)                               \
	{                                                                 \
		(lane), (group), (start), (end), (label), strlen((label)) \
	}

/* A chart of count bars on two lanes of ten seconds. */
static struct gantt
small(const struct gantt_bar *bars, size_t count)
{
	return (struct gantt){.title = "a plan",
	    .lanes = two_lanes,
	    .lane_count = 2,
	    .bars = bars,
	    .bar_count = count,
	    .groups = two_groups,
	    .group_count = 2,
	    .end = 10,
	    .marker = -1};
}

/* The caller frees it. */
static char *
draw(const struct gantt *gantt)
{
	struct buffer out = BUFFER_INIT;

	gantt_append(gantt, &out);
	CHECK(!buffer_failed(&out));
	return buffer_detach(&out);
}

static size_t
count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

/* --- well-formed --- */

/* Past a reference that XML defines; or NULL. */
static const char *
skip_reference(const char *at)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
	size_t i;

	for (i = 0; i < COUNT_OF(known); i++)
		if (strncmp(at, known[i], strlen(known[i])) == 0)
			return at + strlen(known[i]);
	return NULL;
}

/* Past one character that XML 1.0 allows; or NULL. */
static const char *
skip_character(const char *at)
{
	size_t size = utf8_length(at, strnlen(at, 4));

	if (*at == '&')
		return skip_reference(at);
	if (size == 0 || ((unsigned char)*at < 0x20 && *at != '\n') ||
	    strncmp(at, "\357\277\276", 3) == 0 ||
	    strncmp(at, "\357\277\277", 3) == 0)
		return NULL;
	return at + size;
}

/* Past the rest of a tag, its attributes quoted; or NULL. */
static const char *
skip_attributes(const char *at, bool *empty)
{
	bool quoted = false;

	*empty = false;
	for (; at != NULL && *at != '\0' && (quoted || *at != '>');
	     at = skip_character(at)) {
		if (*at == '<')
			return NULL;
		if (*at == '"')
			quoted = !quoted;
		*empty = !quoted && *at == '/';
	}
	return at == NULL || *at == '\0' ? NULL : at + 1;
}

/* Where text stops being well-formed XML, "" at its end. */
static const char *
first_fault(const char *text)
{
	const char *open[32], *at = text, *next;
	size_t depth = 0, length;
	bool empty;

	for (; *at != '\0'; at = next) {
		next = *at == '<' ? at : skip_character(at);
		if (next == NULL)
			return at;
		if (*at != '<')
			continue;
		if (at[1] == '/') {
			length = strcspn(at + 2, ">");
			if (depth == 0 ||
			    strncmp(open[--depth], at + 2, length) != 0 ||
			    isalnum((unsigned char)open[depth][length]))
				return at;
			next = at + 2 + length + 1;
			continue;
		}
		next = skip_attributes(at + 1, &empty);
		if (next == NULL || depth == COUNT_OF(open))
			return at;
		if (!empty)
			open[depth++] = at + 1;
	}
	return depth == 0 ? at : open[depth - 1];
}

static void
check_well_formed(const char *text)
{
	const char *fault = text == NULL ? "(null)" : first_fault(text);

	if (!CHECK(*fault == '\0'))
		printf("# at %.60s\n", fault);
}

static void
the_checker_finds_faults(void)
{
	CHECK(*first_fault("<a b=\"c\"><d/>&amp;</a>") == '\0');
	CHECK(*first_fault("<a>") != '\0');
	CHECK(*first_fault("<a></b>") != '\0');
	CHECK(*first_fault("<a>\001</a>") != '\0');
	CHECK(*first_fault("<a>&x;</a>") != '\0');
	CHECK(*first_fault("<a b=\"<\"/>") != '\0');
	CHECK(*first_fault("<a>\377</a>") != '\0');
}

/* Names that break XML where they are not escaped. */
static const char *const hostile[] = {"</title><script>alert(1)</script>",
    "\"/><image href=\"http://127.0.0.1/x\"/>", "]]>&amp;&#0;",
    "\001\002\033[2J\177", "\377\376\300\200", "\357\277\276\357\277\277",
    "\355\240\200", "\302\205\342\200\256abc", "line\nfeed\ttab\r", ""};

static void
hostile_names_stay_text(void)
{
	struct gantt_lane lanes[COUNT_OF(hostile)];
	struct gantt_bar bars[COUNT_OF(hostile)];
	struct gantt gantt = {.title = hostile[0],
	    .subtitle = hostile[2],
	    .lanes = lanes,
	    .lane_count = COUNT_OF(hostile),
	    .bars = bars,
	    .bar_count = COUNT_OF(hostile),
	    .groups = hostile,
	    .group_count = COUNT_OF(hostile),
	    .end = 1,
	    .marker = 0.5,
	    .marker_name = hostile[1]};
	uint32_t i;
	char *text;

	for (i = 0; i < COUNT_OF(hostile); i++) {
		lanes[i] = (struct gantt_lane){hostile[i], 0};
		bars[i] = (struct gantt_bar)BAR(i, i, 0, 1, hostile[i]);
	}
	text = draw(&gantt);
	check_well_formed(text);
	CHECK(strstr(text, "<script") == NULL);
	CHECK(strstr(text, "<image") == NULL);
	CHECK(strstr(text, "\\x1b[2J") != NULL);
	CHECK(strstr(text, "\\u{fffe}\\u{ffff}") != NULL);
	free(text);
}

static void
labels_may_hold_any_bytes_and_be_very_long(void)
{
	size_t size = 1024 * 1024, i;
	char *label = malloc(size), *text;
	struct gantt_bar bar = {0, 0, 0, 10, label, size};
	struct gantt gantt = small(&bar, 1);

	for (i = 0; i < size; i++)
		label[i] = (char)(i % 256);
	text = draw(&gantt);
	check_well_formed(text);
	CHECK(strlen(text) < 16 * 1024);
	free(text);
	free(label);
}

static void
it_needs_nothing_from_elsewhere(void)
{
	struct gantt_bar bar = BAR(0, 0, 0, 5, "t1");
	struct gantt gantt = small(&bar, 1);
	char *text = draw(&gantt);

	CHECK(count_of(text, "http") == 1);
	CHECK(strstr(text, "xmlns=\"http://www.w3.org/2000/svg\"") != NULL);
	CHECK(strstr(text, "href") == NULL && strstr(text, "@import") == NULL);
	CHECK(strstr(text, "prefers-color-scheme:dark") != NULL);
	CHECK(strstr(text, "role=\"img\"") != NULL);
	CHECK(strstr(text, "<title id=\"gantt-title\">a plan<") != NULL);
	CHECK(strstr(text, "1 task on 2 lanes, from 0 to 10s<") != NULL);
	free(text);
}

/* --- bars --- */

static void
a_bar_has_its_place_a_tooltip_and_a_label(void)
{
	struct gantt_bar bars[] = {
	    BAR(1, 1, 2.5, 7.5, "resize"), BAR(0, 0, 0, 10, "<all>")};
	struct gantt gantt = small(bars, 2);
	struct gantt_layout layout;
	char *text = draw(&gantt), want[128];

	CHECK(count_of(text, "<rect x=") == 2 + 2); /* the legend's */
	CHECK(strstr(text, "<title>resize\nweb1, slot 2\n"
			   "2.5s to 7.5s (5s)\ngroup bob</title>") != NULL);
	CHECK(strstr(text, "<title>&lt;all&gt;\nweb1, slot 1\n") != NULL);
	CHECK(strstr(text, ">resize</text>") != NULL);
	if (CHECK(gantt_layout_init(&layout, &gantt, 0) == 0)) {
		snprintf(want, sizeof(want), "<rect x=\"%.1f\"",
		    layout.left + (layout.right - layout.left) / 4);
		CHECK(strstr(text, want) != NULL);
		gantt_layout_release(&layout);
	}
	free(text);
}

static void
an_instance_is_named_once_and_idle_lanes_are_shown(void)
{
	static const struct gantt_lane lanes[] = {
	    {"web1", 0}, {"web1", 1}, {"web2", 0}};
	struct gantt_bar bar = BAR(0, 0, 0, 5, "t1");
	struct gantt gantt = small(&bar, 1);
	char *text;

	gantt.lanes = lanes;
	gantt.lane_count = 3;
	text = draw(&gantt);
	CHECK(count_of(text, ">web1</text>") == 1);
	CHECK(count_of(text, ">web2</text>") == 1);
	free(text);
}

static void
labels_are_cut_or_left_out_where_they_do_not_fit(void)
{
	static const struct {
		double width;
		enum svg_cut cut;
		const char *want; /* NULL: nothing */
	} cases[] = {{1000, SVG_CUT_END, "render-0017"},
	    {60, SVG_CUT_END, "render-0\342\200\246"},
	    {60, SVG_CUT_BEGINNING, "\342\200\246der-0017"},
	    {20, SVG_CUT_END, NULL}, {0, SVG_CUT_BEGINNING, NULL}};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&out);
		CHECK(svg_text_fit(&out, "render-0017", 11, 10, cases[i].width,
			  cases[i].cut) == (cases[i].want != NULL));
		CHECK_STRING(buffer_string(&out),
		    cases[i].want == NULL ? "" : cases[i].want);
	}
	buffer_release(&out);
}

static void
bars_narrower_than_a_column_are_drawn_together(void)
{
	/* a unit is about 10 ms: three in one, then one that can be seen */
	struct gantt_bar bars[] = {BAR(0, 1, 0.002, 0.006, "c"),
	    BAR(0, 0, 0, 0.001, "a"), BAR(0, 0, 0.001, 0.002, "b"),
	    BAR(0, 0, 0.006, 5, "wide"), BAR(1, 0, 0, 0.001, "d")};
	struct gantt gantt = small(bars, COUNT_OF(bars));
	char *text = draw(&gantt);

	CHECK(count_of(text, "<rect x=") == 3 + 2);
	CHECK(strstr(text, "<title>3 tasks, first a\nweb1, slot 1\n"
			   "0s to 6ms (busy 6ms)\n"
			   "mostly group bob</title>") != NULL);
	CHECK(strstr(text, "<title>wide\n") != NULL);
	CHECK(strstr(text, "<title>d\n") != NULL);
	free(text);
}

/* How many marks, and bars in them, columns of so many seconds make. */
static void
check_marks(const struct gantt *gantt, double column, size_t marks_wanted,
    size_t bars_wanted)
{
	struct gantt_marks marks;
	struct gantt_mark mark;
	size_t count = 0, bars = 0;

	if (!CHECK(gantt_marks_open(&marks, gantt) == 0))
		return;
	gantt_marks_begin(&marks, column);
	for (; gantt_marks_next(&marks, &mark); count++)
		bars += mark.count;
	CHECK(count == marks_wanted);
	CHECK(bars == bars_wanted);
	gantt_marks_close(&marks);
}

static void
no_bar_is_lost_by_merging(void)
{
	struct gantt_bar bars[100];
	struct gantt gantt = small(bars, COUNT_OF(bars));
	size_t i;

	for (i = 0; i < COUNT_OF(bars); i++)
		bars[i] = (struct gantt_bar)BAR(
		    0, (uint32_t)(i % 2), i / 16.0, (i + 1) / 16.0, "t");
	check_marks(&gantt, 0.01, 100, 100);
	check_marks(&gantt, 1, 7, 100);
	check_marks(&gantt, 100, 1, 100);
}

static void
bars_that_belong_nowhere_are_left_out(void)
{
	struct gantt_bar bars[] = {BAR(0, 0, 0, 1, "good"),
	    BAR(2, 0, 0, 1, "lane"), BAR(0, 2, 0, 1, "group"),
	    BAR(0, 0, NAN, 1, "nan"), BAR(0, 0, 1, INFINITY, "infinite"),
	    BAR(0, 0, 2, 1, "backwards")};
	struct gantt gantt = small(bars, COUNT_OF(bars));
	char *text = draw(&gantt);

	check_marks(&gantt, 0.1, 1, 1);
	check_well_formed(text);
	free(text);
}

static void
no_tasks_and_no_lanes_make_a_picture_too(void)
{
	struct gantt gantt = small(NULL, 0);
	char *text;

	gantt.end = 0;
	text = draw(&gantt);
	check_well_formed(text);
	CHECK(strstr(text, ">no tasks</text>") != NULL);
	free(text);
	gantt.lane_count = gantt.group_count = 0;
	text = draw(&gantt);
	check_well_formed(text);
	free(text);
}

static void
the_marker_stands_at_its_time(void)
{
	struct gantt_bar bar = BAR(0, 0, 0, 10, "t1");
	struct gantt gantt = small(&bar, 1);
	struct gantt_layout layout;
	char *text, want[64];

	gantt.marker = 7.5;
	gantt.marker_name = "at best";
	text = draw(&gantt);
	CHECK(strstr(text, ">at best 7.5s</text>") != NULL);
	if (CHECK(gantt_layout_init(&layout, &gantt, 0) == 0)) {
		snprintf(want, sizeof(want), "class=\"marker\" d=\"M%.1f ",
		    layout.left + (layout.right - layout.left) * 0.75);
		CHECK(strstr(text, want) != NULL);
		gantt_layout_release(&layout);
	}
	free(text);
}

/* --- size --- */

/* count bars, in rows without gaps, on so many lanes. */
static char *
draw_many(size_t lane_count, size_t count)
{
	static const char *const groups[] = {
	    "", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
	struct gantt_lane *lanes = calloc(lane_count, sizeof(*lanes));
	struct gantt_bar *bars = calloc(count, sizeof(*bars));
	struct gantt gantt = {.title = "many",
	    .lanes = lanes,
	    .lane_count = lane_count,
	    .bars = bars,
	    .bar_count = count,
	    .groups = groups,
	    .group_count = COUNT_OF(groups),
	    .marker = -1};
	char *text;
	size_t i;

	for (i = 0; i < lane_count; i++)
		lanes[i] = (struct gantt_lane){"instance-8081", 0};
	for (i = 0; i < count; i++) {
		double start = (double)(i / lane_count);

		bars[i] = (struct gantt_bar)BAR((uint32_t)(i % lane_count),
		    (uint32_t)(i * 7 % COUNT_OF(groups)), start, start + 1,
		    "20261122T100000-abcdef-1234567");
		gantt.end = fmax(gantt.end, start + 1);
	}
	text = draw(&gantt);
	free(bars);
	free(lanes);
	return text;
}

static void
a_million_bars_make_a_few_megabytes(void)
{
	static const size_t lanes[] = {4, 48, 1000, 10000};
	size_t i;

	for (i = 0; i < COUNT_OF(lanes); i++) {
		char *text = draw_many(lanes[i], 1000000);

		if (!CHECK(strlen(text) < 8 * 1000 * 1000))
			printf(
			    "# %zu lanes: %zu bytes\n", lanes[i], strlen(text));
		CHECK(count_of(text, "<title>") <= GANTT_DETAIL_MAX);
		CHECK(count_of(text, "<title>") >= lanes[i]);
		check_well_formed(text);
		free(text);
	}
}

static void
two_thousand_bars_have_a_tooltip_each(void)
{
	char *text = draw_many(48, 2000);

	CHECK(count_of(text, "<title>") == 2000);
	CHECK(count_of(text, "first ") == 0);
	free(text);
}

/* What begins at the margin is a name, or stands over the lanes. */
static void
names_of_thousands_of_lanes_do_not_overlap(void)
{
	char *text = draw_many(10000, 10000);
	const char *at = text, *y;
	double last = 0, here;
	size_t count = 0;

	while ((at = strstr(at, "<text x=\"24\" y=\"")) != NULL) {
		y = at += strlen("<text x=\"24\" y=\"");
		if (strncmp(strchr(y, '>') + 1, "instance", 8) != 0)
			continue;
		here = strtod(y, NULL);
		CHECK(here - last > 11.9 || count == 0);
		last = here;
		count++;
	}
	CHECK(count > 1000 && count < 10000);
	free(text);
}

static void
lanes_are_at_least_two_units_high(void)
{
	static const size_t counts[] = {1, 20, 48, 100, 300, 1000, 10000};
	struct gantt gantt = small(NULL, 0);
	double last = INFINITY;
	size_t i;

	for (i = 0; i < COUNT_OF(counts); i++) {
		struct gantt_lane *lanes = calloc(counts[i], sizeof(*lanes));
		struct gantt_layout layout;
		size_t lane;

		for (lane = 0; lane < counts[i]; lane++)
			lanes[lane].name = "web1";
		gantt.lanes = lanes;
		gantt.lane_count = counts[i];
		if (CHECK(gantt_layout_init(&layout, &gantt, 0) == 0)) {
			CHECK(layout.lane_height >= 2);
			CHECK(layout.lane_height <= last);
			last = layout.lane_height;
			gantt_layout_release(&layout);
		}
		free(lanes);
	}
}

/* --- the axis --- */

static void
ticks_are_round_and_not_too_many(void)
{
	static const struct {
		double end;
		double step;
		const char *second; /* the label of the second tick */
		const char *last;
	} cases[] = {{0.5, 0.05, "50ms", "500ms"}, {1, 0.1, "0.1s", "1s"},
	    {0.00003, 0.000005, "0.005ms", "0.03ms"}, {7, 1, "1s", "7s"},
	    {42, 5, "5s", "40s"}, {120, 20, "20s", "120s"},
	    {121, 20, "20s", "2m"}, {600, 60, "1m", "10m"},
	    {4210, 600, "10m", "1h 10m"}, {36000, 3600, "1h", "10h"},
	    {100000, 10800, "3h", "1d 3h"}, {864000, 86400, "1d", "10d"},
	    {8640000, 864000, "10d", "100d"},
	    {3e9, 86400 * 5000.0, "5000d", "3e+04d"}, {0, 0.1, "0.1s", "1s"},
	    {NAN, 0.1, "0.1s", "1s"}, {INFINITY, 0.1, "0.1s", "1s"}};
	struct buffer out = BUFFER_INIT;
	struct gantt_axis axis;
	size_t i;

	for (i = 0; i < COUNT_OF(cases); i++) {
		gantt_axis_init(&axis, cases[i].end);
		if (!CHECK(fabs(axis.step / cases[i].step - 1) < 1e-9))
			printf("# %g: step %g\n", cases[i].end, axis.step);
		CHECK(gantt_axis_ticks(&axis) >= 4);
		CHECK(gantt_axis_ticks(&axis) <= 11);
		buffer_clear(&out);
		gantt_axis_label(&axis, 1, &out);
		CHECK_STRING(buffer_string(&out), cases[i].second);
		buffer_clear(&out);
		gantt_axis_label(&axis, gantt_axis_ticks(&axis) - 1, &out);
		CHECK_STRING(buffer_string(&out), cases[i].last);
	}
	buffer_release(&out);
}

static void
times_read_as_people_say_them(void)
{
	static const struct {
		double seconds;
		const char *want;
	} cases[] = {{0, "0s"}, {0.015, "15ms"}, {0.9999, "1s"}, {3.5, "3.5s"},
	    {3.05, "3.05s"}, {59.9999, "1m"}, {61.25, "1m 1.25s"}, {3600, "1h"},
	    {4210.5, "1h 10m 10.5s"}, {90000, "1d 1h"}, {-1, "0s"}, {NAN, "0s"},
	    {1e12, "1.157e+07d"}};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&out);
		gantt_time(&out, cases[i].seconds);
		CHECK_STRING(buffer_string(&out), cases[i].want);
	}
	buffer_release(&out);
}

/* --- colours --- */

struct color {
	double rgb[3]; /* linear */
};

static struct color
color_of(const char *hex)
{
	struct color color;
	unsigned long value = strtoul(hex + 1, NULL, 16);
	int i;

	for (i = 0; i < 3; i++) {
		double part = ((value >> (16 - 8 * i)) & 0xff) / 255.0;

		color.rgb[i] = part <= 0.04045
				   ? part / 12.92
				   : pow((part + 0.055) / 1.055, 2.4);
	}
	return color;
}

static struct color
multiply(const double matrix[3][3], const struct color *color)
{
	struct color product;
	int i;

	for (i = 0; i < 3; i++)
		product.rgb[i] = matrix[i][0] * color->rgb[0] +
				 matrix[i][1] * color->rgb[1] +
				 matrix[i][2] * color->rgb[2];
	return product;
}

/* OKLab: Ottosson, "A perceptual color space for image processing", 2020. */
static struct color
oklab(const struct color *color)
{
	static const double cones[3][3] = {
	    {0.4122214708, 0.5363325363, 0.0514459929},
	    {0.2119034982, 0.6806995451, 0.1073969566},
	    {0.0883024619, 0.2817188376, 0.6299787005}};
	static const double lab[3][3] = {
	    {0.2104542553, 0.7936177850, -0.0040720468},
	    {1.9779984951, -2.4285922050, 0.4505937099},
	    {0.0259040371, 0.7827717662, -0.8086757660}};
	struct color response = multiply(cones, color);
	int i;

	for (i = 0; i < 3; i++)
		response.rgb[i] = cbrt(fmax(response.rgb[i], 0));
	return multiply(lab, &response);
}

/* How others see: nobody's deficiency, protanopia, deuteranopia, tritanopia. */
static const double eyes[4][3][3] = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216},
	{-0.003882, -0.048116, 1.051998}},
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413},
	{-0.011820, 0.042940, 0.968881}},
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602},
	{0.004733, 0.691367, 0.303900}}};

static double
difference(const double eye[3][3], struct color a, struct color b)
{
	int i;

	a = multiply(eye, &a);
	b = multiply(eye, &b);
	for (i = 0; i < 3; i++) {
		a.rgb[i] = fmin(fmax(a.rgb[i], 0), 1);
		b.rgb[i] = fmin(fmax(b.rgb[i], 0), 1);
	}
	a = oklab(&a);
	b = oklab(&b);
	return sqrt(pow(a.rgb[0] - b.rgb[0], 2) + pow(a.rgb[1] - b.rgb[1], 2) +
		    pow(a.rgb[2] - b.rgb[2], 2));
}

static struct color
paint_color(unsigned paint)
{
	struct buffer value = BUFFER_INIT;
	struct color color;

	gantt_palette_value(paint, &value);
	CHECK(value.length == 7);
	color = color_of(buffer_string(&value));
	buffer_release(&value);
	return color;
}

/* 0.02 is what an attentive eye can just tell apart. */
static void
twelve_colors_differ_for_every_eye(void)
{
	unsigned a, b, eye;

	for (eye = 0; eye < COUNT_OF(eyes); eye++)
		for (a = 0; a < 13; a++)
			for (b = 0; b < a; b++)
				CHECK(difference(eyes[eye],
					  paint_color(a < 12 ? a : PAINT_NONE),
					  paint_color(b)) > 0.075);
}

static double
luminance(struct color color)
{
	return 0.2126 * color.rgb[0] + 0.7152 * color.rgb[1] +
	       0.0722 * color.rgb[2];
}

/* WCAG 2.1, 1.4.3: at least 4.5 to 1. */
static void
labels_can_be_read_on_every_color(void)
{
	unsigned paint;

	for (paint = 0; paint < 13; paint++) {
		unsigned which = paint < 12 ? paint : PAINT_NONE;
		double bright = luminance(paint_color(which)) + 0.05;

		CHECK((gantt_palette_is_dark(which) ? 1.05 / bright
						    : bright / 0.05) >= 4.5);
	}
}

static void
groups_beyond_twelve_are_striped_and_dotted(void)
{
	const char *groups[40] = {""};
	struct gantt gantt = small(NULL, 0);
	struct gantt_palette palette;
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 1; i < COUNT_OF(groups); i++)
		groups[i] = "g";
	gantt.groups = groups;
	gantt.group_count = COUNT_OF(groups);
	gantt_palette_init(&palette, &gantt);
	CHECK(gantt_palette_paint(&palette, 0) == PAINT_NONE);
	CHECK(gantt_palette_paint(&palette, 1) == 0);
	CHECK(gantt_palette_paint(&palette, 36) == 35);
	CHECK(gantt_palette_paint(&palette, 37) == 0);
	gantt_palette_patterns(&palette, &out);
	CHECK(count_of(buffer_string(&out), "<pattern") == 24);
	CHECK(count_of(buffer_string(&out), "<circle") == 12);
	buffer_release(&out);
}

static void
without_names_there_is_one_color_and_no_legend(void)
{
	static const char *const nameless[] = {""};
	struct gantt_bar bar = BAR(0, 0, 0, 5, "t1");
	struct gantt gantt = small(&bar, 1);
	char *text;

	gantt.groups = nameless;
	gantt.group_count = 1;
	text = draw(&gantt);
	CHECK(strstr(text, "class=\"p0\"") != NULL);
	CHECK(strstr(text, "no group") == NULL);
	CHECK(strstr(text, "group ") == NULL);
	free(text);
}

static void
a_legend_of_very_many_groups_counts_the_rest(void)
{
	const char *groups[1000];
	struct gantt_bar bar = BAR(0, 0, 0, 5, "t1");
	struct gantt gantt = small(&bar, 1);
	char *text;
	size_t i;

	for (i = 0; i < COUNT_OF(groups); i++)
		groups[i] = "a group with a long name";
	gantt.groups = groups;
	gantt.group_count = COUNT_OF(groups);
	text = draw(&gantt);
	CHECK(count_of(text, ">a group with a long name</text>") < 60);
	CHECK(strstr(text, " more groups</text>") != NULL);
	free(text);
}

int
main(void)
{
	RUN(the_checker_finds_faults);
	RUN(hostile_names_stay_text);
	RUN(labels_may_hold_any_bytes_and_be_very_long);
	RUN(it_needs_nothing_from_elsewhere);
	RUN(a_bar_has_its_place_a_tooltip_and_a_label);
	RUN(an_instance_is_named_once_and_idle_lanes_are_shown);
	RUN(labels_are_cut_or_left_out_where_they_do_not_fit);
	RUN(bars_narrower_than_a_column_are_drawn_together);
	RUN(no_bar_is_lost_by_merging);
	RUN(bars_that_belong_nowhere_are_left_out);
	RUN(no_tasks_and_no_lanes_make_a_picture_too);
	RUN(the_marker_stands_at_its_time);
	RUN(two_thousand_bars_have_a_tooltip_each);
	RUN(a_million_bars_make_a_few_megabytes);
	RUN(names_of_thousands_of_lanes_do_not_overlap);
	RUN(lanes_are_at_least_two_units_high);
	RUN(ticks_are_round_and_not_too_many);
	RUN(times_read_as_people_say_them);
	RUN(twelve_colors_differ_for_every_eye);
	RUN(labels_can_be_read_on_every_color);
	RUN(groups_beyond_twelve_are_striped_and_dotted);
	RUN(without_names_there_is_one_color_and_no_legend);
	RUN(a_legend_of_very_many_groups_counts_the_rest);
	return check_done();
}
