/*
 * A table of things by their ids, which come and go: it takes some 16 bytes a
 * thing and gives them back.  Where names are only added, name_table.h is
 * smaller.
 *
 * The thing has the node as its first member, and owns the id:
 *
 *	struct thing {
 *		struct id_node node;
 *		...
 *		char id[];
 *	};
 *
 *	thing = (struct thing *)id_map_find(&map, id);
 */
#ifndef SVCKIT_FLOW_ID_MAP_H
#define SVCKIT_FLOW_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

struct id_node {
	struct id_node *next; /* private, as hash */
	const char *id; /* set by whom it belongs to, and not changed */
	uint32_t hash;
};

/* All zero is an empty one. */
struct id_map {
	struct id_node **chains; /* owned, by hash */
	size_t chain_count; /* a power of 2, or 0 */
	size_t count;
};

/* NULL: there is none.  O(1). */
struct id_node *id_map_find(const struct id_map *map, const char *id);

/* node's id is not in the map.  -1: no memory.  O(1), amortised. */
int id_map_add(struct id_map *map, struct id_node *node);

/* node is in the map.  Cannot fail. */
void id_map_remove(struct id_map *map, struct id_node *node);

/* Empties it: drop() is called for each node, and may free it. */
void id_map_release(struct id_map *map,
    void (*drop)(void *argument, struct id_node *node), void *argument);

#endif
