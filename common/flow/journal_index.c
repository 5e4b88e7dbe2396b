#include "flow/journal_index.h"

#include <stdlib.h>
#include <string.h>

#define NONE	   UINT32_MAX
#define ROOM_LEAST 64

void
journal_index_init(struct journal_index *index)
{
	static const struct name_table none = NAME_TABLE_INIT;

	memset(index, 0, sizeof(*index));
	index->ids = index->hashes = none;
}

void
journal_index_release(struct journal_index *index)
{
	name_table_release(&index->ids);
	name_table_release(&index->hashes);
	free(index->given);
	free(index->twins);
	free(index->made);
	journal_index_init(index);
}

/* Makes array, of items of size bytes, have room for one more than count. */
static void *
with_room(void *array, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity == 0 ? ROOM_LEAST : *capacity + *capacity / 2;
	void *grown;

	if (count < *capacity)
		return array;
	grown = reallocarray(array, wanted, size);
	if (grown != NULL)
		*capacity = wanted;
	return grown;
}

static int
add_given(struct journal_index *index, const struct journal_line *line,
    const struct line_place *place)
{
	struct journal_given *given;
	uint32_t number;

	/* Room first: a number must not be without its entry. */
	given = with_room(index->given, &index->given_capacity,
	    index->ids.count, sizeof(*given));
	if (given == NULL)
		return -1;
	index->given = given;
	if (name_table_add(&index->ids, line->id, line->id_length, &number) ==
	    -1)
		return -1;
	given += number;
	memcpy(given->hash, line->hash, JOURNAL_HASH);
	given->offset = place->offset;
	given->length = (uint32_t)place->length;
	given->failed = line->failed;
	return 0;
}

/* The ids that a run makes are all alike but for the number at their end. */
static uint32_t
run_of(struct journal_index *index, const struct journal_line *line)
{
	const char *end = strrchr(line->id, '-');
	size_t length =
	    end == NULL ? line->id_length : (size_t)(end - line->id);

	if (strncmp(index->run, line->id, length) != 0 ||
	    index->run[length] != '\0') {
		memcpy(index->run, line->id, length);
		index->run[length] = '\0';
		index->runs++;
	}
	return index->runs;
}

/* Those with the hash; NULL: no memory. */
static struct journal_twins *
twins_of(struct journal_index *index, const unsigned char hash[JOURNAL_HASH])
{
	size_t before = index->hashes.count;
	struct journal_twins *twins;
	uint32_t number;

	twins = with_room(
	    index->twins, &index->twins_capacity, before, sizeof(*twins));
	if (twins == NULL)
		return NULL;
	index->twins = twins;
	if (name_table_add(&index->hashes, (const char *)hash, JOURNAL_HASH,
		&number) == -1)
		return NULL;
	twins += number;
	if (index->hashes.count > before)
		twins->ok = twins->failed = NONE;
	return twins;
}

static int
add_made(struct journal_index *index, const struct journal_line *line,
    const struct line_place *place)
{
	struct journal_twins *twins;
	struct journal_made *made;
	uint32_t *list;

	made = with_room(index->made, &index->made_capacity, index->made_count,
	    sizeof(*made));
	if (made == NULL)
		return -1;
	index->made = made;
	if (index->made_count >= NONE ||
	    (twins = twins_of(index, line->hash)) == NULL)
		return -1;
	list = line->failed ? &twins->failed : &twins->ok;
	made += index->made_count;
	made->offset = place->offset;
	made->length = (uint32_t)place->length;
	made->run = run_of(index, line);
	made->next = *list;
	*list = (uint32_t)index->made_count++;
	return 0;
}

int
journal_index_add(struct journal_index *index, const struct journal_line *line,
    const struct line_place *place)
{
	return line->made ? add_made(index, line, place)
			  : add_given(index, line, place);
}

static int
find_given(const struct journal_index *index, const char *id,
    const unsigned char hash[JOURNAL_HASH], struct journal_entry *entry)
{
	uint32_t number = name_table_find(&index->ids, id, strlen(id));
	const struct journal_given *given;

	if (number == NAME_TABLE_NONE)
		return 0;
	given = &index->given[number];
	if (memcmp(given->hash, hash, JOURNAL_HASH) != 0)
		return 0;
	entry->place.offset = given->offset;
	entry->place.length = given->length;
	entry->failed = given->failed;
	entry->made = false;
	return 1;
}

/* Which list has the next one; NULL: all have been found. */
static uint32_t *
next_list(const struct journal_index *index, struct journal_twins *twins)
{
	if (twins->failed == NONE)
		return twins->ok == NONE ? NULL : &twins->ok;
	if (twins->ok == NONE ||
	    index->made[twins->ok].run < index->made[twins->failed].run)
		return &twins->failed;
	return &twins->ok;
}

static int
take_made(struct journal_index *index, const unsigned char hash[JOURNAL_HASH],
    struct journal_entry *entry)
{
	uint32_t number =
	    name_table_find(&index->hashes, (const char *)hash, JOURNAL_HASH);
	const struct journal_made *made;
	uint32_t *list;

	if (number == NAME_TABLE_NONE)
		return 0;
	list = next_list(index, &index->twins[number]);
	if (list == NULL)
		return 0;
	made = &index->made[*list];
	entry->place.offset = made->offset;
	entry->place.length = made->length;
	entry->failed = list == &index->twins[number].failed;
	entry->made = true;
	*list = made->next;
	return 1;
}

int
journal_index_find(struct journal_index *index, const char *id,
    const unsigned char hash[JOURNAL_HASH], struct journal_entry *entry)
{
	return id == NULL ? take_made(index, hash, entry)
			  : find_given(index, id, hash, entry);
}

size_t
journal_index_count(const struct journal_index *index)
{
	return index->ids.count + index->made_count;
}
