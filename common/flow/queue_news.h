/*
 * What happens in the queue, for a scheduler: all that waits is told once, read
 * in slices between which the loop does other things, and from there on what
 * comes and goes.
 *
 * It follows before it lists, so nothing falls between.  What is told is what
 * was found: of a task that comes and goes at once nothing may be told.  Where
 * the kernel has lost events, and where there can be none, all that waits is
 * told anew, from restarted() on.
 */
#ifndef SVCKIT_FLOW_QUEUE_NEWS_H
#define SVCKIT_FLOW_QUEUE_NEWS_H

#include <stdbool.h>

#include "registry/queue.h"

/* So many are read before claims may begin: of a queue that has no more of
 * them the order holds. */
#define QUEUE_NEWS_FIRST 4096

struct event_base;
struct queue_news;

struct queue_news_options {
	/* A task waits at place; entry NULL: with a file that cannot be read,
	 * or is empty. */
	void (*waits)(void *argument, const struct queue_place *place,
	    const struct store_entry *entry);
	/* There is none any more. */
	void (*left)(void *argument, const struct queue_place *place);
	/* Something has changed about how id has ended. */
	void (*ended)(void *argument, const char *id);
	/* ... about what is claimed, place; NULL: about any of it. */
	void (*running)(void *argument, const struct queue_place *place);
	/* ... about who is alive. */
	void (*claimants)(void *argument);
	/* What was told so far counts no more: all that waits follows. */
	void (*restarted)(void *argument);
	/* Something was told. */
	void (*told)(void *argument);
	void (*warn)(void *argument, const char *message);
	void *argument; /* of all of them */
};

/* store must outlive it.  Nothing is told before the loop runs. */
int queue_news_open(struct queue_news **news, struct event_base *base,
    struct store *store, const struct queue_news_options *options,
    struct svc_error *error);
void queue_news_close(struct queue_news *news);

/* Tells what has come to pass by now. */
void queue_news_read(struct queue_news *news);

/* Looks whether a task waits at place, and tells it. */
void queue_news_look(struct queue_news *news, const struct queue_place *place);

/* Whether the first ones have been told; and whether all have. */
bool queue_news_begun(const struct queue_news *news);
bool queue_news_whole(const struct queue_news *news);

#endif
