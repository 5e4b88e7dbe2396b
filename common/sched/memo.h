/*
 * A memo: what was worked out for the bytes of a question, kept for the next
 * time that somebody asks the same.  It is bounded: when it is full it forgets
 * everything and starts over, which costs each entry one free(3).
 */
#ifndef SVCKIT_SCHED_MEMO_H
#define SVCKIT_SCHED_MEMO_H

#include <stddef.h>
#include <stdint.h>

#define MEMO_ENTRIES_MAX 1024

struct memo_entry {
	uint64_t hash;
	size_t topic;
	size_t length;
	struct memo_entry *next; /* in its chain */
	/* the value and then the bytes stand behind */
};

/* Zeroed but for what the caller sets it is an empty one. */
struct memo {
	size_t value_size; /* set by the caller: */
	size_t cost_max; /* of all entries together */
	void (*release)(void *value); /* or NULL */
	struct memo_entry *chains[MEMO_ENTRIES_MAX];
	size_t count;
	size_t cost;
};

/*
 * The value for the bytes (length of them) of a question on topic; NULL: none
 * yet.  Owned by the memo, until it forgets.
 */
void *memo_find(
    const struct memo *memo, size_t topic, const char *bytes, size_t length);

/*
 * Keeps a copy of value, which answers a question that memo_find() does not
 * know; cost is what that takes beside the bytes, and may alone be above
 * cost_max.  All the others may be forgotten for it.  The copy, which the memo
 * releases from now on; NULL: no memory, and value is still the caller's.
 */
void *memo_keep(struct memo *memo, size_t topic, const char *bytes,
    size_t length, const void *value, size_t cost);

/* Forgets everything; may be used on. */
void memo_clear(struct memo *memo);

#endif
