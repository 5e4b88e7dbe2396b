#include "sched/stable_hash.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define GAMMA	  UINT64_C(0x9e3779b97f4a7c15)

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
stable_hash(const char *bytes, size_t length)
{
	uint64_t hash = FNV_BASIS;
	size_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
	return mix(hash);
}

uint64_t
stable_hash_nth(uint64_t hash, uint64_t i)
{
	return mix(hash + (i + 1) * GAMMA);
}
