/*
 * A table of names: each is kept once and known by its number, from 0 in the
 * order in which they came.
 */
#ifndef SVCKIT_SCHED_NAME_TABLE_H
#define SVCKIT_SCHED_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "sched/byte_store.h"

#define NAME_TABLE_NONE UINT32_MAX

struct name_table {
	struct byte_store bytes;
	const char **names; /* owned; a length and the name, in bytes */
	size_t count;
	size_t capacity;
	uint32_t *slots; /* owned; numbers by hash, open addressing */
	size_t slot_count; /* a power of 2 */
};

#define NAME_TABLE_INIT                              \
	{                                            \
		BYTE_STORE_INIT, NULL, 0, 0, NULL, 0 \
	}

void name_table_release(struct name_table *table);

/* The number of name (length bytes, any); NAME_TABLE_NONE: it has none. */
uint32_t name_table_find(
    const struct name_table *table, const char *name, size_t length);

/* The same, and it gets one (the name is copied).  -1: no memory. */
int name_table_add(struct name_table *table, const char *name, size_t length,
    uint32_t *number);

/* The name with a NUL behind it, owned by the table. */
const char *name_table_name(const struct name_table *table, uint32_t number);
/* Its length: it may have a NUL within. */
size_t name_table_length(const struct name_table *table, uint32_t number);

#endif
