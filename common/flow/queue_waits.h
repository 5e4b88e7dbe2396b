/*
 * Which tasks of the queue wait for which ids, and what the ends of those
 * decide, as sched/dependencies.h has it.
 *
 * That one is for a run, in which a task ends once, and those who wait for it
 * stay until it does.  In the queue a task that has ended may be retried, and
 * one that waits may be cancelled or taken by others: here an end can be taken
 * back, and a wait be dropped, at any time.  What is kept is what somebody
 * waits for, and nothing else, however long a scheduler runs: 32 bytes a link,
 * and some 80 and the id for each id.
 */
#ifndef SVCKIT_FLOW_QUEUE_WAITS_H
#define SVCKIT_FLOW_QUEUE_WAITS_H

#include "flow/id_map.h"
#include "flow/task_links.h"
#include "line/error.h"
#include "line/task_failure.h"
#include "sched/dependencies.h"

/* What one task waits for. */
struct queue_wait;

struct queue_waits {
	struct id_map ids; /* that somebody waits for */
	/* As in struct queue_book_options. */
	int (*look)(void *argument, const char *id, enum task_end *end,
	    struct svc_error *error);
	void *argument;
};

/* Every wait has been dropped. */
void queue_waits_release(struct queue_waits *waits);

/*
 * task waits as links say (NULL: it has nothing to wait for).  *wait is to be
 * dropped.  -1: EX_OSERR, or what look() says.
 */
int queue_waits_add(struct queue_waits *waits, const struct task_links *links,
    void *task, struct queue_wait **wait, struct svc_error *error);

/* It waits no more.  NULL is allowed.  O(links). */
void queue_waits_drop(struct queue_waits *waits, struct queue_wait *wait);

/* What is known by now.  O(1). */
enum task_decision queue_wait_decision(const struct queue_wait *wait);

/* Of DECISION_SKIP: why. */
void queue_wait_explain(
    const struct queue_wait *wait, struct task_failure *failure);

/* Whether anybody waits for id.  O(1). */
bool queue_waits_awaited(const struct queue_waits *waits, const char *id);

/*
 * id has ended so; END_OPEN: it has not.  decided() is called for each task of
 * whose wait that changes the decision, and may drop that wait and no other.
 * O(1) and its waiters.
 */
void queue_waits_ended(struct queue_waits *waits, const char *id,
    enum task_end end, void (*decided)(void *argument, void *task),
    void *argument);

#endif
