/*
 * In which round each task of a batch is stored: behind those that it waits
 * for, and behind an earlier one with its id.  Of each id it is known whether
 * it came into the queue, since a task must not wait for one that did not.
 */
#ifndef SVCKIT_FLOW_SUBMIT_ROUNDS_H
#define SVCKIT_FLOW_SUBMIT_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/name_table.h"

struct submit_known; /* private: what is known of an id */

/* Zeroes will do to begin with; release it afterwards. */
struct submit_rounds {
	struct name_table names;
	struct submit_known *known; /* by the number of the name */
	size_t known_capacity;
	uint32_t *waits;
	size_t wait_count, wait_capacity;
	unsigned count; /* of rounds */
};

/* What a batch keeps of each task; submit_turn_init() before its first use. */
struct submit_turn {
	uint32_t name;
	unsigned round; /* from 0 */
	size_t wait_begin, wait_count; /* private */
};
void submit_turn_init(struct submit_turn *turn);

void submit_rounds_release(struct submit_rounds *rounds);
/* A new batch.  keep: the ids of those before may still be waited for. */
void submit_rounds_clear(struct submit_rounds *rounds, bool keep);

/*
 * turn waits for id: 1, which is in this batch; 0: it is not; -1.  All waits of
 * a turn are told in one go, before submit_rounds_add().
 */
int submit_rounds_wait(struct submit_rounds *rounds, struct submit_turn *turn,
    const char *id, struct svc_error *error);

/* The task is id: its round is turn->round.  -1: EX_OSERR. */
int submit_rounds_add(struct submit_rounds *rounds, struct submit_turn *turn,
    const char *id, struct svc_error *error);

/* "" before submit_rounds_add(). */
const char *submit_rounds_id(
    const struct submit_rounds *rounds, const struct submit_turn *turn);

/* The task is in the queue. */
void submit_rounds_queued(
    struct submit_rounds *rounds, const struct submit_turn *turn);

/* One that it waits for and that is not in the queue; NULL: all are. */
const char *submit_rounds_missing(
    const struct submit_rounds *rounds, const struct submit_turn *turn);

#endif
