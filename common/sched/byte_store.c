#include "sched/byte_store.h"

#include <sys/mman.h>

/* Pieces double from the one to the other, so that a small store is small. */
#define PIECE_LEAST (64UL * 1024)
#define PIECE_MOST  (64UL * 1024 * 1024)

/* At the start of each. */
struct byte_piece {
	struct byte_piece *before;
	size_t size;
};

void
byte_store_release(struct byte_store *store)
{
	struct byte_piece *piece, *before;

	for (piece = store->pieces; piece != NULL; piece = before) {
		before = piece->before;
		munmap(piece, piece->size);
	}
	*store = (struct byte_store)BYTE_STORE_INIT;
}

static size_t
size_of_next(const struct byte_store *store)
{
	size_t size = store->pieces == NULL ? 0 : store->pieces->size;

	if (size < PIECE_LEAST)
		return PIECE_LEAST;
	return size < PIECE_MOST / 2 ? size * 2 : PIECE_MOST;
}

static void *
map(size_t size)
{
	void *piece = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return piece == MAP_FAILED ? NULL : piece;
}

/* A piece with room for length bytes. */
static int
add_piece(struct byte_store *store, size_t length)
{
	size_t least = sizeof(struct byte_piece) + length;
	size_t size = size_of_next(store);
	struct byte_piece *piece = NULL;

	if (size > least)
		piece = map(size);
	else
		size = least;
	/* where addresses are short (ulimit -v) what is needed may still fit */
	if (piece == NULL) {
		size = least;
		piece = map(size);
	}
	if (piece == NULL)
		return -1;
	piece->before = store->pieces;
	piece->size = size;
	store->pieces = piece;
	store->next = (char *)(piece + 1);
	store->left = size - sizeof(*piece);
	return 0;
}

char *
byte_store_reserve(struct byte_store *store, size_t length)
{
	char *run;

	if (store->left < length || store->next == NULL) {
		if (length > (size_t)-1 - sizeof(struct byte_piece) ||
		    add_piece(store, length) == -1)
			return NULL;
	}
	run = store->next;
	store->next += length;
	store->left -= length;
	return run;
}
