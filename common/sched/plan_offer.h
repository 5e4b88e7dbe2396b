/*
 * Where the tasks of a plan that wait may go just now: the instances' slots,
 * and which of them have become free.
 */
#ifndef SVCKIT_SCHED_PLAN_OFFER_H
#define SVCKIT_SCHED_PLAN_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "sched/plan.h"
#include "sched/plan_class.h"
#include "sched/plan_lanes.h"
#include "sched/plan_task.h"
#include "sched/plan_waiting.h"

struct plan_offer {
	struct plan *plan; /* borrowed */
	const struct plan_classes *classes; /* borrowed */
	struct plan_lanes *lanes; /* of each member; owned */
	uint32_t *freed; /* the members that have become free; owned */
	size_t freed_count;
	unsigned char *is_freed; /* of each member; owned */
	unsigned char *keep; /* for the chooser; owned */
	struct buffer why; /* of the last task that was tried */
};

/* -1: no memory. */
int plan_offer_open(struct plan_offer *offer, struct plan *plan,
    const struct plan_classes *classes);
void plan_offer_close(struct plan_offer *offer);

/* A task that was placed has ended, and its instance has become free. */
int plan_offer_ended(
    struct plan_offer *offer, uint32_t task, struct svc_error *error);
/* Forgets who has become free. */
void plan_offer_clear(struct plan_offer *offer);

/* The most that one of the freed has of each kind of need; at least that. */
void plan_offer_most(const struct plan_offer *offer, size_t capacities,
    double most[PLAN_KINDS_MAX]);

/*
 * Has an instance chosen for the task, of the freed ones or of all that have
 * slots.  1: *member, and it has been counted there, but for the slots; 0: none
 * has room, or can do it in time; -1: EX_OSERR.
 */
int plan_offer_try(struct plan_offer *offer, uint32_t task, double now,
    bool freed, uint32_t *member, struct svc_error *error);

/*
 * Why plan_offer_try() has said 0: 1, only for want of time, others of the
 * class would find room; 0: there is none.
 */
int plan_offer_hurried(struct plan_offer *offer, uint32_t task, double now,
    bool freed, struct svc_error *error);

/*
 * The same of a task that is spread: 1, there is room, but where others of them
 * are too many; 0: there is none.
 */
int plan_offer_crowded(struct plan_offer *offer, uint32_t task, bool freed,
    struct svc_error *error);

/* Fills why: the object of --explain, if it is asked for. */
void plan_offer_explain(struct plan_offer *offer, uint32_t task, double now);

/* What plan_offer_try() has counted is given back. */
int plan_offer_withdraw(struct plan_offer *offer, uint32_t task,
    uint32_t member, struct svc_error *error);

#endif
