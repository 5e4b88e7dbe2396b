#include "ui/gantt_axis.h"

#include <math.h>
#include <stddef.h>

#define MINUTE 60.0
#define HOUR   3600.0
#define DAY    86400.0

/* So long an axis counts in seconds alone. */
#define SECONDS_MAX 120.0
/* Beyond, hours and minutes are noise. */
#define LONG_SPAN (1000 * DAY)
#define TICKS_MAX 10

/* Steps between seconds and days. */
static const double round_steps[] = {20, 30, MINUTE, 2 * MINUTE, 5 * MINUTE,
    10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR,
    12 * HOUR, DAY};

/* The least of 1, 2, 5 x 10^n that is at least least. */
static double
decimal_step(double least)
{
	static const double factors[] = {1, 2, 5};
	double power = pow(10, floor(log10(least)));
	size_t i;

	/* least may be a hair more than the number that it was meant to be. */
	for (i = 0; i < sizeof(factors) / sizeof(factors[0]); i++)
		if (factors[i] * power >= least * (1 - 1e-9))
			return factors[i] * power;
	return 10 * power;
}

void
gantt_axis_init(struct gantt_axis *axis, double end)
{
	double least;
	size_t i;

	axis->end = isfinite(end) && end > 0 ? fmax(end, 1e-300) : 1;
	least = axis->end / TICKS_MAX;
	axis->step = axis->end <= SECONDS_MAX ? decimal_step(least)
					      : DAY * decimal_step(least / DAY);
	if (axis->end <= SECONDS_MAX)
		return;
	for (i = 0; i < sizeof(round_steps) / sizeof(round_steps[0]); i++) {
		if (round_steps[i] < least)
			continue;
		axis->step = round_steps[i];
		break;
	}
}

unsigned
gantt_axis_ticks(const struct gantt_axis *axis)
{
	return (unsigned)floor(axis->end / axis->step * (1 + 1e-9)) + 1;
}

void
gantt_axis_label(
    const struct gantt_axis *axis, unsigned tick, struct buffer *out)
{
	double seconds = tick * axis->step;

	if (tick == 0)
		buffer_append_char(out, '0');
	else if (axis->end > SECONDS_MAX)
		gantt_time(out, seconds);
	else if (axis->end < 1)
		buffer_append_format(out, "%.6gms", seconds * 1000);
	else
		buffer_append_format(out, "%.6gs", seconds);
}

void
gantt_axis_time(
    const struct gantt_axis *axis, double seconds, struct buffer *out)
{
	double unit = pow(10, floor(log10(axis->end)) - 3);

	gantt_time(out, round(seconds / unit) * unit);
}

/* Appends the seconds, to the millisecond, of what is left of a time. */
static void
append_seconds(struct buffer *out, long long milliseconds)
{
	buffer_append_format(out, "%lld", milliseconds / 1000);
	milliseconds %= 1000;
	if (milliseconds != 0) {
		int digits = 3;

		for (; milliseconds % 10 == 0; milliseconds /= 10)
			digits--;
		buffer_append_format(out, ".%0*lld", digits, milliseconds);
	}
	buffer_append_char(out, 's');
}

void
gantt_time(struct buffer *out, double seconds)
{
	static const struct {
		const char *name;
		long long milliseconds;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}};
	const char *separator = "";
	long long rest;
	size_t i;

	if (!(seconds > 0)) {
		buffer_append_string(out, "0s");
		return;
	}
	if (seconds < 0.9995 || seconds >= LONG_SPAN) {
		buffer_append_format(out, "%.4g%s",
		    seconds < 1 ? seconds * 1000 : seconds / DAY,
		    seconds < 1 ? "ms" : "d");
		return;
	}
	rest = llround(seconds * 1000);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (rest < units[i].milliseconds)
			continue;
		buffer_append_format(out, "%s%lld%s", separator,
		    rest / units[i].milliseconds, units[i].name);
		rest %= units[i].milliseconds;
		separator = " ";
	}
	if (rest == 0)
		return;
	buffer_append_string(out, separator);
	append_seconds(out, rest);
}
