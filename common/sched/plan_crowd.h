/*
 * Classes of a plan that find room, but only where others that they are spread
 * with are too many: they may go elsewhere when one of those has come or gone.
 */
#ifndef SVCKIT_SCHED_PLAN_CROWD_H
#define SVCKIT_SCHED_PLAN_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/plan_class.h"

struct plan_crowd {
	const struct plan_classes *classes; /* borrowed */
	struct plan_family *families; /* owned */
	uint32_t *relatives; /* of each class, the next of its family; owned */
	unsigned char *crowded; /* of each class; owned */
	uint32_t *changed; /* families; owned */
	size_t changed_count;
	uint32_t next; /* class to be looked at, of the last one of those */
};

/* -1: no memory. */
int plan_crowd_open(
    struct plan_crowd *crowd, const struct plan_classes *classes);
void plan_crowd_close(struct plan_crowd *crowd);

/* Of the class, which is spread, a task has come or gone. */
void plan_crowd_change(struct plan_crowd *crowd, uint32_t class);

/* Only that it is spread is in the way of the class. */
void plan_crowd_add(struct plan_crowd *crowd, uint32_t class);

/*
 * Takes out a class of whose family one has come or gone since it was added.
 * false: there is none.
 */
bool plan_crowd_next(struct plan_crowd *crowd, uint32_t *class);

#endif
