#include "sched/member_sets.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TABLE_SIZE (2 * SETS_MAX)

static uint64_t
hash_members(const uint32_t *members, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325 ^ count;
	size_t i;

	for (i = 0; i < count; i++) {
		hash = (hash ^ members[i]) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return hash;
}

static struct member_set *
make(const uint32_t *members, size_t count)
{
	struct member_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->members = calloc(count + 1, sizeof(*members));
	if (set->members == NULL) {
		free(set);
		return NULL;
	}
	if (count > 0)
		memcpy(set->members, members, count * sizeof(*members));
	set->count = count;
	return set;
}

int
member_sets_find(struct member_sets *sets, const uint32_t *members,
    size_t count, const struct member_set **found, struct svc_error *error)
{
	uint64_t hash = hash_members(members, count);
	size_t i = hash % TABLE_SIZE;
	struct member_set *set;

	for (; sets->table[i] != 0; i = (i + 1) % TABLE_SIZE) {
		set = sets->sets[sets->table[i] - 1];
		if (set->hash == hash && set->count == count &&
		    (count == 0 || memcmp(set->members, members,
				       count * sizeof(*members)) == 0)) {
			*found = set;
			return 1;
		}
	}
	if (sets->count == SETS_MAX ||
	    (sets->count > 0 && sets->members + count > SETS_MEMBERS_MAX))
		return 0;
	set = make(members, count);
	if (set == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	set->hash = hash;
	set->serial = ++sets->serial;
	set->slot = (uint32_t)sets->count;
	sets->sets[sets->count++] = set;
	sets->members += count;
	sets->table[i] = set->slot + 1;
	*found = set;
	return 1;
}

void
member_sets_clear(struct member_sets *sets)
{
	uint64_t serial = sets->serial;
	size_t i;

	for (i = 0; i < sets->count; i++) {
		free(sets->sets[i]->members);
		free(sets->sets[i]);
	}
	memset(sets, 0, sizeof(*sets));
	sets->serial = serial;
}
