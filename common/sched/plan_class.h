/*
 * The tasks of a plan by what they ask for: those of one class have the same
 * service and requires, and where that spreads them the same group, and so the
 * same instances fit them.
 */
#ifndef SVCKIT_SCHED_PLAN_CLASS_H
#define SVCKIT_SCHED_PLAN_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/name_table.h"
#include "sched/plan.h"

/* What a class asks for of one capacity. */
struct plan_number {
	uint32_t name; /* of plan_classes.names */
	double amount;
};

/* The members that fit, whatever they do just now: pool_eligible(). */
struct plan_set {
	uint32_t *members; /* owned; ascending */
	size_t count;
	double slowest; /* of their speeds; 0: there are no members */
	double fastest;
};

struct plan_class {
	size_t count; /* tasks */
	uint32_t set; /* of plan_classes.sets */
	uint32_t slots; /* that one task takes; at least 1 */
	bool spread; /* over labels */
	uint32_t family; /* of those that are spread: with whom it is counted,
			    those of its service and group */
	size_t numbers; /* offset in plan_classes.numbers */
	size_t number_count;
};

struct plan_classes {
	uint32_t *of; /* the class of each task of the batch; owned */
	struct plan_class *items; /* owned; in the order of their first tasks */
	size_t count;
	struct plan_set *sets; /* owned; the first has no members */
	size_t set_count;
	struct plan_number *numbers; /* owned */
	size_t number_count;
	struct name_table names; /* of capacities */
	struct name_table families;
	/* private */
	struct name_table keys;
	struct name_table serials;
	size_t capacity;
	size_t set_capacity;
	size_t number_capacity;
};

/*
 * What cannot be read fits nowhere.  Where the policy takes room, a class takes
 * as many slots as its requires names.  EX_OSERR.
 */
int plan_classes_open(struct plan_classes *classes, const struct plan *plan,
    struct svc_error *error);
void plan_classes_close(struct plan_classes *classes);

bool plan_set_has(const struct plan_set *set, uint32_t member);

#endif
