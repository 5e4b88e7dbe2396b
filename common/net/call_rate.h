/*
 * A bound of so many a second: a token bucket, as a pure function of time.
 *
 * It holds one, and what comes in 10 ms, so that a loop that wakes late catches
 * up: rate is reached, and over any second no more than that goes beyond it.
 */
#ifndef SVCKIT_NET_CALL_RATE_H
#define SVCKIT_NET_CALL_RATE_H

#include <stdbool.h>

struct call_rate {
	double rate; /* a second; 0: no bound */
	double tokens;
	double at; /* monotonic seconds: when tokens was right */
};

void call_rate_init(struct call_rate *rate, double a_second, double now);

/* Takes one, if there is one. */
bool call_rate_take(struct call_rate *rate, double now);

/* When there is one; now or earlier: there is. */
double call_rate_next(const struct call_rate *rate, double now);

#endif
