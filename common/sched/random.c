#include "sched/random.h"

static uint64_t
rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

/* SplitMix64 (Steele, Lea, Flood 2014): spreads a small seed over 64 bits. */
static uint64_t
split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void
random_seed(struct random *random, uint64_t seed)
{
	int i;

	for (i = 0; i < 4; i++)
		random->state[i] = split_mix(&seed);
}

uint64_t
random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t
random_below(struct random *random, uint64_t bound)
{
	unsigned __int128 product;
	uint64_t threshold;

	product = (unsigned __int128)random_next(random) * bound;
	if ((uint64_t)product < bound) {
		/* 2^64 mod bound: so many low products would be one too many */
		threshold = -bound % bound;
		while ((uint64_t)product < threshold)
			product =
			    (unsigned __int128)random_next(random) * bound;
	}
	return (uint64_t)(product >> 64);
}

double
random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}
