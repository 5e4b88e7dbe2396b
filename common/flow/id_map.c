#include "flow/id_map.h"

#include <stdlib.h>
#include <string.h>

#define CHAINS_LEAST 64
#define CHAINS_MOST  ((size_t)1 << 31)

/* FNV-1a, and its upper half folded in: the chain is taken from below. */
static uint32_t
hash_of(const char *id)
{
	uint64_t value = 0xcbf29ce484222325;

	for (; *id != '\0'; id++)
		value = (value ^ (unsigned char)*id) * 0x100000001b3;
	return (uint32_t)(value ^ value >> 32);
}

static struct id_node **
chain_of(const struct id_map *map, uint32_t hash)
{
	return &map->chains[hash & (map->chain_count - 1)];
}

struct id_node *
id_map_find(const struct id_map *map, const char *id)
{
	struct id_node *node;
	uint32_t hash;

	if (map->count == 0)
		return NULL;
	hash = hash_of(id);
	for (node = *chain_of(map, hash); node != NULL; node = node->next)
		if (node->hash == hash && strcmp(node->id, id) == 0)
			break;
	return node;
}

static void
enter(struct id_map *map, struct id_node *node)
{
	struct id_node **chain = chain_of(map, node->hash);

	node->next = *chain;
	*chain = node;
}

/* Spreads the nodes over so many chains.  -1: no memory, and all is as it was.
 */
static int
spread(struct id_map *map, size_t chain_count)
{
	struct id_map wider = {.chain_count = chain_count, .count = map->count};
	struct id_node *node, *next;
	size_t i;

	wider.chains = calloc(chain_count, sizeof(struct id_node *));
	if (wider.chains == NULL)
		return -1;
	for (i = 0; i < map->chain_count; i++)
		for (node = map->chains[i]; node != NULL; node = next) {
			next = node->next;
			enter(&wider, node);
		}
	free(map->chains);
	*map = wider;
	return 0;
}

int
id_map_add(struct id_map *map, struct id_node *node)
{
	if (map->chain_count == 0 && spread(map, CHAINS_LEAST) == -1)
		return -1;
	/* Without the memory chains get longer, and that is all. */
	if (map->count >= map->chain_count && map->chain_count < CHAINS_MOST)
		(void)spread(map, map->chain_count * 2);
	node->hash = hash_of(node->id);
	enter(map, node);
	map->count++;
	return 0;
}

void
id_map_remove(struct id_map *map, struct id_node *node)
{
	struct id_node **place = chain_of(map, node->hash);

	while (*place != node)
		place = &(*place)->next;
	*place = node->next;
	map->count--;
	if (map->chain_count > CHAINS_LEAST &&
	    map->count < map->chain_count / 8)
		(void)spread(map, map->chain_count / 4);
}

void
id_map_release(struct id_map *map,
    void (*drop)(void *argument, struct id_node *node), void *argument)
{
	struct id_node *node, *next;
	size_t i;

	for (i = 0; i < map->chain_count; i++)
		for (node = map->chains[i]; node != NULL; node = next) {
			next = node->next;
			drop(argument, node);
		}
	free(map->chains);
	memset(map, 0, sizeof(*map));
}
