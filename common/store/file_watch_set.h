/*
 * The directories that a watch follows: found by key and by inotify(7)'s watch
 * descriptor, both in logarithmic time.
 */
#ifndef SVCKIT_STORE_FILE_WATCH_SET_H
#define SVCKIT_STORE_FILE_WATCH_SET_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

/* One followed directory. */
struct watch_node {
	char *key; /* "" is the store itself */
	int wd; /* inotify's; -1: it does not exist at the moment */
	bool values; /* changes of its files are told */
	bool deep; /* its directories are followed, too */
	bool listed; /* of deep: found by a listing; goes when it vanishes */
	bool turned; /* it came or went, and that is to be told */
	bool lost; /* what stood there went without events of its own */
	TAILQ_ENTRY(watch_node) link;
	TAILQ_ENTRY(watch_node) turn;
};
TAILQ_HEAD(watch_nodes, watch_node);

struct watch_set {
	void *by_key;
	void *by_wd;
	struct watch_nodes nodes; /* parents before their children */
	struct watch_nodes turned; /* by turn */
};

void watch_set_init(struct watch_set *set);
void watch_set_release(struct watch_set *set);

struct watch_node *watch_set_find(const struct watch_set *set, const char *key);
struct watch_node *watch_set_find_wd(const struct watch_set *set, int wd);

/* The node of key, made when there is none; NULL without memory. */
struct watch_node *watch_set_add(struct watch_set *set, const char *key);
void watch_set_drop(struct watch_set *set, struct watch_node *node);

/*
 * Gives the node another descriptor (-1: none).  A node that had it before has
 * none then, and is turned: the kernel knows a directory that was renamed by
 * its old descriptor.  -1 without memory.
 */
int watch_set_wd(struct watch_set *set, struct watch_node *node, int wd);

/* Notes that the node came or went. */
void watch_set_turn(struct watch_set *set, struct watch_node *node, bool lost);
/* The next node that did, whose note is taken off; NULL when there is none. */
struct watch_node *watch_set_next_turned(struct watch_set *set);

#endif
