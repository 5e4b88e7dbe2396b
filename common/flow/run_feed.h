/*
 * Between a run and its source (run.h): what the source calls its tasks, and
 * what it is told when they end.
 */
#ifndef SVCKIT_FLOW_RUN_FEED_H
#define SVCKIT_FLOW_RUN_FEED_H

#include <stddef.h>
#include <stdint.h>

struct call_item;
struct run;

/* Ids by number of task; all zero is an empty one. */
struct run_feed {
	char **ids;
	size_t capacity;
};

void run_feed_release(struct run_feed *feed);

/* task is called id until it is named anew.  -1: no memory. */
int run_feed_name(struct run_feed *feed, uint32_t task, const char *id);

/* Its id, or "". */
const char *run_feed_id(const struct run_feed *feed, uint32_t task);

/* Tells the source that item's task has ended, while that has its number. */
void run_feed_end(struct run *run, struct call_item *item);
/* Forgets items whose tasks have ended. */
void run_feed_clear(struct run *run);

#endif
