#include "net/call_rate.h"

#include <math.h>

/* Seconds for which what was not used is kept: how late a loop may wake. */
#define KEPT 0.01
/* Sums of fractions may end this much short of a whole. */
#define ROUNDING 1e-9

void
call_rate_init(struct call_rate *rate, double a_second, double now)
{
	rate->rate = a_second;
	rate->tokens = 1;
	rate->at = now;
}

static double
held(const struct call_rate *rate, double now)
{
	double most = 1 + rate->rate * KEPT;

	return fmin(most, rate->tokens + fmax(0, now - rate->at) * rate->rate);
}

bool
call_rate_take(struct call_rate *rate, double now)
{
	double tokens;

	if (rate->rate <= 0)
		return true;
	tokens = held(rate, now);
	if (tokens < 1 - ROUNDING)
		return false;
	rate->tokens = tokens - 1;
	rate->at = fmax(rate->at, now);
	return true;
}

double
call_rate_next(const struct call_rate *rate, double now)
{
	double missing;

	if (rate->rate <= 0)
		return now;
	missing = 1 - held(rate, now);
	if (missing <= ROUNDING)
		return now;
	return nextafter(fmax(now, rate->at) + missing / rate->rate, HUGE_VAL);
}
