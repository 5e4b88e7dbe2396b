/*
 * Inside a source (queue_source.h): its state, and who does what.
 *
 *	queue_source	opens and closes it, and brings together what it hears
 *	queue_hear	hears what happens in the queue
 *	queue_take	claims tasks, for the run or to fail them
 *	queue_end	what becomes of a claimed task when it ends
 */
#ifndef SVCKIT_FLOW_QUEUE_STATE_H
#define SVCKIT_FLOW_QUEUE_STATE_H

#include "flow/queue_book.h"
#include "flow/queue_claims.h"
#include "flow/queue_finish.h"
#include "flow/queue_lanes.h"
#include "flow/queue_news.h"
#include "flow/queue_peers.h"
#include "flow/queue_source.h"
#include "line/json.h"
#include "line/task.h"

/* A task that was lost once rests so many ms, and twice that the next time. */
#define QUEUE_REST_MS 1000

struct event;

struct queue_source {
	struct queue_source_options options;
	struct event_base *base;
	struct store *store;
	struct queue_peers *peers;
	struct queue_finish *finish;
	struct queue_book *book;
	struct queue_lanes lanes;
	struct queue_claims claims;
	struct queue_news *news;
	struct event *turn; /* something has changed */
	struct event *alarm; /* the next time that matters */
	struct event *finished; /* queue_finish has something to tell */
	struct buffer line; /* that was claimed last */
	struct buffer value; /* of another task, for its result or its end */
	struct json_document document; /* of value */
	struct envelope envelope; /* of line, where it is failed here */
	unsigned long number; /* of lines that next() gave */
	double paused; /* monotonic: claiming failed; not again before */
	bool complained; /* of that */
	bool stuck; /* queue_finish is, and that was said */
	bool broken;
	bool stopped;
	bool emptied; /* options.empty() was called */
	bool asking; /* options.vacant() runs */
	double idle; /* monotonic: nobody takes what is ready since; 0 */
	struct queue_source_counts counts; /* those that only grow */
};

/* queue_source: soon, from the loop, all is looked at. */
void queue_turn(struct queue_source *source);
void queue_note(struct queue_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void queue_warn(struct queue_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A line of warning; argument: the source. */
void queue_complain(void *argument, const char *message);
/* No memory, or a sync that has failed: the run has to stop. */
void queue_break(struct queue_source *source, const struct svc_error *error);

/* queue_hear: opens book, peers and news; who opened the source closes them. */
int queue_hear_open(struct queue_source *source, struct svc_error *error);

/* queue_take: whether anything may be claimed; and whether there is anything
 * that could be at once. */
bool queue_may_take(struct queue_source *source);
bool queue_can_take(struct queue_source *source);
/* Claims and fails what can never run.  true: there is more. */
bool queue_take_ruled_out(struct queue_source *source);

/* queue_end */
void queue_claim_lost(struct queue_source *source, struct queue_claim *claim);
/* Hands claim to queue_finish: with line (length bytes, which it takes), or
 * NULL, to give it back. */
void queue_claim_finish(struct queue_source *source, struct queue_claim *claim,
    char *line, size_t length, bool failed);
/* What queue_finish has done. */
void queue_claims_settle(struct queue_source *source);
/* How id has ended; as queue_book_options.look. */
int queue_end_look(void *argument, const char *id, enum task_end *end,
    struct svc_error *error);

#endif
