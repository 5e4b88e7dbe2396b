/*
 * Tasks that wait for others: a directed graph of numbers, and what the end of
 * one decides about those that wait for it.
 *
 * A task is decided as soon as it can be known: it is READY when what it waits
 * for has ended as its condition says, and SKIPPED when it no longer can:
 *
 *	WHEN_OK      all of them have a result
 *	WHEN_FAILED  all have ended, and at least one has failed by itself
 *	WHEN_DONE    all have ended, in whatever way
 *
 * One that was skipped or cancelled has not failed by itself: it did nothing
 * that would have to be undone.
 *
 * Pure state: who executes tasks is the caller.  Numbers are the caller's, from
 * 0 and dense, since memory goes by the greatest; they may be used again after
 * dependencies_drop().  About 24 bytes a task and 8 a link; a link lives until
 * the task that is waited for has ended.  Every call is O(1) but for those that
 * say otherwise.
 */
#ifndef SVCKIT_SCHED_DEPENDENCIES_H
#define SVCKIT_SCHED_DEPENDENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"

#define DEPENDENCIES_NONE UINT32_MAX

enum task_when { WHEN_OK, WHEN_FAILED, WHEN_DONE };

enum task_end {
	END_OPEN, /* it has not ended */
	END_OK,
	END_FAILED,
	END_SKIPPED,
	END_CANCELLED /* it never ran, because everything stopped */
};

enum task_decision { DECISION_WAIT, DECISION_READY, DECISION_SKIP };

struct dependencies;

/* EX_OSERR. */
int dependencies_open(
    struct dependencies **dependencies, struct svc_error *error);
void dependencies_close(struct dependencies *dependencies);

/* task is new, or dropped.  -1: EX_OSERR. */
int dependencies_add(struct dependencies *dependencies, uint32_t task,
    enum task_when when, struct svc_error *error);

/*
 * task, not decided yet, waits for other, which may have ended.  Both are
 * known.  The same pair twice counts once or twice, with the same outcome.
 * -1: EX_OSERR.
 */
int dependencies_link(struct dependencies *dependencies, uint32_t task,
    uint32_t other, struct svc_error *error);

/*
 * All links of task have been made: what is known of it now.  One that waits is
 * told of later by dependencies_end(), once.  Of DECISION_SKIP,
 * dependencies_because() says whose end decided.
 */
enum task_decision dependencies_seal(
    struct dependencies *dependencies, uint32_t task);

/*
 * task has ended.  decided() is called for each sealed task about which that
 * decides, in the order of their links, with DECISION_READY or _SKIP; it
 * may add, link and seal others, but end none (the caller keeps a list).
 */
void dependencies_end(struct dependencies *dependencies, uint32_t task,
    enum task_end end,
    void (*decided)(void *argument, uint32_t task, enum task_decision decision),
    void *argument);

/* How it ended. */
enum task_end dependencies_ended(
    const struct dependencies *dependencies, uint32_t task);

enum task_when dependencies_when(
    const struct dependencies *dependencies, uint32_t task);

/*
 * Of one that is to be skipped: whose end decided so (of WHEN_FAILED, where
 * nobody has failed: the last to end); else DEPENDENCIES_NONE.
 */
uint32_t dependencies_because(
    const struct dependencies *dependencies, uint32_t task);

/* Whether anybody waits for it: links that its end has not released. */
bool dependencies_awaited(
    const struct dependencies *dependencies, uint32_t task);

/* It has ended and nobody will ask for it: its number may be added anew. */
void dependencies_drop(struct dependencies *dependencies, uint32_t task);

/*
 * Looks for a cycle among what has not ended: 0, none; 1, and the tasks of one,
 * each waiting for the next one and the last for the first, in *cycle (to be
 * freed with free(3)) and *length; -1, EX_OSERR.  O(tasks + links), without
 * recursion.  One task that waits for itself is a cycle of length 1.
 */
int dependencies_cycle(const struct dependencies *dependencies,
    uint32_t **cycle, size_t *length, struct svc_error *error);

#endif
