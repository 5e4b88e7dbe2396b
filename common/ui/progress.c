#include "ui/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATE_SECONDS 5.0 /* until what was counts 1/e */
#define ETA_MAX	     (99.0 * 24 * 60 * 60)

/* Longest: 20 digits and a few words. */
#define PIECE_SIZE 64

/* What stands behind the bar, in order of place. */
enum piece { PERCENT, DONE, CANCELLED, RUNNING, RATE, TIME, PIECES };

/* What goes, in this order, where there is no room; the bar went before. */
static const enum piece dispensable[] = {
    TIME, RATE, RUNNING, PERCENT, CANCELLED};

struct pieces {
	char text[PIECES][PIECE_SIZE]; /* "": there is none */
	bool has_bar;
};

void
progress_rate_init(struct progress_rate *rate, double now)
{
	*rate = (struct progress_rate){.at = now};
}

double
progress_rate_update(struct progress_rate *rate, size_t done, double now)
{
	double elapsed = now - rate->at, share, of_late;

	if (elapsed > 0) {
		share = 1 - exp(-elapsed / RATE_SECONDS);
		of_late = ((double)done - (double)rate->done) / elapsed;
		rate->sum += share * (of_late - rate->sum);
		rate->weight += share * (1 - rate->weight);
		rate->at = now;
		rate->done = done;
	}
	return rate->weight > 0 ? rate->sum / rate->weight : 0;
}

/* "15s", "4m 05s", "3h 07m", "2d 03h". */
static void
print_time(double seconds, char text[PIECE_SIZE / 2])
{
	unsigned long whole = (unsigned long)fmin(seconds + 0.5, 1e9);

	if (whole < 60)
		snprintf(text, PIECE_SIZE / 2, "%lus", whole);
	else if (whole < 60UL * 60)
		snprintf(text, PIECE_SIZE / 2, "%lum %02lus", whole / 60,
		    whole % 60);
	else if (whole < 24UL * 60 * 60)
		snprintf(text, PIECE_SIZE / 2, "%luh %02lum", whole / 3600,
		    whole / 60 % 60);
	else
		snprintf(text, PIECE_SIZE / 2, "%lud %02luh", whole / 86400,
		    whole / 3600 % 24);
}

/* How long it will take yet; negative: nobody knows. */
static double
time_left(const struct progress *progress)
{
	double left;

	if (progress->part <= 0 || progress->rate <= 0)
		return -1;
	left = (double)progress->done * (1 - progress->part) / progress->part /
	       progress->rate;
	return left <= ETA_MAX ? left : -1;
}

static void
make_time(const struct progress *progress, char text[PIECE_SIZE])
{
	const char *before = "";
	double seconds = progress->seconds;
	char time[PIECE_SIZE / 2];

	if (progress->ended) {
		before = "in ";
	} else if (progress->part >= 0) {
		before = "ETA ";
		seconds = time_left(progress);
	}
	if (seconds < 0)
		return;
	print_time(seconds, time);
	snprintf(text, PIECE_SIZE, "  %s%s", before, time);
}

static void
make_rate(double rate, char text[PIECE_SIZE])
{
	int decimals = rate < 0.995 ? 2 : rate < 9.95;

	if (rate > 0 && rate < 0.005)
		snprintf(text, PIECE_SIZE, "  <0.01/s");
	else
		snprintf(
		    text, PIECE_SIZE, "  %.*f/s", decimals, fmin(rate, 1e15));
}

/* What there is to say; the bar takes what room it leaves. */
static void
make_pieces(const struct progress *progress, struct pieces *pieces)
{
	char *done = pieces->text[DONE];
	int n;

	/* 100 only when nothing is left. */
	if (pieces->has_bar)
		snprintf(pieces->text[PERCENT], PIECE_SIZE, "%3d%%  ",
		    (int)(fmin(progress->part, 1) * 100));
	n = snprintf(done, PIECE_SIZE, "%zu done", progress->done);
	if (progress->failed > 0)
		snprintf(done + n, PIECE_SIZE - (size_t)n, ", %zu failed",
		    progress->failed);
	if (progress->cancelled > 0)
		snprintf(pieces->text[CANCELLED], PIECE_SIZE, ", %zu cancelled",
		    progress->cancelled);
	if (progress->running > 0)
		snprintf(pieces->text[RUNNING], PIECE_SIZE, ", %zu in flight",
		    progress->running);
	make_rate(progress->rate, pieces->text[RATE]);
	make_time(progress, pieces->text[TIME]);
}

static size_t
length_of(const struct pieces *pieces)
{
	size_t i, length = 0;

	for (i = 0; i < PIECES; i++)
		length += strlen(pieces->text[i]);
	return length;
}

/* Leaves out what does not fit; returns how wide the bar may be, 0: none. */
static size_t
fit(struct pieces *pieces, size_t columns)
{
	size_t i, length = length_of(pieces);

	/* A space stands behind the bar. */
	if (pieces->has_bar && length + 1 + PROGRESS_BAR_MIN <= columns)
		return columns - length - 1 < PROGRESS_BAR_MAX
			   ? columns - length - 1
			   : PROGRESS_BAR_MAX;
	for (i = 0; i < sizeof(dispensable) / sizeof(dispensable[0]) &&
		    length_of(pieces) > columns;
	     i++)
		pieces->text[dispensable[i]][0] = '\0';
	return 0;
}

static void
append_bar(double part, size_t width, struct buffer *out)
{
	size_t inner = width - 2, i;
	size_t full = (size_t)(fmin(part, 1) * (double)inner);

	buffer_append_char(out, '[');
	for (i = 0; i < full; i++)
		buffer_append_char(out, '=');
	if (full < inner)
		buffer_append_char(out, part > 0 ? '>' : ' ');
	for (i = full + 1; i < inner; i++)
		buffer_append_char(out, ' ');
	buffer_append_string(out, "] ");
}

void
progress_print(
    const struct progress *progress, size_t columns, struct buffer *out)
{
	struct pieces pieces = {.has_bar = progress->part >= 0};
	size_t i, width, length, room = columns;

	make_pieces(progress, &pieces);
	width = fit(&pieces, columns);
	if (width > 0) {
		append_bar(progress->part, width, out);
		room -= width + 1;
	}
	for (i = 0; i < PIECES; i++) {
		length = strlen(pieces.text[i]);
		length = length < room ? length : room;
		buffer_append(out, pieces.text[i], length);
		room -= length;
	}
}

/* How wide the columns of all lines are. */
struct widths {
	size_t name;
	size_t done;
};

static size_t
digits_of(size_t number)
{
	size_t digits = 1;

	for (; number >= 10; number /= 10)
		digits++;
	return digits;
}

static struct widths
measure(const struct progress_service *services, size_t count, size_t columns)
{
	struct widths widths = {0, 0};
	size_t i, name, done;

	for (i = 0; i < count; i++) {
		name = strlen(services[i].name);
		done = digits_of(services[i].done);
		widths.name = name > widths.name ? name : widths.name;
		widths.done = done > widths.done ? done : widths.done;
	}
	/* Numbers are what is looked for. */
	if (widths.name > columns / 2)
		widths.name = columns / 2;
	return widths;
}

/* As much as there is room for: of what has been made of a line, and more. */
static void
append_cut(struct buffer *out, size_t start, size_t columns, const char *text)
{
	size_t room = columns - (out->length - start), length = strlen(text);

	buffer_append(out, text, length < room ? length : room);
}

static void
append_service(const struct progress_service *service,
    const struct widths *widths, size_t columns, struct buffer *out)
{
	const struct {
		size_t count;
		const char *what;
	} pieces[] = {
	    {service->failed, "failed"},
	    {service->running, "running"},
	    {service->waiting, "waiting"},
	    {service->skipped, "skipped"},
	    {service->cancelled, "cancelled"},
	};
	size_t start = out->length, i;
	char text[PIECE_SIZE];

	buffer_append_format(
	    out, "%-*.*s", (int)widths->name, (int)widths->name, service->name);
	snprintf(text, sizeof(text), "  %*zu done", (int)widths->done,
	    service->done);
	append_cut(out, start, columns, text);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (pieces[i].count == 0)
			continue;
		snprintf(text, sizeof(text), ", %zu %s", pieces[i].count,
		    pieces[i].what);
		if (out->length - start + strlen(text) > columns)
			break;
		buffer_append_string(out, text);
	}
	buffer_append_char(out, '\n');
}

static bool
is_over(const struct progress_service *service)
{
	return service->running == 0 && service->waiting == 0;
}

static void
append_more(size_t count, size_t columns, struct buffer *out)
{
	char text[PIECE_SIZE];

	snprintf(text, sizeof(text), "and %zu service%s more", count,
	    count == 1 ? "" : "s");
	append_cut(out, out->length, columns, text);
	buffer_append_char(out, '\n');
}

void
progress_services_print(const struct progress_service *services, size_t count,
    size_t columns, size_t rows, struct buffer *out)
{
	struct widths widths = measure(services, count, columns);
	size_t room[2] = {0, 0}, i; /* for those at work, for those at an end */

	for (i = 0; i < count; i++)
		room[is_over(&services[i])]++;
	if (rows == 0)
		return;
	if (count > rows) {
		room[0] = room[0] < rows - 1 ? room[0] : rows - 1;
		room[1] = rows - 1 - room[0];
	}
	for (i = 0; i < count; i++) {
		if (room[is_over(&services[i])] == 0)
			continue;
		room[is_over(&services[i])]--;
		append_service(&services[i], &widths, columns, out);
	}
	if (count > rows)
		append_more(count - (rows - 1), columns, out);
}
