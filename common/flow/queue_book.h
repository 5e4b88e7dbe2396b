/*
 * What waits in the queue, as one scheduler knows it: which task is next, and
 * which ones wait for others, or for a time.
 *
 * A task takes some 140 bytes and its id, not its line, which is read again
 * when it is claimed, and gives them back when it leaves; that is most often
 * since another scheduler has taken it.  Ready ones stand in lanes
 * (ready_queue.h), in which all go to the same service and require the same; in
 * a lane greater priority comes first, then the earlier deadline, then what was
 * submitted earlier (ms; then ids in the natural order of strverscmp(3)).
 *
 * Pure state: it does no I/O but options.look.  Every call is O(log tasks) or
 * less but for those that say otherwise.
 */
#ifndef SVCKIT_FLOW_QUEUE_BOOK_H
#define SVCKIT_FLOW_QUEUE_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/task_failure.h"
#include "registry/queue.h"
#include "sched/dependencies.h"

struct queue_book;

struct queue_book_options {
	const char *service; /* of lines that name none; or NULL; borrowed */
	/*
	 * Whether id is in the queue, and how it has ended (END_OPEN: not yet):
	 * 1; 0: it is not; -1, and not EX_DATAERR.  Asked once for each id that
	 * somebody waits for and that is not in the book.
	 */
	int (*look)(void *argument, const char *id, enum task_end *end,
	    struct svc_error *error);
	void *argument;
	uint64_t seed; /* of what is left to chance; 0: by chance, too */
};

/* EX_OSERR. */
int queue_book_open(struct queue_book **book,
    const struct queue_book_options *options, struct svc_error *error);
void queue_book_close(struct queue_book *book);

/*
 * A task waits at place; line and length: its value; submitted: ms since 1970;
 * rest: not to be taken before (ms since 1970; 0: at once).  1; 0: it was known
 * already, with as many claims (with others that place is forgotten); -1:
 * EX_DATAERR, this is no line of that task to be executed, or a finished one
 * (whoever claims it moves it on): it is in the book all the same, in the lane
 * of service ""; EX_OSERR, or what options.look() says: it is not.
 */
int queue_book_add(struct queue_book *book, const struct queue_place *place,
    const char *line, size_t length, int64_t submitted, int64_t rest,
    struct svc_error *error);

/* It waits there no more; one that is not known is no error. */
void queue_book_remove(
    struct queue_book *book, const struct queue_place *place);

/* Whether a task of the book waits for id: who does not ask need not look how
 * it has ended. */
bool queue_book_awaits(const struct queue_book *book, const char *id);

/*
 * id has ended so (or, retried, has not: END_OPEN), wherever that was.  One
 * whom nobody waits for costs a look into a table; else it is O(log tasks) for
 * each who does.  What was ready by then stays so.
 */
void queue_book_ended(
    struct queue_book *book, const char *id, enum task_end end);

/* Lanes are numbered from 0, and kept. */
size_t queue_book_lanes(const struct queue_book *book);
const char *queue_book_service(const struct queue_book *book, uint32_t lane);
size_t queue_book_ready(const struct queue_book *book, uint32_t lane);

/*
 * Takes one of a lane out, chosen at random of the first ones, among of them at
 * most: true; false: none is ready.  O(log tasks + among).
 */
bool queue_book_take(struct queue_book *book, uint32_t lane, size_t among,
    struct queue_place *place);

/*
 * Takes out one that can never run, since what it waits for did not end as it
 * must have, or is not in the queue: failure says so (CODE_SKIPPED,
 * CODE_UNKNOWN_TASK).
 */
bool queue_book_take_ruled_out(struct queue_book *book,
    struct queue_place *place, struct task_failure *failure);

/*
 * Lets those whose time has come become ready.  When to call it next, ms since
 * 1970; 0: nobody waits for a time.  Until it is called again that is what time
 * it is for the book.
 */
int64_t queue_book_wake(struct queue_book *book, int64_t now);

struct queue_book_counts {
	size_t ready;
	size_t blocked; /* they wait for other tasks, or are ruled out */
	size_t asleep; /* for a time */
};
void queue_book_counts(
    const struct queue_book *book, struct queue_book_counts *counts);

#endif
