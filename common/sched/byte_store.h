/*
 * Bytes that are kept until all of them go: runs of any length, packed one
 * behind the other, with nothing between them.
 *
 * They lie in large pieces of anonymous memory, of which the kernel gives what
 * has been written to: the end of a piece into which the next run did not fit
 * costs addresses, no memory.
 */
#ifndef SVCKIT_SCHED_BYTE_STORE_H
#define SVCKIT_SCHED_BYTE_STORE_H

#include <stddef.h>

struct byte_piece;

struct byte_store {
	struct byte_piece *pieces; /* owned; the last one first */
	char *next; /* where the next run goes, in the last piece */
	size_t left;
};

#define BYTE_STORE_INIT \
	{               \
		0       \
	}

void byte_store_release(struct byte_store *store);

/*
 * Room for length bytes, not aligned, which stay where they are until the
 * release.  NULL: no memory.
 */
char *byte_store_reserve(struct byte_store *store, size_t length);

#endif
