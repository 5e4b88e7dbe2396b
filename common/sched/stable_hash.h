/*
 * A hash of bytes that is the same on every machine and in every version, for
 * what must come out alike everywhere: where the keys and instances of --hash
 * stand.  It keeps no secret: whoever chooses the bytes can make two alike.
 *
 * 64-bit FNV-1a (Fowler, Noll, Vo), whose high bits hardly depend on
 * the last bytes, finished by the mixer of SplitMix64 (Steele, Lea, Flood,
 * "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014), after which
 * each bit depends on all.
 */
#ifndef SVCKIT_SCHED_STABLE_HASH_H
#define SVCKIT_SCHED_STABLE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t stable_hash(const char *bytes, size_t length);

/* The i-th of a sequence of numbers that a hash begins: SplitMix64's. */
uint64_t stable_hash_nth(uint64_t hash, uint64_t i);

#endif
