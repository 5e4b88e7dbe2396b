#include "sched/name_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_LEAST 64
#define NAMES_LEAST 16

void
name_table_release(struct name_table *table)
{
	byte_store_release(&table->bytes);
	free(table->names);
	free(table->slots);
	*table = (struct name_table)NAME_TABLE_INIT;
}

/* FNV-1a, and its upper half folded in: the slot is taken from below. */
static uint64_t
hash(const char *name, size_t length)
{
	uint64_t value = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < length; i++)
		value = (value ^ (unsigned char)name[i]) * 0x100000001b3;
	return value ^ value >> 32;
}

/* Names stand behind their length, wherever that happens to lie. */
static uint32_t
length_of(const char *entry)
{
	uint32_t length;

	memcpy(&length, entry, sizeof(length));
	return length;
}

static bool
is_entry(const char *entry, const char *name, size_t length)
{
	return length_of(entry) == length &&
	       memcmp(entry + sizeof(uint32_t), name, length) == 0;
}

/* Where the name's number is, or belongs. */
static uint32_t *
find_slot(const struct name_table *table, const char *name, size_t length)
{
	size_t mask = table->slot_count - 1, i = hash(name, length) & mask;

	while (table->slots[i] != NAME_TABLE_NONE &&
	       !is_entry(table->names[table->slots[i]], name, length))
		i = (i + 1) & mask;
	return &table->slots[i];
}

uint32_t
name_table_find(const struct name_table *table, const char *name, size_t length)
{
	return table->slot_count == 0 ? NAME_TABLE_NONE
				      : *find_slot(table, name, length);
}

/* Makes more slots and puts all names into them. */
static int
spread_out(struct name_table *table)
{
	size_t count =
	    table->slot_count == 0 ? SLOTS_LEAST : table->slot_count * 2;
	uint32_t *slots = reallocarray(NULL, count, sizeof(*slots));
	size_t i;

	if (slots == NULL)
		return -1;
	memset(slots, 0xff, count * sizeof(*slots)); /* NAME_TABLE_NONE */
	free(table->slots);
	table->slots = slots;
	table->slot_count = count;
	for (i = 0; i < table->count; i++) {
		const char *entry = table->names[i];

		*find_slot(table, entry + sizeof(uint32_t), length_of(entry)) =
		    (uint32_t)i;
	}
	return 0;
}

static int
make_room(struct name_table *table)
{
	const char **names;
	size_t capacity;

	if (table->count >= table->slot_count / 4 * 3 &&
	    spread_out(table) == -1)
		return -1;
	if (table->count < table->capacity)
		return 0;
	capacity = table->capacity == 0 ? NAMES_LEAST : table->capacity * 2;
	names = reallocarray(table->names, capacity, sizeof(*names));
	if (names == NULL)
		return -1;
	table->names = names;
	table->capacity = capacity;
	return 0;
}

static char *
copy(struct name_table *table, const char *name, uint32_t length)
{
	char *entry = byte_store_reserve(
	    &table->bytes, sizeof(length) + (size_t)length + 1);

	if (entry == NULL)
		return NULL;
	memcpy(entry, &length, sizeof(length));
	memcpy(entry + sizeof(length), name, length);
	entry[sizeof(length) + length] = '\0';
	return entry;
}

int
name_table_add(
    struct name_table *table, const char *name, size_t length, uint32_t *number)
{
	char *entry;

	*number = name_table_find(table, name, length);
	if (*number != NAME_TABLE_NONE)
		return 0;
	if (length > UINT32_MAX || table->count == NAME_TABLE_NONE ||
	    make_room(table) == -1)
		return -1;
	entry = copy(table, name, (uint32_t)length);
	if (entry == NULL)
		return -1;
	*number = (uint32_t)table->count++;
	table->names[*number] = entry;
	*find_slot(table, name, length) = *number;
	return 0;
}

const char *
name_table_name(const struct name_table *table, uint32_t number)
{
	return table->names[number] + sizeof(uint32_t);
}

size_t
name_table_length(const struct name_table *table, uint32_t number)
{
	return length_of(table->names[number]);
}
