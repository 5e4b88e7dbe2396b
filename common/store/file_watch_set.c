#include "store/file_watch_set.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int
compare_keys(const void *a, const void *b)
{
	const struct watch_node *left = a, *right = b;

	return strcmp(left->key, right->key);
}

static int
compare_wds(const void *a, const void *b)
{
	const struct watch_node *left = a, *right = b;

	return (left->wd > right->wd) - (left->wd < right->wd);
}

void
watch_set_init(struct watch_set *set)
{
	set->by_key = set->by_wd = NULL;
	TAILQ_INIT(&set->nodes);
	TAILQ_INIT(&set->turned);
}

void
watch_set_release(struct watch_set *set)
{
	struct watch_node *node;

	while ((node = TAILQ_FIRST(&set->nodes)) != NULL)
		watch_set_drop(set, node);
}

struct watch_node *
watch_set_find(const struct watch_set *set, const char *key)
{
	struct watch_node wanted = {.key = (char *)(uintptr_t)key};
	void *found = tfind(&wanted, &set->by_key, compare_keys);

	return found == NULL ? NULL : *(struct watch_node **)found;
}

struct watch_node *
watch_set_find_wd(const struct watch_set *set, int wd)
{
	struct watch_node wanted = {.wd = wd};
	void *found = tfind(&wanted, &set->by_wd, compare_wds);

	return found == NULL ? NULL : *(struct watch_node **)found;
}

struct watch_node *
watch_set_add(struct watch_set *set, const char *key)
{
	struct watch_node *node = watch_set_find(set, key);

	if (node != NULL)
		return node;
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->wd = -1;
	node->key = strdup(key);
	if (node->key == NULL ||
	    tsearch(node, &set->by_key, compare_keys) == NULL) {
		free(node->key);
		free(node);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&set->nodes, node, link);
	return node;
}

void
watch_set_drop(struct watch_set *set, struct watch_node *node)
{
	if (node->wd != -1)
		tdelete(node, &set->by_wd, compare_wds);
	tdelete(node, &set->by_key, compare_keys);
	TAILQ_REMOVE(&set->nodes, node, link);
	if (node->turned)
		TAILQ_REMOVE(&set->turned, node, turn);
	free(node->key);
	free(node);
}

int
watch_set_wd(struct watch_set *set, struct watch_node *node, int wd)
{
	struct watch_node *other;

	if (node->wd == wd)
		return 0;
	if (node->wd != -1)
		tdelete(node, &set->by_wd, compare_wds);
	node->wd = -1;
	if (wd == -1)
		return 0;
	other = watch_set_find_wd(set, wd);
	if (other != NULL) {
		tdelete(other, &set->by_wd, compare_wds);
		other->wd = -1;
		watch_set_turn(set, other, true);
	}
	node->wd = wd;
	if (tsearch(node, &set->by_wd, compare_wds) != NULL)
		return 0;
	node->wd = -1;
	return -1;
}

void
watch_set_turn(struct watch_set *set, struct watch_node *node, bool lost)
{
	if (!node->turned) {
		node->turned = true;
		node->lost = false;
		TAILQ_INSERT_TAIL(&set->turned, node, turn);
	}
	node->lost = node->lost || lost;
}

struct watch_node *
watch_set_next_turned(struct watch_set *set)
{
	struct watch_node *node = TAILQ_FIRST(&set->turned);

	if (node != NULL) {
		TAILQ_REMOVE(&set->turned, node, turn);
		node->turned = false;
	}
	return node;
}
