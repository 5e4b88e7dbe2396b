#include "sched/spread_counts.h"

#include <stdlib.h>
#include <string.h>

void
spread_counts_release(struct spread_counts *counts)
{
	size_t i;

	for (i = 0; i < counts->keys.count; i++)
		free(counts->counts[i]);
	free(counts->counts);
	name_table_release(&counts->keys);
	buffer_release(&counts->key);
}

/* Room for one more key, before there is one. */
static int
reserve(struct spread_counts *counts)
{
	size_t capacity = counts->capacity == 0 ? 16 : counts->capacity * 2;
	uint64_t **grown;

	if (counts->keys.count < counts->capacity)
		return 0;
	grown = reallocarray(counts->counts, capacity, sizeof(*grown));
	if (grown == NULL)
		return -1;
	memset(grown + counts->capacity, 0,
	    (capacity - counts->capacity) * sizeof(*grown));
	counts->counts = grown;
	counts->capacity = capacity;
	return 0;
}

/* Neither a service nor a label can have a NUL in it; a group may. */
static int
write_key(struct spread_counts *counts, const struct spread_key *key,
    const char *label)
{
	struct buffer *out = &counts->key;

	buffer_clear(out);
	buffer_append(out, key->service, strlen(key->service) + 1);
	buffer_append(out, label, strlen(label) + 1);
	buffer_append(out, key->group, key->group_length);
	return buffer_failed(out) ? -1 : 0;
}

static int
make_numbers(struct spread_counts *counts, const struct domain_column *column,
    uint64_t **numbers)
{
	uint32_t number;

	if (reserve(counts) == -1 ||
	    name_table_add(&counts->keys, counts->key.data, counts->key.length,
		&number) == -1)
		return -1;
	if (counts->counts[number] == NULL)
		counts->counts[number] =
		    calloc(column->count + 1, sizeof(uint64_t));
	*numbers = counts->counts[number];
	return *numbers == NULL ? -1 : 0;
}

int
spread_counts_find(struct spread_counts *counts, const struct spread_key *key,
    const struct domain_column *column, bool make, uint64_t **numbers)
{
	uint32_t number;

	*numbers = NULL;
	/* nobody has the label */
	if (column->count == 0)
		return 0;
	if (write_key(counts, key, column->label) == -1)
		return -1;
	if (make)
		return make_numbers(counts, column, numbers);
	number = name_table_find(
	    &counts->keys, counts->key.data, counts->key.length);
	if (number != NAME_TABLE_NONE)
		*numbers = counts->counts[number];
	return 0;
}
