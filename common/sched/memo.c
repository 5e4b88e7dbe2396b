#include "sched/memo.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, eight bytes at a time, and its high bits down for the remainder. */
static uint64_t
hash_bytes(size_t topic, const char *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325 + topic, word;

	for (; length >= sizeof(word); length -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
		bytes += sizeof(word);
	}
	for (; length > 0; length--)
		hash = (hash ^ (unsigned char)*bytes++) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static void *
value_of(struct memo_entry *entry)
{
	return entry + 1;
}

static struct memo_entry *
find(const struct memo *memo, uint64_t hash, size_t topic, const char *bytes,
    size_t length)
{
	struct memo_entry *entry = memo->chains[hash % MEMO_ENTRIES_MAX];

	for (; entry != NULL; entry = entry->next)
		if (entry->hash == hash && entry->topic == topic &&
		    entry->length == length &&
		    (length == 0 ||
			memcmp((char *)value_of(entry) + memo->value_size,
			    bytes, length) == 0))
			break;
	return entry;
}

void *
memo_find(
    const struct memo *memo, size_t topic, const char *bytes, size_t length)
{
	struct memo_entry *entry =
	    find(memo, hash_bytes(topic, bytes, length), topic, bytes, length);

	return entry == NULL ? NULL : value_of(entry);
}

void *
memo_keep(struct memo *memo, size_t topic, const char *bytes, size_t length,
    const void *value, size_t cost)
{
	struct memo_entry *entry, **chain;

	entry = malloc(sizeof(*entry) + memo->value_size + length);
	if (entry == NULL)
		return NULL;
	if (memo->count == MEMO_ENTRIES_MAX ||
	    memo->cost + length + cost > memo->cost_max)
		memo_clear(memo);
	entry->hash = hash_bytes(topic, bytes, length);
	entry->topic = topic;
	entry->length = length;
	memcpy(value_of(entry), value, memo->value_size);
	if (length > 0)
		memcpy(
		    (char *)value_of(entry) + memo->value_size, bytes, length);
	chain = &memo->chains[entry->hash % MEMO_ENTRIES_MAX];
	entry->next = *chain;
	*chain = entry;
	memo->count++;
	memo->cost += length + cost;
	return value_of(entry);
}

void
memo_clear(struct memo *memo)
{
	struct memo_entry *entry, *next;
	size_t i;

	for (i = 0; memo->count > 0 && i < MEMO_ENTRIES_MAX; i++) {
		for (entry = memo->chains[i]; entry != NULL; entry = next) {
			next = entry->next;
			if (memo->release != NULL)
				memo->release(value_of(entry));
			free(entry);
		}
		memo->chains[i] = NULL;
	}
	memo->count = 0;
	memo->cost = 0;
}
