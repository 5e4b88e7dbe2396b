/*
 * Seeded random numbers: xoshiro256** by Blackman and Vigna (2018), state
 * filled by SplitMix64.  The same seed repeats everything; secrets come from
 * arc4random(3) instead.
 */
#ifndef SVCKIT_SCHED_RANDOM_H
#define SVCKIT_SCHED_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Uniform in [0, bound), without bias (Lemire 2019); bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* Uniform in [0, 1), 53 bits. */
double random_unit(struct random *random);

#endif
