/*
 * What a journal has, by id or by hash: about 100 bytes a task.
 */
#ifndef SVCKIT_FLOW_JOURNAL_INDEX_H
#define SVCKIT_FLOW_JOURNAL_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "flow/journal.h"
#include "flow/journal_line.h"
#include "flow/line_file.h"
#include "sched/name_table.h"

/* The last entry of a given id. */
struct journal_given {
	unsigned char hash[JOURNAL_HASH];
	int64_t offset;
	uint32_t length;
	bool failed;
};

/* An entry of a made id, in a list with all that have its hash. */
struct journal_made {
	int64_t offset;
	uint32_t length;
	uint32_t run; /* how-manieth run of the journal */
	uint32_t next; /* an earlier one */
};

/* Lists of those that have not been found yet; the latest first. */
struct journal_twins {
	uint32_t ok;
	uint32_t failed;
};

/* All zero but ids and hashes, NAME_TABLE_INIT. */
struct journal_index {
	struct name_table ids;
	struct journal_given *given; /* owned; by number in ids */
	size_t given_capacity;
	struct name_table hashes; /* of made ones */
	struct journal_twins *twins; /* owned; by number in hashes */
	size_t twins_capacity;
	struct journal_made *made; /* owned */
	size_t made_count;
	size_t made_capacity;
	char run[NAME_MAX_LENGTH + 1]; /* that of the last made id */
	uint32_t runs;
};

void journal_index_init(struct journal_index *index);
void journal_index_release(struct journal_index *index);

/* Entries come in the order of the journal.  -1: no memory. */
int journal_index_add(struct journal_index *index,
    const struct journal_line *line, const struct line_place *place);

/* journal_find() and journal_count(). */
int journal_index_find(struct journal_index *index, const char *id,
    const unsigned char hash[JOURNAL_HASH], struct journal_entry *entry);
size_t journal_index_count(const struct journal_index *index);

#endif
